package cli

import (
	"iter"
	"sync"
)

// A Numbers tells which line of a list a Result is of. The Index of a Result counts
// what a Stream pulled, which is fewer than the lines of the list if some are
// skipped.
//
// The zero value is ready for one Stream. It may be used concurrently: a Stream
// pulls its targets in a goroutine of its own.
type Numbers struct {
	mu     sync.Mutex
	pulled int
	lines  map[int]int // by index
}

// Targets returns the targets of the sites that want accepts, for a Stream.
func (n *Numbers) Targets(sites iter.Seq[Site], want func(Site) bool) iter.Seq[string] {
	return func(yield func(string) bool) {
		for s := range sites {
			if !want(s) {
				continue
			}
			n.note(s.Line)
			if !yield(s.Target) {
				return
			}
		}
	}
}

func (n *Numbers) note(line int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.lines == nil {
		n.lines = make(map[int]int)
	}
	n.lines[n.pulled] = line
	n.pulled++
}

// Line returns the line of the Result with an index, and forgets it; 0 if it is not
// known. What is held are the targets that were pulled and not yet asked for,
// parked ones included.
func (n *Numbers) Line(index int) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	line := n.lines[index]
	delete(n.lines, index)
	return line
}

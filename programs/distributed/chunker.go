package main

const (
	perSite  = 10        // lines of one site in a chunk, at most
	maxOpen  = 16        // chunks that a partition fills at once, at most
	maxBytes = 256 << 10 // of targets in a chunk, at most; a server takes messages of 1 MiB by default
)

// A chunker sorts lines into chunks. What becomes of a list depends on nothing
// but the list, its size and its parts, so whoever needs to know, be it after a crash, on
// another machine or for an audit, finds out by doing it again. It holds at most
// maxOpen chunks of each partition, whatever the list.
type chunker struct {
	list list
	done func(chunk) // gets each chunk, once it is complete

	open [][]*draft // by partition, oldest first
	next []int      // by partition, the position of the next chunk to be opened
}

func newChunker(l list, done func(chunk)) *chunker {
	return &chunker{list: l, done: done, open: make([][]*draft, l.parts), next: make([]int, l.parts)}
}

// A draft is a chunk that is being filled.
type draft struct {
	chunk
	bytes int
	sites map[string]int
}

// add puts a line into the oldest open chunk that has room for it and its site,
// and returns the chunk's id.
func (k *chunker) add(l line) string {
	s := site(l.target)
	p := partition(s, k.list.parts)
	d := k.room(p, s, len(l.target))
	if d == nil {
		d = k.begin(p)
	}
	d.lines = append(d.lines, l)
	d.bytes += len(l.target)
	d.sites[s]++
	if len(d.lines) == k.list.size {
		k.finish(p, d)
	}
	return d.id
}

func (k *chunker) room(p int, site string, bytes int) *draft {
	for _, d := range k.open[p] {
		if d.sites[site] < perSite && d.bytes+bytes <= maxBytes {
			return d
		}
	}
	return nil
}

func (k *chunker) begin(p int) *draft {
	if len(k.open[p]) == maxOpen {
		k.finish(p, k.open[p][0])
	}
	d := &draft{chunk: chunk{id: newID(k.list.run, p, k.next[p])}, sites: make(map[string]int)}
	k.next[p]++
	k.open[p] = append(k.open[p], d)
	return d
}

func (k *chunker) finish(p int, d *draft) {
	for i, o := range k.open[p] {
		if o == d {
			k.open[p] = append(k.open[p][:i:i], k.open[p][i+1:]...)
			break
		}
	}
	k.done(d.chunk)
}

// flush completes the chunks that are open.
func (k *chunker) flush() {
	for p := range k.open {
		for len(k.open[p]) > 0 {
			k.finish(p, k.open[p][0])
		}
	}
}

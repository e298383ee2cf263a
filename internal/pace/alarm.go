package pace

import (
	"container/heap"
	"time"
)

// alarms are the moments at which something may start that may not now. One timer
// serves them all, and there is none while there are no alarms. Pacer.mu guards them.
type alarms struct {
	tick  func() // what the timer calls
	heap  alarmHeap
	timer *time.Timer
	at    time.Time // when it fires; zero if it does not

	ringing bool // the timer waits to be set until all is started that may start now
}

// An alarm rings for a host, an origin, a Shortage or the Pacer.
type alarm struct {
	at    time.Time
	index int // in the heap, from 1; 0 if it is not set
	who   interface{ ring(now time.Time) }
}

// set lets a ring at a moment.
func (as *alarms) set(a *alarm, at time.Time) {
	switch {
	case a.index == 0:
		a.at = at
		heap.Push(&as.heap, a)
	case !a.at.Equal(at):
		a.at = at
		heap.Fix(&as.heap, a.index-1)
	}
	as.arm()
}

// clear lets a not ring.
func (as *alarms) clear(a *alarm) {
	if a.index == 0 {
		return
	}
	heap.Remove(&as.heap, a.index-1)
	as.arm()
}

// ring rings all alarms that are due, calls then, and sets the timer to the next one.
func (as *alarms) ring(now time.Time, then func(now time.Time)) {
	as.at, as.ringing = time.Time{}, true
	for len(as.heap) > 0 && !now.Before(as.heap[0].at) {
		heap.Pop(&as.heap).(*alarm).who.ring(now)
	}
	then(now)
	as.ringing = false
	as.arm()
}

// arm sets the timer to the first alarm. A timer that has been stopped may belong to a
// bubble that has ended, so it is not used again.
func (as *alarms) arm() {
	switch {
	case as.ringing:
	case len(as.heap) == 0:
		if as.timer != nil {
			as.timer.Stop()
		}
		as.timer, as.at = nil, time.Time{}
	case as.at.Equal(as.heap[0].at):
	case as.timer == nil:
		as.at = as.heap[0].at
		as.timer = time.AfterFunc(time.Until(as.at), as.tick)
	default:
		as.at = as.heap[0].at
		as.timer.Reset(time.Until(as.at))
	}
}

// alarmHeap is a heap by at.
type alarmHeap []*alarm

func (h alarmHeap) Len() int           { return len(h) }
func (h alarmHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h alarmHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i+1, j+1
}

func (h *alarmHeap) Push(a any) {
	*h = append(*h, a.(*alarm))
	(*h)[len(*h)-1].index = len(*h)
}

func (h *alarmHeap) Pop() any {
	old := *h
	a := old[len(old)-1]
	old[len(old)-1] = nil
	*h, a.index = old[:len(old)-1], 0
	return a
}

package checker

import (
	"context"
	"sync"
	"time"
)

// ways are two ways to ask.
type ways interface {
	first(context.Context, *hedge) *answer // it arms the hedge when it may be slow from now on
	second(context.Context) *answer
	wanted(*answer) bool // whether what the first gave calls for the second
	choose(first, second *answer) *answer
}

// A hedge asks in two ways. The first is under way on the caller's goroutine.
// The second begins beside it when the first turns out to be slow, or after it,
// if what the first gave does not do; most hedges therefore start no goroutine.
//
// The zero hedge is ready for one run. Its methods are called from the goroutine
// of run only.
type hedge struct {
	start  func()         // runs the second, on a goroutine of its own
	timer  *time.Timer    // of start; nil unless armed
	begun  bool           // start was called
	ended  sync.WaitGroup // until start has returned
	beside *answer        // what it found; valid then
}

// run returns the answer that counts: the first one that is Online and does not
// call for another or, without such an answer, what w chooses. Each way ends the
// other when it settles the matter.
func (h *hedge) run(ctx context.Context, w ways) *answer {
	ctx, cancel := context.WithCancel(ctx)
	h.start = func() {
		defer h.ended.Done()
		h.beside = &answer{Result: Result{Err: errExited()}}
		h.beside = w.second(ctx)
		if h.beside.up() {
			cancel()
		}
	}
	defer func() { // in any case, even if a hook ends this goroutine
		h.disarm()
		cancel()
		h.ended.Wait()
	}()

	a := w.first(ctx, h)
	h.disarm()
	wanted := w.wanted(a)
	var b *answer
	switch {
	case a.Err == nil && !wanted:
		return a
	case h.begun:
		h.ended.Wait()
		b = h.beside
	case wanted:
		b = w.second(ctx)
	default:
		return a
	}
	if b.up() {
		return b
	}
	return w.choose(a, b)
}

// arm lets the second begin beside the first after d.
func (h *hedge) arm(d time.Duration) {
	h.ended.Add(1)
	h.timer = time.AfterFunc(d, h.start)
}

// disarm keeps the second from beginning beside the first from now on.
func (h *hedge) disarm() {
	if h.timer == nil {
		return
	}
	if h.timer.Stop() {
		h.ended.Done()
	} else {
		h.begun = true
	}
	h.timer = nil
}

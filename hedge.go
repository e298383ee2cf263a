package checker

import (
	"context"
	"sync"
	"time"
)

// ways are two ways to ask.
type ways interface {
	// first asks, and arms the hedge once it may be slow.
	first(context.Context, *hedge) *answer

	// second asks in the other way.
	second(context.Context) *answer

	// wanted reports whether second is called for though first has answered so.
	wanted(*answer) bool

	// settles reports whether second has answered so that first no longer matters.
	settles(*answer) bool

	// choose returns which answer counts where second is not Online.
	choose(first, second *answer) *answer
}

// A hedge asks in two ways. The first is under way on the caller's goroutine.
// The second begins beside it when the first is slow, or after it if the first gave
// no usable answer. Most hedges therefore start no goroutine.
//
// The zero hedge is ready for one run. Its methods are called from the goroutine
// of run only.
type hedge struct {
	start  func()         // asks in the second way; set by run
	timer  *time.Timer    // calls start; nil unless armed
	begun  bool           // start has been called
	cancel func()         // ends both ways; set by run
	late   *time.Timer    // calls cancel; nil unless limited
	ended  sync.WaitGroup // done when start has returned
	beside *answer        // what start found, nil if it came too late to ask; to be read after ended
}

// run returns the answer that counts: the first one that is Online and does not
// call for another or, without such an answer, what w chooses. Each way ends the
// other when it is Online, and the second also when it settles the matter otherwise.
func (h *hedge) run(ctx context.Context, w ways) *answer {
	ctx, cancel := context.WithCancel(ctx)
	h.cancel = cancel
	h.start = func() {
		defer h.ended.Done()
		if ctx.Err() != nil {
			return // the first has settled it meanwhile
		}
		h.beside = &answer{Result: Result{Err: errExited(PhaseJudge)}}
		h.beside = w.second(ctx)
		if w.settles(h.beside) {
			cancel()
		}
	}
	defer func() { // in any case, even if a hook ends this goroutine
		h.disarm()
		if h.late != nil {
			h.late.Stop()
		}
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
		if b = h.beside; b == nil {
			return a
		}
	case wanted && ctx.Err() == nil:
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

// limit gives the second no longer than d from now.
func (h *hedge) limit(d time.Duration) { h.late = time.AfterFunc(d, h.cancel) }

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

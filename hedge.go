package checker

import (
	"context"
	"sync"
	"time"

	"example.com/checker/internal/wire"
)

// A race asks in two ways. The first is under way on the caller's goroutine.
// The second begins beside it when the first turns out to be slow, or after it,
// if the first turns out not to do; most races therefore start no goroutine.
type race struct {
	second func(context.Context) *answer
	timer  *time.Timer // nil until armed

	mu     sync.Mutex
	first  wire.Interrupter
	begun  bool // the second has, beside the first
	done   bool // the second does not begin beside the first any more
	won    bool // the second is Online
	cancel context.CancelFunc

	beside *answer        // the second's, if it has begun
	ended  sync.WaitGroup // and when it is there
}

// interrupt makes a function an Interrupter.
type interrupt func()

func (f interrupt) Interrupt() { f() }

// arm lets the second begin after d.
func (r *race) arm(ctx context.Context, d time.Duration, first wire.Interrupter) {
	r.timer = time.AfterFunc(d, func() { r.begin(ctx, first) })
}

// disarm keeps the timer from letting the second begin.
func (r *race) disarm() {
	if r.timer != nil {
		r.timer.Stop()
	}
}

// begin lets the second begin, under ctx. If it is Online first, it interrupts
// the first. Where the first goes on by another connection, begin is called
// again.
func (r *race) begin(ctx context.Context, first wire.Interrupter) {
	r.mu.Lock()
	r.first = first
	won := r.won
	if !r.begun && !r.done {
		r.begun = true
		ctx, r.cancel = context.WithCancel(ctx)
		r.ended.Add(1)
		go r.run(ctx)
	}
	r.mu.Unlock()
	if won {
		first.Interrupt()
	}
}

func (r *race) run(ctx context.Context) {
	defer r.ended.Done()
	defer r.cancel()
	r.beside = &answer{Result: Result{Err: newError(PhaseJudge, ReasonInternal, "", errGoexit)}}
	b := r.second(ctx)
	r.beside = b
	r.mu.Lock()
	r.won = b.up()
	first := r.first
	r.mu.Unlock()
	if b.up() {
		first.Interrupt()
	}
}

// close keeps the second from beginning and reports whether it has begun.
func (r *race) close() (begun bool) {
	r.disarm()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done = true
	return r.begun
}

// end ends the second. It must be called in any case, also if the first panics.
func (r *race) end() {
	if r.close() {
		r.cancel()
	}
}

// settle takes the first's answer and returns the one that counts: the first
// to be Online and not to call for the other or, without such an answer, what
// choose chooses. The second is waited for if it is under way, and otherwise
// begins under ctx if it is called for.
func (r *race) settle(ctx context.Context, a *answer, calls bool, choose func(first, second *answer) *answer) *answer {
	begun := r.close()
	var b *answer
	switch {
	case a.Err == nil && !calls:
		if begun {
			r.cancel()
			r.ended.Wait()
		}
		return a
	case begun:
		r.ended.Wait()
		b = r.beside
	case calls:
		b = r.second(ctx)
	default:
		return a
	}
	if b.up() {
		return b
	}
	return choose(a, b)
}

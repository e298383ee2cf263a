package checker

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"example.com/checker/internal/dial"
)

// race asks in two ways. The first runs at once, on the caller's goroutine. The
// second begins beside it when the delay has passed that the first has armed,
// or after it, if the first calls for it; most races therefore start no
// goroutine. The first answer to be Online and not to call for the other wins,
// and the other is canceled and waited for. Without such an answer, choose
// chooses.
func race(ctx context.Context, first func(_ context.Context, arm func(time.Duration)) answer,
	second func(context.Context) answer, calls func(answer) bool, choose func(first, second answer) answer,
) answer {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var timer *time.Timer
	beside := make(chan answer, 1)
	arm := func(d time.Duration) {
		timer = time.AfterFunc(d, func() {
			b := answer{Result: Result{Err: &Error{Phase: PhaseJudge, Reason: ReasonInternal, Err: errGoexit}}}
			defer func() { beside <- b }()
			if b = second(ctx); b.Online() {
				cancel()
			}
		})
	}
	a := first(ctx, arm)
	running := timer != nil && !timer.Stop()
	switch {
	case a.Err == nil && !calls(a):
		if running {
			cancel()
			<-beside
		}
		return a
	case running:
		if b := <-beside; !b.Online() {
			return choose(a, b)
		} else {
			return b
		}
	case calls(a):
		if b := second(ctx); !b.Online() {
			return choose(a, b)
		} else {
			return b
		}
	}
	return a
}

// errGoexit stands for a hook that ended its goroutine.
var errGoexit = &dial.PanicError{Value: "a hook called runtime.Goexit"}

// phases has the phases in their order.
var phases = []Phase{
	PhaseTarget, PhaseWait, PhaseDNS, PhaseConnect, PhaseTLS, PhaseRequest, PhaseResponse, PhaseJudge,
}

// furthest returns the failed answer that explains the failure: one that leaves
// open what the site would have said, if there is one, and otherwise the one
// that got furthest.
func furthest(a, b answer) answer {
	rank := func(a answer) int {
		e, _ := errors.AsType[*Error](a.Err)
		switch {
		case e == nil:
			return -1
		case e.Reason == ReasonLocal, e.Reason == ReasonCanceled, e.Reason == ReasonInternal:
			return len(phases)
		}
		return slices.Index(phases, e.Phase)
	}
	if cmp.Compare(rank(b), rank(a)) > 0 {
		return b
	}
	return a
}

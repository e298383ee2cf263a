// Package hook calls a caller's code safely: a panic in it becomes an error of
// the check that called it, on whichever goroutine that was.
package hook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// A PanicError is what a caller's hook panicked with.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// An Error is what a caller's hook returned and that speaks of this side, not of
// the site.
type Error struct{ Err error }

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the hook's error.
func (e *Error) Unwrap() error { return e.Err }

// Exited returns the error of a hook that ended its goroutine by
// runtime.Goexit. It is set before the hook is called, since nothing but
// deferred functions runs afterwards.
func Exited(who string) error { return &PanicError{Value: who + " called runtime.Goexit"} }

// Recovered sets *err to a [PanicError] if the function that deferred it is
// panicking. Hooks run under it one by one, not under one handler around the
// whole check, since some of them run on goroutines of their own, where a
// panic could not be recovered by anybody else.
func Recovered(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{Value: v, Stack: debug.Stack()}
	}
}

// lastWord is how long what has been called may take to say why it ends when ctx does,
// which may say more than that.
const lastWord = 10 * time.Millisecond

// Within calls f, which may take as long as it likes, or end its goroutine, and waits
// for it until a moment after ctx has ended; the error is then the cause of that. What f
// returns without an error once nobody waits any more goes to late. who names f.
//
// It costs a goroutine, so it is for what is called while nothing else of a check could
// end it: the rest, such as a judge, is called where it stands and waited for.
func Within[T any](ctx context.Context, who string, f func() (T, error), late func(T)) (value T, err error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	var decided atomic.Bool // by who comes first: f has returned, or nobody waits
	go func() {
		r := result{err: Exited(who)}
		defer func() {
			if decided.CompareAndSwap(false, true) {
				done <- r
			} else if r.err == nil {
				late(r.value)
			}
		}()
		defer Recovered(&r.err)
		r.value, r.err = f()
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	timer := time.NewTimer(lastWord)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-timer.C:
	}
	if decided.CompareAndSwap(false, true) {
		return value, Checked(context.Cause(ctx))
	}
	r := <-done
	return r.value, r.err
}

// Checked returns err, or a [PanicError] if err panics when it is asked what it
// is, as a nil pointer in an error that is not nil may.
func Checked(err error) (checked error) {
	defer Recovered(&checked)
	if t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok {
		t.Timeout()
	}
	errors.Is(err, errUnlike)
	return err
}

// errUnlike is no error that anybody has, so that errors.Is follows every Unwrap.
var errUnlike = errors.New("unlike any other")

// Close closes what nobody wants any more. It may be a caller's and panic, which is the
// only error; often nobody is left to hear of it.
func Close(c io.Closer) (panicked error) {
	defer Recovered(&panicked)
	_ = c.Close()
	return nil
}

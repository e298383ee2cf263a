// Package hook calls a caller's code safely: a panic in it becomes an error of
// the check that called it, on whichever goroutine that was.
package hook

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
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

// Close closes what nobody wants any more. It may be a caller's and panic, where
// nobody would be left to hear of it.
func Close(c io.Closer) {
	var err error
	defer Recovered(&err)
	_ = c.Close()
}

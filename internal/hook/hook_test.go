package hook

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestRecovered(t *testing.T) {
	call := func(f func() error) (err error) {
		defer Recovered(&err)
		return f()
	}
	err := call(func() error { panic("at the site") })
	p, ok := errors.AsType[*PanicError](err)
	if !ok || p.Value != "at the site" || !strings.Contains(string(p.Stack), "TestRecovered") {
		t.Errorf("a panic gave %v; want its value and stack", err)
	}
	want := errors.New("no")
	if err := call(func() error { return want }); err != want {
		t.Errorf("an error gave %v; want %v", err, want)
	}
}

func TestErrorWraps(t *testing.T) {
	inner := errors.New("no key")
	if err := error(&Error{inner}); !errors.Is(err, inner) || err.Error() != "no key" {
		t.Errorf("Error{%v} = %v; want it to wrap that and say the same", inner, err)
	}
	if got, want := Exited("the judge").Error(), "panic: the judge called runtime.Goexit"; got != want {
		t.Errorf("Exited = %q; want %q", got, want)
	}
}

// A hook that is not waited for beyond the end of a context may do what it likes, and
// what it returns in the end is not lost.
func TestWithin(t *testing.T) {
	stop := errors.New("stop")
	for _, tt := range []struct {
		name  string
		do    func(end <-chan struct{})
		want  error // of Within; nil for its value
		late  bool
		panic string // in place of want
	}{
		{"returns", func(<-chan struct{}) {}, nil, false, ""},
		{"panics", func(<-chan struct{}) { panic("no") }, nil, false, "panic: no"},
		{"exits", func(<-chan struct{}) { runtime.Goexit() }, nil, false, "panic: it called runtime.Goexit"},
		{"blocks", func(end <-chan struct{}) { <-end }, stop, true, ""},
		{"blocks and panics", func(end <-chan struct{}) { <-end; panic("no") }, stop, false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(stop) })
				end := make(chan struct{})
				var late atomic.Int64
				time.AfterFunc(time.Minute, func() { close(end) })
				got, err := Within(ctx, "it", func() (int, error) { tt.do(end); return 1, nil }, func(n int) { late.Add(int64(n)) })
				switch {
				case tt.panic != "":
					if err == nil || err.Error() != tt.panic {
						t.Errorf("Within() = %v; want %q", err, tt.panic)
					}
				case err != tt.want || tt.want == nil && got != 1:
					t.Errorf("Within() = %d, %v; want %v", got, err, tt.want)
				}
				time.Sleep(time.Hour)
				synctest.Wait() // for what came late, which nobody else waits for
				if late.Load() > 0 != tt.late {
					t.Errorf("%d came late; want %t", late.Load(), tt.late)
				}
			})
		})
	}
}

type closer struct{ closed int }

func (c *closer) Close() error {
	c.closed++
	panic("in Close")
}

func TestCloseOutlivesPanics(t *testing.T) {
	c := new(closer)
	err := Close(c)
	if _, ok := errors.AsType[*PanicError](err); !ok || c.closed != 1 {
		t.Errorf("Close() = %v, closed %d times; want a PanicError, 1", err, c.closed)
	}
}

// broken is an error whose methods want a pointer that is not nil.
type broken struct{ text string }

func (b *broken) Error() string { return b.text }
func (b *broken) Unwrap() error { return errors.New(b.text) }
func (b *broken) Timeout() bool { return b.text == "" }

// mute has nothing to ask but its text, which is not asked for.
type mute struct{}

func (mute) Error() string { panic("no words") }

func TestChecked(t *testing.T) {
	if err := Checked(nil); err != nil {
		t.Errorf("Checked(nil) = %v; want nil", err)
	}
	for _, err := range []error{errors.New("a"), &broken{"b"}, mute{}} {
		if got := Checked(err); got != err {
			t.Errorf("Checked(%T) = %T; want the same", err, got)
		}
	}
	for _, err := range []error{(*broken)(nil), fmt.Errorf("so: %w", &wrapping{(*broken)(nil)})} {
		got := Checked(err)
		if p, ok := errors.AsType[*PanicError](got); !ok || len(p.Stack) == 0 {
			t.Errorf("Checked of a nil pointer = %T; want a PanicError", got)
		}
	}
}

// wrapping wraps an error without asking it for its text.
type wrapping struct{ error }

func (o *wrapping) Error() string { return "outer" }
func (o *wrapping) Unwrap() error { return o.error }

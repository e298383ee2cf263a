package hook

import (
	"errors"
	"fmt"
	"strings"
	"testing"
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

type closer struct{ closed int }

func (c *closer) Close() error {
	c.closed++
	panic("in Close")
}

func TestCloseOutlivesPanics(t *testing.T) {
	c := new(closer)
	Close(c)
	if c.closed != 1 {
		t.Errorf("closed %d times; want 1", c.closed)
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
	for _, err := range []error{(*broken)(nil), fmt.Errorf("so: %w", &outer{(*broken)(nil)})} {
		got := Checked(err)
		if p, ok := errors.AsType[*PanicError](got); !ok || len(p.Stack) == 0 {
			t.Errorf("Checked of a nil pointer = %T; want a PanicError", got)
		}
	}
}

// outer wraps an error without asking it for its text.
type outer struct{ error }

func (o *outer) Error() string { return "outer" }
func (o *outer) Unwrap() error { return o.error }

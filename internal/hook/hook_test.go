package hook

import (
	"errors"
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

package cli

import (
	"bytes"
	"flag"
	"slices"
	"strings"
	"testing"
)

func TestFields(t *testing.T) {
	for text, want := range map[string]Field{
		"Accept: text/html": {"Accept", "text/html"},
		"A:b":               {"A", "b"},
		"A: b: c ":          {"A", "b: c"},
		"A:":                {"A", ""},
		"A":                 {}, "": {}, ": b": {},
	} {
		var got Fields
		err := got.Set(text)
		if (err != nil) != (want == Field{}) || err == nil && !slices.Equal(got, Fields{want}) {
			t.Errorf("Set(%q) makes %q, %v; want %q", text, got, err, want)
		}
	}
}

// As a flag they add up, and show no values.
func TestFieldsFlag(t *testing.T) {
	var said bytes.Buffer
	var got Fields
	flags := flag.NewFlagSet("x", flag.ContinueOnError)
	flags.SetOutput(&said)
	flags.Var(&got, "header", "send this `field`")
	if err := flags.Parse([]string{"-header", "A: secret", "-header", "B: 2"}); err != nil || got.String() != "A, B" {
		t.Errorf("the flags make %q, %v; want A and B", got.String(), err)
	}
	if err := flags.Parse([]string{"-header", "nonsense"}); err == nil || strings.Contains(said.String(), "secret") {
		t.Errorf("-header nonsense: %v, with the words\n%s; want an error without the value of A", err, &said)
	}
}

package cli

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/checker"
)

func TestStatusRange(t *testing.T) {
	for text, want := range map[string]StatusRange{
		"200-299": {200, 299},
		"204":     {204, 204},
		"200-999": {200, 999},
		"":        {}, "x": {}, "200-": {}, "-200": {}, "299-200": {}, "99-200": {}, "199": {}, "200-1000": {}, "200-299-300": {}, " 200": {},
	} {
		var got StatusRange
		if err := got.UnmarshalText([]byte(text)); (err != nil) != (want == StatusRange{}) || got != want {
			t.Errorf("UnmarshalText(%q) makes %v, %v; want %v", text, got, err, want)
		}
		if back, err := want.MarshalText(); want.Min > 0 && (string(back) != text || err != nil) {
			t.Errorf("%v is written as %q, %v; want %q", want, back, err, text)
		}
	}
}

// As a flag it shows its default and says what is wrong.
func TestStatusRangeFlag(t *testing.T) {
	var said bytes.Buffer
	var got StatusRange
	flags := flag.NewFlagSet("x", flag.ContinueOnError)
	flags.SetOutput(&said)
	flags.TextVar(&got, "status", StatusRange{200, 299}, "the `codes` of a success")
	if err := flags.Parse(nil); err != nil || got != (StatusRange{200, 299}) {
		t.Errorf("without the flag: %v, %v; want the default", got, err)
	}
	if err := flags.Parse([]string{"-status", "404"}); err != nil || got != (StatusRange{404, 404}) {
		t.Errorf("-status 404: %v, %v", got, err)
	}
	if err := flags.Parse([]string{"-status", "ok"}); err == nil || got != (StatusRange{404, 404}) {
		t.Errorf("-status ok: %v, %v; want an error and no change", got, err)
	}
	for _, want := range []string{
		`invalid value "ok" for flag -status: want two codes from 200 to 999, such as 200-299, or one`,
		"-status codes\n", "the codes of a success (default 200-299)\n",
	} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("the flags say\n%s; want %s", &said, want)
		}
	}
}

// Signs make no code, and the zero value is nothing to write.
func TestStatusRangeEdges(t *testing.T) {
	for _, text := range []string{"+200", "200-+299", "0200", "-200", "100-299", "299-200", ""} {
		r := StatusRange{201, 202}
		if err := r.UnmarshalText([]byte(text)); err == nil || r != (StatusRange{201, 202}) {
			t.Errorf("UnmarshalText(%q) = %v, and the range is %v; want an error and the old one", text, err, r)
		}
	}
	if text, err := (StatusRange{}).MarshalText(); len(text) > 0 || err != nil {
		t.Errorf("the zero range is written as %q, %v; want nothing", text, err)
	}
}

func TestChecks(t *testing.T) {
	c := Checks{Redirects: 10, Status: StatusRange{200, 299}}
	flags := flag.NewFlagSet("x", flag.ContinueOnError)
	c.Define(flags, "method")
	if flags.Lookup("method") != nil {
		t.Error("-method is known; want it left out")
	}
	if want := (Checks{StatusRange{200, 299}, 10, nil, 10 * time.Second, nil, "HEAD", 100}); !reflect.DeepEqual(c, want) {
		t.Errorf("defaults %v; want %v", c, want)
	}
	args := []string{"-status", "200-399", "-redirects", "3", "-canary", "a", "-canary", "b", "-timeout", "2s", "-header", "A: b:c", "-header", "D:", "-c", "7"}
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	want := Checks{StatusRange{200, 399}, 3, []string{"a", "b"}, 2 * time.Second, Fields{{"A", "b:c"}, {"D", ""}}, "HEAD", 7}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("flags make %v; want %v", c, want)
	}
	if _, err := checker.New(c.Options()...); err != nil {
		t.Errorf("Options: %v", err)
	}

	// A child that is given Args checks alike.
	var child Checks
	flags = flag.NewFlagSet("x", flag.ContinueOnError)
	child.Define(flags)
	if err := flags.Parse(c.Args()); err != nil || !reflect.DeepEqual(child, want) {
		t.Errorf("Args make %v, %v; want %v", child, err, want)
	}
}

func TestChecksRefused(t *testing.T) {
	for _, args := range []string{"-header A", "-header :b", "-status ok", "-timeout 10", "-c x", "-redirects x"} {
		var c Checks
		flags := flag.NewFlagSet("x", flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		c.Define(flags)
		if err := flags.Parse(strings.Fields(args)); err == nil {
			t.Errorf("%s is accepted: %v", args, c)
		}
	}
	for _, c := range []Checks{
		{Redirects: -1}, {Timeout: -1}, {Method: "PUT"}, {Concurrency: -1}, {Canaries: []string{"ftp://x"}}, {Headers: Fields{{"Connection", "x"}}},
	} {
		c.Define(flag.NewFlagSet("x", flag.ContinueOnError))
		if _, err := checker.New(c.Options()...); !errors.Is(err, checker.ErrInvalidOption) {
			t.Errorf("Options of %v: %v; want %v", c, err, checker.ErrInvalidOption)
		}
	}
}

// What the flags ask for reaches the site.
func TestChecksReach(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			http.Redirect(w, r, "/end", http.StatusFound)
		case "/end":
			if r.Method != http.MethodGet || r.Header.Get("X-Key") != "v" {
				w.WriteHeader(http.StatusTeapot)
			}
		}
	}))
	defer site.Close()
	c := Checks{Status: StatusRange{200, 200}, Redirects: 1, Method: "get", Headers: Fields{{"X-Key", "v"}}}
	c.Define(flag.NewFlagSet("x", flag.ContinueOnError))
	checks, err := checker.New(c.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	if r := checks.Check(t.Context(), site.URL); !r.Online() || len(r.Hops) != 1 {
		t.Errorf("Check(%q) = %v after %v; want it online after a redirect", site.URL, r, r.Hops)
	}
}

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

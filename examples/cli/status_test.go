package cli

import (
	"bytes"
	"flag"
	"strings"
	"testing"
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

//go:build linux

package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"example.com/checker/internal/target"
)

// Node's URL is an implementation of WHATWG URL that others test against the
// standard. The tests here ask both it and the library about the same random
// texts, always the same ones: where both read a URL it is the same URL, and where
// the library refuses one that Node reads, a rule of the documentation says so.

const (
	randomTargets   = 100_000
	randomLocations = 50_000
)

// nodeScript reads pairs of a text and a base, which may be empty, and writes what
// each is, without userinfo and fragment, or null.
const nodeScript = `
const all = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(all.map(([text, base]) => {
	try {
		const u = base ? new URL(text, base) : new URL(text);
		u.username = u.password = u.hash = "";
		return u.href;
	} catch { return null; }
})));`

// node returns what Node makes of texts, each with the base in the same place of
// bases; "" stands for an error.
func node(t *testing.T, texts, bases []string) []string {
	t.Helper()
	program := daemon{name: "node", pkg: "nodejs"}.path(t)
	pairs := make([][2]string, len(texts))
	for i, s := range texts {
		pairs[i] = [2]string{escaped(s), bases[i]}
	}
	in, err := json.Marshal(pairs)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-e", nodeScript)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	var urls []string
	if err := json.Unmarshal(out, &urls); err != nil || len(urls) != len(texts) {
		t.Fatalf("node read %d of %d texts: %v", len(urls), len(texts), err)
	}
	return urls
}

// escaped returns s for Node, which reads text alone: bytes that are none are
// percent-encoded before, as Chromium does with those of a Location.
func escaped(s string) string {
	var b strings.Builder
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd") {
			fmt.Fprintf(&b, "%%%X", s[i])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// A sample is a random text as both read it.
type sample struct {
	randomText
	ours *url.URL // nil if it is refused
	err  error    // why
	node string   // "" if it is refused
}

// judge counts how samples compare, and fails for those that differ.
func judge(t *testing.T, samples []sample) map[string]int {
	t.Helper()
	counts := make(map[string]int)
	failures := 0
	for _, s := range samples {
		class, ok := compare(s)
		counts[class]++
		if !ok {
			if failures++; failures <= 20 {
				t.Errorf("%s: %+q from %q = %v, %v; want %q, as Node has it", class, s.text, s.base, s.ours, s.err, s.node)
			}
		}
	}
	for _, class := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%6d %s", counts[class], class)
	}
	// Or it would have compared next to nothing.
	if same := counts["the same URL"]; same < len(samples)/3 {
		t.Errorf("%d of %d texts are read alike; want a third at least", same, len(samples))
	}
	return counts
}

// compare says how the two readings of a text compare, and whether that is right.
func compare(s sample) (class string, ok bool) {
	switch {
	case s.ours != nil && sameURL(s.ours.String(), s.node):
		return "the same URL", true
	case s.ours != nil && dotSegment.MatchString(s.node):
		return "Node leaves a dot segment, which no URL has", true
	case s.ours != nil && s.node == "":
		return "accepted, which Node refuses", false
	case s.ours != nil:
		return "another URL", false
	case s.node == "":
		return "refused by both", true
	}
	for _, r := range refusals {
		if r.holds(s) {
			return "refused: " + r.name, true
		}
	}
	return "refused without a rule", false
}

// dotSegment finds what the standard removes from every path. Node before 24 leaves
// them behind a segment that begins with a dot.
var dotSegment = regexp.MustCompile(`^[^?]*/\.\.?([/?]|$)`)

// sameURL compares URLs but for a circumflex in a path, which the standard has had
// percent-encoded since 2024, and not all releases of Node do.
func sameURL(a, b string) bool {
	path := func(s string) string {
		p, query, _ := strings.Cut(s, "?")
		return strings.ReplaceAll(p, "^", "%5E") + "?" + query
	}
	return a == b || path(a) == path(b)
}

// aLabel finds what makes Node decode a label. In a name that is all ASCII the
// library does not, as Chromium does not: it is compared as another label.
var aLabel = regexp.MustCompile("(?i)xn--")

func opaqueLabels(s string) string { return aLabel.ReplaceAllString(s, "xn-0") }

// Q5, Q5a: targets.
func TestTargetsAsNode(t *testing.T) {
	counts := compareAll(t, randomTargets, newTarget, func(s *sample) (string, error) {
		got, err := target.Parse(s.text)
		if err == nil {
			s.ours = got.URLs[0]
		}
		// What is tried without a scheme is read as if http were it.
		read := strings.TrimPrefix(s.text, "\ufeff")
		if s.scheme == "" {
			read = "http://" + strings.TrimLeft(read, " \t\r\n")
		}
		return read, err
	})
	for _, r := range refusals {
		if counts["refused: "+r.name] == 0 {
			t.Errorf("no text was refused for this alone: %s", r.name)
		}
	}
}

// Q4, Q5b: where redirects lead.
func TestLocationsAsNode(t *testing.T) {
	compareAll(t, randomLocations, newLocation, func(s *sample) (string, error) {
		base, err := target.Parse(s.base)
		if err != nil {
			t.Fatal(err)
		}
		s.ours, err = target.Resolve(base.URLs[0], s.text)
		return s.text, err
	})
}

// compareAll compares n texts as the library and Node read them. read does the
// former, and returns what Node is asked about.
func compareAll(t *testing.T, n int, text func(*rand.Rand) randomText, read func(*sample) (string, error)) map[string]int {
	t.Helper()
	rnd := rand.New(rand.NewPCG(5, 1))
	var samples []sample
	var texts, bases []string
	for range n {
		s := sample{randomText: text(rnd)}
		var text string
		text, s.err = read(&s)
		if s.ours != nil && s.ascii() && aLabel.MatchString(s.text) && aLabel.MatchString(s.ours.Host) {
			text = opaqueLabels(text)
			s.ours.Host, s.ours.Opaque = opaqueLabels(s.ours.Host), opaqueLabels(s.ours.Opaque)
		}
		samples, texts, bases = append(samples, s), append(texts, text), append(bases, s.base)
	}
	for i, u := range node(t, texts, bases) {
		samples[i].node = u
	}
	return judge(t, samples)
}

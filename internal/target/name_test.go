package target

import (
	"fmt"
	"hash/fnv"
	"strings"
	"testing"
	"unicode"
)

// Q5a, A10, A12: hosts that are read, each as WHATWG URL reads it.
func TestNames(t *testing.T) {
	for in, want := range map[string]string{
		"bücher.test":            "xn--bcher-kva.test",
		"BU\u0308CHER.test.":     "xn--bcher-kva.test.",
		"ＢÜcher。test":            "xn--bcher-kva.test",
		"bücher．test｡":           "xn--bcher-kva.test.",
		"ß.test":                 "xn--zca.test",
		"βόλος.test":             "xn--nxasmm1c.test",
		"ＥＸＡＭＰＬＥ.test":           "example.test",
		"ex\u00adample.test":     "example.test",
		"fö_o.test":              "xn--f_o-sna.test",
		"-ü-.test":               "xn-----xka.test",
		"💩.test":                 "xn--ls8h.test",
		"مثال.test":              "xn--mgbh0fb.test",
		"xn--bcher-kva.bücher.x": "xn--bcher-kva.xn--bcher-kva.x",
		"क्\u200dष.test":         "xn--11b2ezcw70k.test",
		// As long as a name can be before the mapping.
		strings.Repeat(strings.Repeat("𝐚", 63)+"。", 3) + strings.Repeat("𝐚", 61) + "。": strings.Repeat(strings.Repeat("a", 63)+".", 3) + strings.Repeat("a", 61) + ".",
		// What is all ASCII is asked as it is.
		"XN--bcher-kva.test":              "xn--bcher-kva.test",
		"xn--a.test":                      "xn--a.test",
		"xn--abc-.test":                   "xn--abc-.test",
		"xn--zn7c.test":                   "xn--zn7c.test",
		"xn---.test":                      "xn---.test",
		"-a-.test":                        "-a-.test",
		"r3---sn-x.test":                  "r3---sn-x.test",
		"_dmarc.foo_bar.test":             "_dmarc.foo_bar.test",
		strings.Repeat("a", 63) + ".test": strings.Repeat("a", 63) + ".test",
		strings.Repeat("a.", 126) + "a":   strings.Repeat("a.", 126) + "a",
	} {
		got, err := parseName(in)
		if err != nil || got != want {
			t.Errorf("parseName(%+q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

// Q5a: hosts that are refused, since programs differ about which they are, or
// since none is.
func TestNamesRefused(t *testing.T) {
	for _, in := range []string{
		"straẞe.test", "xn--pİx.test", "localhost.xn--", "example.xn--", "xn--.test", "XN--", // as in Unicode 15, 16, or neither
		"bücher.xn--", "ｘn--.test", "bücher.xn--.", "localhost.ｘn--", "localhost.\u00ad", // which end as another name
		"xn--bücher.test", "ｘn--a.test", "xn--a.bücher.test", "bücher.xn--abc-", "xn--xn---epa.bücher.test",
		"Ӏ.test", "a\u1806b.test", "\U000323B0.test", "\U00010EC7.test", "a\U0001FAE9.test", "ᲊ.test", // newer than Unicode 15, or changed since
		"\u0301a.test", "a\u200db.test", "a\u200c.test", "א1a.test", "aא.test", "a\ufffdb.test", "a\xffb.test", "a\ue000.test", "\u2ff0.test", "\x80.test", "\u0080.test",
		"a／b.test", "a？b", "a＃b", "a＠b", "a：80", "a％41", "℀.test", "⒈.test", "a≠\u0338b!", "１.２", "0ｘ7f.１",
		strings.Repeat("a", 64) + ".test", strings.Repeat("ü", 60) + ".test", strings.Repeat("a.", 127) + "a", strings.Repeat("ü.", 60) + "a", strings.Repeat("\u00ad", 600) + "a",
		"ü..test", "。ü", "ü。。", "ü.onion", "ü.ＯＮＩＯＮ",
	} {
		if got, err := parseName(in); err == nil {
			t.Errorf("parseName(%+q) = %q; want an error", in, got)
		}
	}
}

// Q5a: on every release of Go the tables of package idna say the same of the names
// that are read. When this fails on a new release, its tables differ in characters
// of stable.go: run gen.go with that release as a further argument, and see which.
func TestNamesAlikeOnEveryRelease(t *testing.T) {
	const want = 0x8d82a598bae70afe
	h := fnv.New64a()
	add := func(r rune) {
		for _, around := range []string{"a%cb", "א%cב", "א.%c", "%cא1", "ب\u200c%c", "क%c\u200d"} {
			name, err := parseName(fmt.Sprintf(around, r))
			fmt.Fprint(h, r, name, err == nil)
		}
	}
	addAll := func(lo, hi, step rune) {
		step = max(step, (hi-lo)/200) // all alike, where there are many
		for r := lo; r <= hi; r += step {
			add(r)
		}
	}
	for _, r := range stable.R16 {
		addAll(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range stable.R32 {
		addAll(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	if got := h.Sum64(); got != want {
		t.Errorf("with the tables of Unicode %s the names have the hash %#x; want %#x", unicode.Version, got, uint64(want))
	}
}

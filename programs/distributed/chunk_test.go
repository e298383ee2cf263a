package main

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"example.com/checker/internal/target"
)

// testRun is a run's id.
const testRun = "20260131T020000Z-0123456789ab"

// chunksOf returns the chunks of a list, and the chunk of each line.
func chunksOf(t *testing.T, size int, lines ...string) (all []chunk, of []string) {
	t.Helper()
	l, err := source{File: writeList(t, lines...), Chunk: size, Partitions: 64}.open()
	if err != nil {
		t.Fatal(err)
	}
	if l.lines != len(lines) {
		t.Fatalf("the list has %d lines; want %d", l.lines, len(lines))
	}
	l.run = testRun[:runWidth-listWidth] + l.id
	err = l.walk(
		func(_ line, id string) error { of = append(of, id); return nil },
		func(c chunk) error { all = append(all, c); return nil },
	)
	if err != nil {
		t.Fatal(err)
	}
	return all, of
}

func randomList(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	lines := make([]string, n)
	for i := range lines {
		// Few sites have many pages, and many few.
		lines[i] = fmt.Sprintf("https://www%d.site-%d.co.uk/%d", r.IntN(3), int(r.ExpFloat64()*50), i)
	}
	return lines
}

func TestChunks(t *testing.T) {
	lines := randomList(20_000)
	all, of := chunksOf(t, 500, lines...)
	seen := make([]bool, len(lines))
	for _, c := range all {
		_, p, _, ok := splitID(c.id)
		if !ok || len(c.lines) == 0 || len(c.lines) > 500 {
			t.Fatalf("chunk %q has %d lines", c.id, len(c.lines))
		}
		sites := make(map[string]int)
		for i, l := range c.lines {
			if seen[l.index] || l.target != lines[l.index] || of[l.index] != c.id {
				t.Fatalf("line %d is twice, changed, or in %s and not %s", l.index, c.id, of[l.index])
			}
			if i > 0 && l.index < c.lines[i-1].index {
				t.Fatalf("chunk %s: line %d after %d", c.id, l.index, c.lines[i-1].index)
			}
			seen[l.index] = true
			s := site(l.target)
			if sites[s]++; sites[s] > perSite || partition(s, 64) != p {
				t.Fatalf("chunk %s: %d lines of %s, which is of partition %d", c.id, sites[s], s, partition(s, 64))
			}
		}
	}
	if i := slices.Index(seen, false); i >= 0 {
		t.Errorf("line %d is in no chunk", i)
	}
	again, _ := chunksOf(t, 500, lines...)
	if !reflect.DeepEqual(all, again) {
		t.Error("the same list made other chunks")
	}
	if other, _ := chunksOf(t, 499, lines...); listOf(other[0].id[:runWidth]) == listOf(all[0].id[:runWidth]) {
		t.Error("the same list in other chunks has the same id")
	}
}

// What is open at once is bounded, also for a list of one site.
func TestChunkerBound(t *testing.T) {
	most := 0
	k := newChunker(list{run: testRun, size: 500, parts: 64}, func(chunk) {})
	for i := range 10_000 {
		k.add(line{i, fmt.Sprintf("http://one.example/%d", i)})
		most = max(most, len(k.open[partition("one.example", 64)]))
	}
	if most != maxOpen {
		t.Errorf("%d chunks were open at once; want %d", most, maxOpen)
	}
}

func TestChunkEncoding(t *testing.T) {
	c := chunk{testRun + "-0007-0000002alr", []line{{3, "a\tb"}, {70, ""}, {71, "\xff\x00\"é"}, {1 << 40, "x"}}}
	got, err := decodeChunk(c.id, c.encode())
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("decoded %v, %v; want %v", got, err, c)
	}
	for _, bad := range []string{"", "x\ty\n", "12\n", "\n"} {
		if _, err := decodeChunk(c.id, []byte(bad)); err == nil {
			t.Errorf("decodeChunk(%q) = nil; want an error", bad)
		}
	}
}

func TestChunkIDs(t *testing.T) {
	id := newID(testRun, 7, 42)
	c := chunk{id, make([]line, 5)}
	l, r := c.halves()
	if len(l.lines) != 3 || len(r.lines) != 2 || !related(l.id, id) || !related(id, r.id) || related(l.id, r.id) {
		t.Errorf("halves of %s: %s with %d lines, %s with %d", id, l.id, len(l.lines), r.id, len(r.lines))
	}
	for id, want := range map[string]bool{
		id: true, l.id: true, r.id + "lrl": true,
		"": false, id[1:]: false, id + "x": false, testRun + "-00070-000002a": false, testRun + "-007-00000002a": false,
		testRun + "-0007-0000002A": false,
	} {
		if run, p, n, ok := splitID(id); ok != want || ok && (run != testRun || p != 7 || n != 42) {
			t.Errorf("splitID(%q) = %q, %d, %d, %v; want %v", id, run, p, n, ok, want)
		}
	}
}

// The index of a line is its number, whatever is skipped before it, and a list
// that has a line that cannot be held is not taken for a shorter one.
func TestListLines(t *testing.T) {
	l, err := source{File: writeList(t, "\ufeffa\r", "", "# b", " c \r", "\x01 a name"), Chunk: 2, Partitions: 64}.open()
	if err != nil || l.lines != 3 {
		t.Fatalf("open = %v with %d lines; want 3", err, l.lines)
	}
	var got []line
	if err := l.walk(func(ln line, _ string) error { got = append(got, ln); return nil }, nil); err != nil {
		t.Fatal(err)
	}
	if want := []line{{0, "a"}, {3, "c"}, {4, "\x01"}}; !slices.Equal(got, want) {
		t.Errorf("the lines are %v; want %v", got, want)
	}
	for _, test := range []struct{ text, want string }{
		{"", "there are no sites in it"},
		{"\xff\xfea\x00", "but in UTF-16"},
		{"a\n" + strings.Repeat("x", 1<<17), "line 2 is longer than 65536 bytes"},
	} {
		if _, err := (source{File: writeList(t, test.text), Chunk: 2, Partitions: 64}).open(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("open of %.10q = %v; want %s", test.text, err, test.want)
		}
	}
}

func TestSite(t *testing.T) {
	for target, want := range map[string]string{
		"http://www.example.co.uk/x":         "example.co.uk",
		"EXAMPLE.co.uk:8080":                 "example.co.uk",
		"https://u:p@a.b.example.org./?a=@x": "example.org",
		" bücher.example ":                   "xn--bcher-kva.example",
		"http://127.0.0.1:80/a":              "127.0.0.1",
		"http://[::1]:80/":                   "::1",
		"http://[::ffff:1.2.3.4]/":           "1.2.3.4",
		"localhost:8080/http://other.org":    "localhost",
		"a.github.io":                        "a.github.io",
		"":                                   "",
		"ftp://www.example.org/":             "ftp://www.example.org/",
	} {
		if got := site(target); got != want {
			t.Errorf("site(%q) = %q; want %q", target, got, want)
		}
	}
}

// FuzzSite looks for two spellings of one host that are two sites: the load of
// two workers would fall upon it.
func FuzzSite(f *testing.F) {
	for _, s := range []string{
		"http://a.example/x", "A.EXAMPLE.:80", "x@[::1]:1/", "http:/\\a", "http://a/?://b/", "a.b://c", "ａ.example",
		"http://\ufeffa.example", "//a", "a%41.example", "xn--bcher-kva.example", "BÜCHER.example.", "faß.de", "a。example",
		"http://u:p@h@a.example", "http://r3---sn-x.example", "a_b.example",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parsed, err := target.Parse(s)
		if err != nil {
			return // nothing is sent to it
		}
		host, _ := target.Host(parsed.URLs[0])
		if got, want := site(s), site("http://"+bracketed(host)+"/"); got != want {
			t.Errorf("site(%q) = %q, but its host %s is of %q", s, got, host, want)
		}
	})
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// resultsOf returns results of a chunk as a worker would send them, with a note
// of who checked it.
func resultsOf(c chunk, by string) []byte {
	var b strings.Builder
	for _, l := range c.lines {
		fmt.Fprintf(&b, `{"index":%d,"status":"online","by":%q}`+"\n", l.index, by)
	}
	return []byte(b.String())
}

func put(t *testing.T, s store, c chunk, by string, want bool) {
	t.Helper()
	first, err := s.put(c.id, len(c.lines), resultsOf(c, by))
	if err != nil || first != want {
		t.Errorf("put(%s) = %v, %v; want %v", c.id, first, err, want)
	}
}

// filled returns a list of which all chunks but the first are in a store.
func filled(t *testing.T) (list, store, string, chunk) {
	t.Helper()
	src := source{File: writeList(t, randomList(300)...), Chunk: 20, Partitions: 64}
	l, err := src.open()
	if err != nil {
		t.Fatal(err)
	}
	l.run = newRun(l.id, "", time.Now())
	s := store{t.TempDir()}
	var rest chunk
	err = l.walk(nil, func(c chunk) error {
		if rest.id == "" && len(c.lines) > 3 {
			rest = c
			return nil
		}
		put(t, s, c, "worker", true)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return l, s, src.File, rest
}

func auditOf(t *testing.T, l list, s store) *tally {
	t.Helper()
	sum := newTally()
	if err := merge(t.Context(), l, s, sum, &strings.Builder{}); err != nil {
		t.Fatal(err)
	}
	return sum
}

// The first results win, of a chunk and of its halves.
func TestFirstWins(t *testing.T) {
	l, s, file, c := filled(t)
	a, b := c.halves()
	put(t, s, a, "first", true)
	put(t, s, c, "second", false)
	put(t, s, a, "second", false)
	put(t, s, b, "first", true)
	put(t, s, c, "third", false)
	if n, err := s.lines(l.run); n != l.lines || err != nil {
		t.Errorf("the store has %d lines, %v; want %d", n, err, l.lines)
	}
	out := mustRun(t, "audit", "-f", file, "-chunk", "20", "-o", s.dir)
	if !strings.Contains(out, "300 results, 0 missing, 0 too many") {
		t.Errorf("audit: %s", out)
	}
	checkMerged(t, s.dir, l.lines)
}

// checkMerged fails the test unless the merged file has the lines in order, and
// of those of the test's chunk the first results.
func checkMerged(t *testing.T, dir string, n int) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "results.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(got) != n {
		t.Fatalf("%d lines; want %d", len(got), n)
	}
	for i, text := range got {
		if !strings.HasPrefix(text, fmt.Sprintf(`{"index":%d,`, i)) || strings.Contains(text, "second") || strings.Contains(text, "third") {
			t.Errorf("line %d: %s", i, text)
		}
	}
}

func TestAuditFindsHoles(t *testing.T) {
	l, s, file, c := filled(t)
	out, err := command(t, "audit", "-f", file, "-chunk", "20", "-o", s.dir)
	if err == nil || !strings.Contains(out, fmt.Sprintf("%d missing", len(c.lines))) ||
		!strings.Contains(out, fmt.Sprintf("missing first: [%d", c.lines[0].index)) {
		t.Errorf("audit: %v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "results.jsonl")); err == nil {
		t.Error("there are merged results of a list with a hole")
	}
	_, b := c.halves()
	put(t, s, b, "worker", true)
	if got, want := auditOf(t, l, s).missing, (len(c.lines)+1)/2; got != want {
		t.Errorf("with one half there are %d missing; want %d", got, want)
	}
}

// damage ruins the file of a chunk, in one way or another.
var damage = map[string]func([]byte) []byte{
	"cut":       func(b []byte) []byte { return b[:len(b)-5] },
	"a line":    func(b []byte) []byte { return b[strings.IndexByte(string(b), '\n')+1:] },
	"twice":     func(b []byte) []byte { return append(b, b...) },
	"garbage":   func(b []byte) []byte { return []byte(strings.Replace(string(b), "{", "", 1)) },
	"other":     func(b []byte) []byte { return []byte(strings.Replace(string(b), `"index":`, `"index":9`, 1)) },
	"no status": func(b []byte) []byte { return []byte(strings.Replace(string(b), "status", "state", 1)) },
}

func TestAuditFindsDamage(t *testing.T) {
	for name, ruin := range damage {
		t.Run(name, func(t *testing.T) {
			l, s, _, c := filled(t)
			put(t, s, c, "worker", true)
			if sum := auditOf(t, l, s); !sum.whole() || sum.results != l.lines {
				t.Fatalf("before: %v", sum)
			}
			pieces, err := s.find(c.id)
			if err != nil || len(pieces) != 1 {
				t.Fatalf("find = %v, %v", pieces, err)
			}
			if err := os.WriteFile(pieces[0].path, ruin(resultsOf(c, "worker")), 0o644); err != nil {
				t.Fatal(err)
			}
			if sum := auditOf(t, l, s); sum.whole() {
				t.Errorf("after: %v; want the audit to fail", sum)
			}
			if err := s.setAside(c); err != nil {
				t.Fatal(err)
			}
			if got, err := s.missing(c); err != nil || len(got) != 1 || got[0].id != c.id {
				t.Errorf("to repair: %v, %v; want chunk %s", got, err, c.id)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	_, s, _, c := filled(t)
	l, r := c.halves()
	rl, rr := r.halves()
	check := func(want ...string) {
		t.Helper()
		got, err := s.missing(c)
		var ids []string
		for _, c := range got {
			ids = append(ids, c.id)
		}
		if err != nil || fmt.Sprint(ids) != fmt.Sprint(want) {
			t.Errorf("missing = %v, %v; want %v", ids, err, want)
		}
	}
	check(c.id)
	put(t, s, rl, "worker", true)
	check(l.id, rr.id)
	put(t, s, rr, "worker", true)
	check(l.id)
	put(t, s, l, "worker", true)
	check()
}

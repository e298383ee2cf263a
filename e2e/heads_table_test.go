//go:build linux

package e2e_test

import (
	"bytes"
	"flag"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/checker/internal/hostile"
)

var update = flag.Bool("update", false, "ask Chromium about the rows that it was not asked about, and write its table")

const (
	headsTable = "testdata/heads.txt"
	sampled    = 16 // one of so many rows is asked of Chromium each time
)

// An entry is what Chromium made of a row.
type entry struct {
	outcome  outcome
	netError string
}

// key names a row and its bytes.
func (r headRow) key() string {
	sum := fnv.New32a()
	io.WriteString(sum, r.raw)
	return fmt.Sprintf("%08x %s", sum.Sum32(), r.name)
}

// readTable returns the version of Chromium that the table is of, and its entries.
func readTable(t *testing.T) (version string, table map[string]entry) {
	t.Helper()
	text, err := os.ReadFile(headsTable)
	if err != nil && !*update {
		t.Fatal(err)
	}
	version, entries, _ := strings.Cut(string(text), "\n")
	table = make(map[string]entry)
	for line := range strings.Lines(entries) {
		key, what, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		outcomeText, netError, _ := strings.Cut(what, " ")
		table[key] = entry{outcome(outcomeText), netError}
	}
	return version, table
}

// TestHeadsTable asks Chromium about rows: about some, to see that the table is right,
// and with -update about those that this Chromium has not been asked about, to write it.
func TestHeadsTable(t *testing.T) {
	b := newBrowser(t)
	rows := headRows()
	site := hostile.Serve(t, "127.0.0.1:0", serveRows(rows))
	version, table := readTable(t)
	ask := make(map[int]entry)
	for i, r := range rows {
		if _, known := table[r.key()]; *update && (!known || version != b.version) || !*update && i%sampled == 0 {
			ask[i] = entry{}
		}
	}
	start := time.Now()
	askBrowser(b, site.URL(), ask)
	t.Logf("%s was asked about %d rows, for %v", b.version, len(ask), time.Since(start))
	for i, now := range ask {
		if now.outcome == stalled {
			t.Errorf("%s: %s stalls: the machine may be too busy", rows[i].name, b.version)
		} else if key := rows[i].key(); *update {
			table[key] = now
		} else if table[key] != now {
			t.Errorf("%s: %s finds %v; the table has %v: make it anew with -update", rows[i].name, b.version, now, table[key])
		}
	}
	if *update {
		writeTable(t, b.version, rows, table)
	}
}

// askBrowser fills in what became of rows. One that stalls is asked about again: a
// busy machine may be to blame.
func askBrowser(b *browser, site string, ask map[int]entry) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	all, next := slices.Sorted(maps.Keys(ask)), make(chan int)
	for range tabs {
		wg.Go(func() {
			for i := range next {
				e := entry{outcome: stalled}
				for try := 0; try < 3 && e.outcome == stalled; try++ {
					e.outcome, e.netError = b.load(fmt.Sprintf("%s/%d", site, i))
				}
				mu.Lock()
				ask[i] = e
				mu.Unlock()
			}
		})
	}
	for _, i := range all {
		next <- i
	}
	close(next)
	wg.Wait()
}

func writeTable(t *testing.T, version string, rows []headRow, table map[string]entry) {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintln(&b, version)
	for _, r := range rows {
		if e, ok := table[r.key()]; ok {
			fmt.Fprintf(&b, "%s\t%s\n", r.key(), strings.TrimSpace(string(e.outcome)+" "+e.netError))
		}
	}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(headsTable, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

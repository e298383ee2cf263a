package e2e_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// catalogue has how many faults of each kind are known. Tests name those that
// they provoke by the letter and a number.
var catalogue = []struct {
	kind   string
	what   string
	faults int
}{
	{"A", "the target", 19},
	{"B", "DNS", 26},
	{"C", "connecting", 15},
	{"D", "TLS", 22},
	{"E", "malformed responses", 25},
	{"F", "the meaning of responses", 13},
	{"G", "redirects", 15},
	{"H", "slow peers", 8},
	{"I", "sizes", 8},
	{"J", "this machine", 20},
	{"K", "the caller", 15},
	{"L", "attacks", 16},
	{"M", "load", 10},
}

// untested says of each fault that no test provokes why not.
var untested = map[string]string{
	"D6":  "a revoked certificate: neither OCSP nor CRLs are asked, as the README says, so there is nothing to see",
	"F13": "a page that says 404 in words: content is not judged, as the README says",
	"J13": "a wrong clock: not told from certificates that are out of date",
	"J15": "a machine too busy to see an answer in time: not told from a site that is slow",
	"J16": "a full connection-tracking table: it needs a kernel to itself, and looks like C2",
	"K11": "Close in the middle of a run: a Checker has none",
	"L14": "a million names of one address: limits are per host, and WithHostKey groups hosts, not addresses",
	"L15": "the program's own public address: a policy of the caller's, as SECURITY.md says",
}

// Every known fault is provoked by a test that names it, or it is listed here
// why none can.
func TestCatalogue(t *testing.T) {
	named := make(map[string]bool)
	name := regexp.MustCompile(`\b([A-M])(\d{1,2})\b(?:–[A-M]?(\d{1,2})\b)?`)
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") || d.Name() == "catalogue_test.go" {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range name.FindAllStringSubmatch(string(text), -1) {
			first, _ := strconv.Atoi(m[2])
			last, _ := strconv.Atoi(m[3])
			for n := first; n <= max(first, last); n++ {
				named[fmt.Sprint(m[1], n)] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	known := 0
	for _, c := range catalogue {
		for n := 1; n <= c.faults; n++ {
			known++
			id := fmt.Sprint(c.kind, n)
			switch why := untested[id]; {
			case why == "" && !named[id]:
				t.Errorf("%s (%s) is named by no test", id, c.what)
			case why != "" && named[id]:
				t.Errorf("%s (%s) is named by a test, and listed as untested: %s", id, c.what, why)
			}
		}
	}
	t.Logf("%d faults are known, %d of them untested", known, len(untested))
}

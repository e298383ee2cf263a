//go:build linux

package e2e_test

import (
	"io"
	"net/http"
	"regexp"
	"testing"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// framed names the rows that are about the end of a body.
var framed = regexp.MustCompile("^(N4|N5|N8a|E15|E16|E17|E21) ")

// E15: where curl reads a body to its end, so can a judge.
func TestHeadsBody(t *testing.T) {
	needTool(t, "curl", "curl")
	var rows []headRow
	for _, r := range headRows() {
		if framed.MatchString(r.name) && headDiffers(r.name) == nil {
			rows = append(rows, r)
		}
	}
	site := hostile.Serve(t, "127.0.0.1:0", serveRows(rows))
	theirs := curlRows(t, site.URL(), len(rows))
	ours := checkRows(t, site.URL(), len(rows), http.MethodGet, checker.WithJudge(func(resp *http.Response) error {
		_, err := io.ReadAll(resp.Body)
		return err
	}))
	for i, r := range rows {
		if theirs[i].exit == 0 && !ours[i].Online() {
			t.Errorf("%s: %.200q: a judge that reads the body = %v; want it to read what curl reads", r.name, r.raw, ours[i].Err)
		}
	}
}

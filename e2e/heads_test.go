//go:build linux

package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// The differential of heads. A site is online where Chromium loads a page from its
// bytes, or curl reads them, and offline only where neither does. TestHeads holds
// the library to that for every row of headRows, with HEAD and with GET.
//
// curl is asked live. Chromium takes minutes for as many pages, so what it made of them
// is kept in a table, with its version, which
//
//	go test ./e2e -run TestHeadsTable -update
//
// makes anew: for the rows that have no entry yet, or other bytes than then, and for
// all of them where the version is another. TestHeads fails for a row without an entry.
// So that the table cannot outlive what it tells of, TestHeadsTable asks the Chromium
// that is installed about a part of it each time, whatever its version, and fails where
// that says something else.

func TestHeads(t *testing.T) {
	needTool(t, "curl", "curl")
	rows := headRows()
	site := hostile.Serve(t, "127.0.0.1:0", serveRows(rows))
	_, chromium := readTable(t)
	curlHead, curlGet := curlRows(t, site.URL(), len(rows), "-I"), curlRows(t, site.URL(), len(rows))
	head, get := checkRows(t, site.URL(), len(rows), http.MethodHead), checkRows(t, site.URL(), len(rows), http.MethodGet)
	names, used := make(map[string]bool), make(map[*headDifference]int)
	for i, r := range rows {
		if names[r.name] {
			t.Errorf("two rows have the name %s", r.name)
		}
		names[r.name] = true
		entry, ok := chromium[r.key()]
		if !ok {
			t.Errorf("%s: it is not in %s, or was changed since", r.name, headsTable)
			continue
		}
		reads := entry.outcome.visible() || curlHead[i].exit == 0 || curlGet[i].exit == 0
		same := head[i].Online() == reads && get[i].Online() == reads
		said := fmt.Sprintf("Chromium %s %s, curl -I %v, curl %v, HEAD %s, GET %s",
			entry.outcome, entry.netError, curlHead[i], curlGet[i], verdict(head[i]), verdict(get[i]))
		switch a := headDiffers(r.name); {
		case a == nil && !same:
			t.Errorf("%s: %.200q: %s", r.name, r.raw, said)
		case a != nil && same:
			t.Errorf("%s: there is no difference any more: %s", r.name, said)
		case a != nil:
			used[a]++
		}
		for _, both := range []struct {
			ours   checker.Result
			theirs curlAnswer
		}{{head[i], curlHead[i]}, {get[i], curlGet[i]}} {
			if both.ours.Online() && both.theirs.exit == 0 && both.ours.StatusCode != both.theirs.code {
				t.Errorf("%s: the statuses differ: %s", r.name, said)
			}
		}
	}
	for i := range headDifferences {
		if used[&headDifferences[i]] == 0 {
			t.Errorf("the agreement on %s is about no row", headDifferences[i].names)
		}
	}
}

// verdict tells a Result in a word or two.
func verdict(r checker.Result) string {
	if r.Online() {
		return fmt.Sprint("online ", r.StatusCode)
	}
	return string(r.Reason())
}

// checkRows returns what the library makes of each row.
func checkRows(t *testing.T, site string, n int, method string, more ...checker.Option) []checker.Result {
	t.Helper()
	c, err := checker.New(append(more, checker.WithTimeout(curlTimeout), checker.WithRetries(0), checker.WithMethod(method),
		checker.WithConcurrency(tabs), checker.WithHostConcurrency(tabs))...)
	if err != nil {
		t.Fatal(err)
	}
	targets := make([]string, n)
	for i := range targets {
		targets[i] = fmt.Sprintf("%s/%d", site, i)
	}
	return c.CheckAll(t.Context(), targets)
}

// A curlAnswer is curl's exit status and the status code that it saw.
type curlAnswer struct{ exit, code int }

// curlRows returns what curl makes of each row, one after the other. There are
// errors that it does not go on after; it is started again behind them.
func curlRows(t *testing.T, site string, n int, args ...string) (all []curlAnswer) {
	t.Helper()
	args = append(args, "-q", "-s", "--max-time", fmt.Sprint(curlTimeout.Seconds()), "--http1.1", "-o", "/dev/null",
		"-w", `%{url} %{exitcode} %{http_code}\n`)
	for len(all) < n {
		cmd := exec.CommandContext(t.Context(), "curl", append(args, fmt.Sprintf("%s/[%d-%d]", site, len(all), n-1))...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"} // no proxy, no configuration
		out, err := cmd.Output()
		for line := range strings.Lines(string(out)) {
			var a curlAnswer
			if _, err := fmt.Sscanf(line, fmt.Sprintf("%s/%d %%d %%d\n", site, len(all)), &a.exit, &a.code); err != nil {
				t.Fatalf("curl says %q of row %d: %v", line, len(all), err)
			}
			all = append(all, a)
		}
		if failed, ok := errors.AsType[*exec.ExitError](err); len(all) < n && ok && failed.Exited() {
			all = append(all, curlAnswer{exit: failed.ExitCode()})
		} else if len(all) < n {
			t.Fatalf("curl ends after %d rows of %d: %v", len(all), n, err)
		}
	}
	return all
}

// serveRows answers /7 with row 7.
func serveRows(rows []headRow) hostile.Handler {
	return func(_ context.Context, conn net.Conn) {
		head, err := hostile.ReadHead(conn)
		if err != nil {
			return
		}
		_, path, _ := strings.Cut(head, " /")
		number, _, _ := strings.Cut(path, " ")
		if i, err := strconv.Atoi(number); err == nil && i < len(rows) {
			_, _ = io.WriteString(conn, rows[i].raw) // whoever has seen enough hangs up
		}
	}
}

package faults_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

func TestFaultsSlow(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
	stalled := func(name string, h hostile.Handler) fault {
		return fault{name: name, site: h, reason: checker.ReasonTimeout, phase: checker.PhaseResponse, takes: timeout}
	}
	reads := checker.WithJudge(func(resp *http.Response) error {
		_, err := io.ReadAll(resp.Body)
		return err
	})
	runFaults(t, []fault{
		stalled("C6 accepted and silent", hostile.Silent()),
		stalled("H1 a byte a second", hostile.Trickle(hostile.OK, 1, time.Second)),
		stalled("H2 a field a second", hostile.Forever("HTTP/1.1 200 OK\r\n", func(i int) string { return fmt.Sprintf("X-%d: y\r\n", i) }, time.Second)),
		{name: "H3 head at once, body never", site: hostile.Forever(head, func(int) string { return "x" }, time.Hour), status: 200},
		{
			name: "H4 a judge wants a body that trickles", site: hostile.Forever(head, func(int) string { return "x" }, time.Second),
			opts: []checker.Option{reads, checker.WithMethod("GET")}, reason: checker.ReasonTimeout, phase: checker.PhaseJudge, status: 200, takes: timeout,
		},
		{name: "H5 1 KB/s is enough", site: hostile.Trickle(hostile.OK, 10, 10*time.Millisecond), status: 200, takes: 70 * time.Millisecond, upTo: 100 * time.Millisecond},
		{name: "H6 a whole answer, and never closed", site: hostile.Banner(hostile.OK), status: 200},
		{name: "H8 5 ms before the timeout", site: hostile.Trickle(hostile.OK, len(hostile.OK)-1, timeout-5*time.Millisecond), status: 200, takes: timeout - 5*time.Millisecond},
		stalled("H8 5 ms after the timeout", hostile.Trickle(hostile.OK, len(hostile.OK)-1, timeout+5*time.Millisecond)),
		{name: "I1 10 GB announced", site: hostile.Respond("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n"), status: 200},
		{
			name: "I2 a body without end", status: 200, opts: []checker.Option{checker.WithMethod("GET")},
			site: hostile.Forever("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", func(int) string { return "4\r\nxxxx\r\n" }, 0),
		},
		{
			name: "I2 a judge reads of it what it may", status: 200, opts: []checker.Option{reads, checker.WithMethod("GET")},
			site: hostile.Forever("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", func(int) string { return "4000\r\n" + strings.Repeat("x", 0x4000) + "\r\n" }, 0),
		},
		{
			name: "I3 gzip that nobody asked for", status: 200, opts: []checker.Option{checker.WithMethod("GET"), checker.WithJudge(func(resp *http.Response) error {
				if b, _ := io.ReadAll(resp.Body); string(b) != "\x1f\x8bbomb" {
					return fmt.Errorf("body %q", b)
				}
				return nil
			})},
			site: hostile.Respond("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 6\r\n\r\n\x1f\x8bbomb"),
		},
	})
}

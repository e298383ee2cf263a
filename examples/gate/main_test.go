package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/examples/cli"
	"example.com/checker/internal/bubble"
)

// A site of a test refuses connections until it is started, then says 503 until
// it is ready, then 200. Each answer takes 100 ms.
type fakeSite struct{ started, ready time.Time }

func (s fakeSite) RoundTrip(req *http.Request) (*http.Response, error) {
	now := time.Now()
	if now.Before(s.started) {
		return nil, syscall.ECONNREFUSED
	}
	select {
	case <-time.After(100 * time.Millisecond):
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
	code := http.StatusOK
	if now.Before(s.ready) {
		code = http.StatusServiceUnavailable
	}
	return &http.Response{StatusCode: code, Proto: "HTTP/1.1", Body: http.NoBody, Request: req}, nil
}

// In a bubble time stands still while the program computes, so that what it
// writes is exact.
func TestRun(t *testing.T) {
	opts := options{timeout: 10 * time.Second, every: time.Second, status: cli.StatusRange{Min: 200, Max: 299}}
	const refused = "http://h/: refused: the host refused the connection\n"
	const rejected = "http://h/: rejected: the answer was not accepted: status 503, wanted 200–299\n"
	for _, test := range []struct {
		name           string
		started, ready time.Duration
		interrupt      time.Duration // 0 for never
		out, err       string
	}{
		{"up", 0, 0, 0, "http://h/: up after 100ms (200)\n", ""},
		{"up later", 1500 * time.Millisecond, 3 * time.Second, 0, refused + rejected + "http://h/: up after 3.3s (200)\n", ""},
		{"never", time.Hour, time.Hour, 0, refused, "gave up after 10s: 1 of 1 not up\n  " + strings.TrimSuffix(refused, "\n")},
		{"interrupted", time.Hour, time.Hour, 5 * time.Second, refused, "interrupt after 5s: 1 of 1 not up\n  " + strings.TrimSuffix(refused, "\n")},
		{"interrupted at once", 0, 0, time.Millisecond, "", "interrupt after 0s: 1 of 1 not up\n  http://h/: no verdict yet"},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if test.interrupt != 0 {
					time.AfterFunc(test.interrupt, func() { cancel(errors.New("interrupt")) })
				}
				var out strings.Builder
				now := time.Now()
				rt := fakeSite{now.Add(test.started), now.Add(test.ready)}
				err := run(ctx, &out, opts, []string{"http://h/"}, checker.WithTransport(rt))
				if out.String() != test.out {
					t.Errorf("printed\n%s; want\n%s", &out, test.out)
				}
				if err == nil && test.err != "" || err != nil && err.Error() != test.err {
					t.Errorf("run = %v; want %s", err, test.err)
				}
			})
		})
	}
}

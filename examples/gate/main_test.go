package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	const refused = "http://h/: refused: the host refused the connection\n"
	const rejected = "http://h/: rejected: the answer was not accepted: status 503, wanted 200–299\n"
	for _, test := range []struct {
		name           string
		started, ready time.Duration
		interrupt      time.Duration // 0 for never
		out, err       string
	}{
		{"up", 0, 0, 0, "http://h/: up after 100ms (200)\n", ""},
		{"up later", 1500 * time.Millisecond, 3 * time.Second, 0, refused + rejected + "http://h/: up after 3.1s (200)\n", ""},
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
				err := run(ctx, []string{"-within", "10s", "http://h/"}, &out, checker.WithTransport(rt))
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

// A crowd is the sites of one host: by path, when they come up and how they are before.
type crowd map[string]fakeSite

func (c crowd) RoundTrip(req *http.Request) (*http.Response, error) {
	switch path := req.URL.Path; {
	case strings.HasPrefix(path, "/hangs"):
		<-req.Context().Done()
		return nil, req.Context().Err()
	case strings.HasPrefix(path, "/busy"):
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Proto: "HTTP/1.1", Body: http.NoBody, Request: req,
			Header: http.Header{"Retry-After": {"3600"}}}, nil
	default:
		return c[path].RoundTrip(req)
	}
}

// However many neighbours on the same host hang, or ask to be left alone, a site that
// comes up is told within an interval, and so is one that had asked for it itself.
func TestNeighbours(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		now := time.Now()
		args := []string{"-within", "10s"}
		for i := range 20 {
			args = append(args, fmt.Sprintf("http://h/hangs%d", i), fmt.Sprintf("http://h/busy%d", i))
		}
		args = append(args, "http://h/site")
		var out strings.Builder
		err := run(t.Context(), args, &out, checker.WithTransport(crowd{"/site": {ready: now.Add(2200 * time.Millisecond)}}))
		const want = "http://h/site: up after "
		_, after, found := strings.Cut(out.String(), want)
		after, _, _ = strings.Cut(after, " ")
		if took, e := time.ParseDuration(after); !found || e != nil || took > 3500*time.Millisecond {
			t.Errorf("printed\n%s; want %sat most 3.5s", &out, want)
		}
		if err == nil || !strings.HasPrefix(err.Error(), "gave up after 10s: 40 of 41 not up\n") || strings.Contains(err.Error(), "cancel") {
			t.Errorf("run = %v; want 40 sites that are not up, for reasons of theirs", err)
		}
	})
}

// Even where a check may take longer than all that there is, there is a verdict.
func TestLastVerdict(t *testing.T) {
	for _, within := range []time.Duration{100 * time.Millisecond, 3 * time.Second, 7 * time.Second, time.Minute} {
		bubble.Test(t, func(t *testing.T) {
			err := run(t.Context(), []string{"-within", within.String(), "http://h/hangs"}, io.Discard, checker.WithTransport(crowd{}))
			if err == nil || !strings.HasSuffix(err.Error(), "\n  http://h/hangs: timeout: no answer within the timeout (response)") {
				t.Errorf("within %v run = %v; want a timeout", within, err)
			}
		})
	}
}

// A site that goes down while others are waited for is waited for again; one failure
// alone is none.
func TestDownAgain(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		start := time.Now()
		rt := roundTripper(func(req *http.Request) (*http.Response, error) {
			since, code := time.Since(start), http.StatusOK
			switch {
			case req.URL.Host == "late" && since < 9*time.Second,
				req.URL.Host == "blip" && since > 3*time.Second && since < 4*time.Second,
				req.URL.Host == "down" && since > 5*time.Second && since < 12*time.Second:
				code = http.StatusBadGateway
			}
			return &http.Response{StatusCode: code, Proto: "HTTP/1.1", Body: http.NoBody, Request: req}, nil
		})
		var out strings.Builder
		err := run(t.Context(), []string{"-timeout", "1s", "http://late/", "http://blip/", "http://down/"}, &out, checker.WithTransport(rt))
		const rejected = "rejected: the answer was not accepted: status 502, wanted 200–299\n"
		const want = "http://late/: " + rejected + "http://blip/: up after 0s (200)\nhttp://down/: up after 100ms (200)\n" +
			"http://down/: " + rejected + "http://late/: up after 9.4s (200)\nhttp://down/: up after 12.1s (200)\n"
		if out.String() != want || err != nil {
			t.Errorf("run = %v, printed\n%s; want\n%s", err, &out, want)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// Output that cannot be written ends the wait: whoever asked is told nothing any more.
func TestUnwritten(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		full, start := errors.New("no space left"), time.Now()
		err := run(t.Context(), []string{"http://h/"}, broken{full}, checker.WithTransport(fakeSite{ready: start.Add(time.Hour)}))
		if !errors.Is(err, full) || cli.Status(err) != cli.Misused || time.Since(start) > time.Second {
			t.Errorf("run = %v with status %d after %v; want %v, %d, at once", err, cli.Status(err), time.Since(start), full, cli.Misused)
		}
	})
}

type broken struct{ error }

func (b broken) Write([]byte) (int, error) { return 0, b.error }

// What was no verdict is not what was offline, to those who ask for the difference.
func TestFail(t *testing.T) {
	for _, test := range []struct {
		args   string
		err    error // of the site
		status int
	}{
		{"http://h/", syscall.ECONNREFUSED, cli.NotWanted},
		{"-fail http://h/", syscall.ECONNREFUSED, cli.NotWanted},
		{"http://h/", syscall.EMFILE, cli.NotWanted},
		{"-fail http://h/", syscall.EMFILE, cli.Untold},
		{"-fail http://h/ http://up/", syscall.EMFILE, cli.Untold},
		{"-fail http://h/ http://refused/", syscall.EMFILE, cli.NotWanted},
	} {
		bubble.Test(t, func(t *testing.T) {
			rt := roundTripper(func(req *http.Request) (*http.Response, error) {
				switch req.URL.Host {
				case "up":
					return &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", Body: http.NoBody, Request: req}, nil
				case "refused":
					return nil, syscall.ECONNREFUSED
				}
				return nil, test.err
			})
			err := run(t.Context(), strings.Fields("-within 10s "+test.args), io.Discard, checker.WithTransport(rt))
			if got := cli.Status(err); got != test.status {
				t.Errorf("gate %s, of a site with %v, ended with %v and status %d; want %d", test.args, test.err, err, got, test.status)
			}
		})
	}
}

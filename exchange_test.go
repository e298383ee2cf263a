package checker_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// A judge gets no more of a transport's body than of one of our own.
func TestBodyOfTransportIsBounded(t *testing.T) {
	m := &faults.Memory{Answer: func(req *http.Request) (*http.Response, error) {
		resp := faults.Respond(req, 200)
		resp.Body = io.NopCloser(strings.NewReader(strings.Repeat("x", 2<<20)))
		return resp, nil
	}}
	read := 0
	c := faults.NewChecker(t, checker.WithTransport(m), checker.WithJudge(func(resp *http.Response) error {
		b, err := io.ReadAll(resp.Body)
		read = len(b)
		return err
	}))
	if r := c.Check(t.Context(), "http://site.test/"); !r.Online() || read != 1<<20 {
		t.Errorf("Check() = %v, and the judge read %d bytes; want Online and 1 MiB", r, read)
	}
}

// A peer that does not read cannot keep a check from ending.
func TestLastWordsAreInTime(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
	bubble.Test(t, func(t *testing.T) {
		var peers sync.WaitGroup
		defer peers.Wait()
		c := faults.NewChecker(t, checker.WithTimeout(time.Second), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}),
			checker.WithDialContext(func(context.Context, string, string) (net.Conn, error) {
				here, there := net.Pipe() // which has no buffer
				peers.Go(func() {
					defer there.Close()
					s := tls.Server(there, conf)
					s.Read(make([]byte, 4096))
					io.WriteString(s, hostile.OK)
					time.Sleep(time.Minute)
				})
				return here, nil
			}))
		for _, limit := range []time.Duration{100 * time.Millisecond, time.Hour} {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			start := time.Now()
			c.Check(ctx, "https://192.0.2.1/")
			if took, want := time.Since(start), min(limit, time.Second); took != want {
				t.Errorf("Check took %v; want %v", took, want)
			}
			cancel()
		}
	})
}

// A server that was asked by HTTP/2 in vain is judged by what it did before.
func TestPhaseWithoutHTTP2(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
	s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(conf, hostile.CloseAfterRequest()))
	c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "site.test"}), checker.WithRetries(0))
	r := c.Check(t.Context(), s.URLS())
	if e, _ := errors.AsType[*checker.Error](r.Err); e == nil || e.Phase != checker.PhaseResponse || e.Reason != checker.ReasonReset {
		t.Errorf("Check(%q).Err = %v; want reset in response", s.URLS(), r.Err)
	}
}

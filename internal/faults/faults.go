// Package faults tests the library with every fault that is known of sites, of
// networks, of the machine that checks and of callers: catalogue.md has a line for
// each. It is for tests.
//
// What is here besides the tests are a few helpers for them, and for those of
// the root package: [NewChecker], the transport [Memory] and the targets that
// it answers for, and [Hold], which holds what a check found to the catalogue.
package faults

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// SiteAddr is the address of site.test in a network that Site returns.
const SiteAddr = "192.0.2.80"

// NewChecker is checker.New with options that are known to be good.
func NewChecker(tb testing.TB, opts ...checker.Option) *checker.Checker {
	tb.Helper()
	c, err := checker.New(opts...)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// On makes a Checker use a network in memory.
func On(n *hostile.Net, opts ...checker.Option) []checker.Option {
	return append([]checker.Option{checker.WithResolver(n), checker.WithDialContext(n.DialContext)}, opts...)
}

// Site returns a network in memory where plain serves http://site.test and
// secure https://site.test. Where there is no handler, nothing listens.
func Site(tb testing.TB, plain, secure hostile.Handler) *hostile.Net {
	n := hostile.NewNet()
	n.Name("site.test", SiteAddr)
	if plain != nil {
		hostile.ServeListener(tb, n.Listen(SiteAddr+":80"), plain)
	}
	if secure != nil {
		hostile.ServeListener(tb, n.Listen(SiteAddr+":443"), secure)
	}
	return n
}

// A Memory is a transport that answers from memory, after a while. It counts
// its calls: all, those that run, and how many ever ran at once.
type Memory struct {
	Takes  time.Duration
	Answer func(*http.Request) (*http.Response, error) // nil: 200

	Calls, Running, Most atomic.Int64
}

// RoundTrip answers.
func (m *Memory) RoundTrip(req *http.Request) (*http.Response, error) {
	m.Calls.Add(1)
	n := m.Running.Add(1)
	defer m.Running.Add(-1)
	for most := m.Most.Load(); n > most && !m.Most.CompareAndSwap(most, n); most = m.Most.Load() {
	}
	if m.Takes > 0 {
		select {
		case <-time.After(m.Takes):
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		}
	}
	if m.Answer != nil {
		return m.Answer(req)
	}
	return Respond(req, http.StatusOK), nil
}

// Respond returns a response without fields and body.
func Respond(req *http.Request, code int) *http.Response {
	return &http.Response{StatusCode: code, Proto: "HTTP/1.1", Header: http.Header{}, Body: http.NoBody, Request: req}
}

// Sites yields n targets on as many hosts and counts how many are pulled, if
// pulled is not nil.
func Sites(n int, pulled *atomic.Int64) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range n {
			if pulled != nil {
				pulled.Add(1)
			}
			if !yield(fmt.Sprintf("http://h%d.test/", i)) {
				return
			}
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/hostile"
)

// memory returns a Checker on a network in memory where the named hosts answer,
// and the network.
func memory(t *testing.T, hosts ...string) (*checker.Checker, *hostile.Net) {
	n := hostile.NewNet()
	for i, host := range hosts {
		addr := fmt.Sprintf("192.0.2.%d", i+1)
		n.Name(host, addr)
		hostile.ServeListener(t, n.Listen(addr+":80"), hostile.Respond(hostile.OK))
	}
	c, err := checker.New(checker.WithResolver(n), checker.WithDialContext(n.DialContext), checker.WithRetries(0))
	if err != nil {
		t.Fatal(err)
	}
	return c, n
}

func TestFollow(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c, n := memory(t, "up.example", "down.example", "lost.example")
		b := newBoard([]*site{parseSite("http://up.example"), parseSite("http://down.example"), parseSite("http://lost.example"), parseSite("http:///")})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan struct{})
		go func() {
			defer close(done)
			follow(ctx, c, b, nil, time.Minute, t.Output())
		}()
		states := func() (s string) {
			synctest.Wait()
			b.each(func(_ int, site *site) {
				status, _ := site.shown(time.Now())
				s += site.name + " " + string(status) + ", "
			})
			return s
		}
		for _, step := range []struct {
			then func()
			want string
		}{
			{func() {}, "up.example online, down.example online, lost.example online, http:/// unknown, "},
			{func() {
				n.Fail("192.0.2.2:80", syscall.ECONNREFUSED)
				n.NameFails("ip4", "lost.example", errors.New("no resolver"))
			}, "up.example online, down.example online, lost.example online, http:/// unknown, "},
			{func() {}, "up.example online, down.example offline, lost.example unknown, http:/// unknown, "},
		} {
			step.then()
			time.Sleep(time.Minute)
			if got := states(); got != step.want {
				t.Errorf("after %v the states were\n%s; want\n%s", step, got, step.want)
			}
		}
		cancel()
		<-done
		if checks, changes := b.totals(); changes != 1 { // Unknown is none
			t.Errorf("there were %d changes in %d checks; want 1", changes, checks)
		}
	})
}

// A site in maintenance that asks to be left alone for an hour asks for itself: its
// neighbours on the same host are checked as if it were not there, and no outage of
// theirs is missed.
func TestMaintenance(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		const outage = 90 * time.Second
		down := map[string]time.Duration{"/0": 0, "/5": 20 * time.Minute, "/9": 55 * time.Minute} // when each has its outage
		start := time.Now()
		rt := roundTripper(func(req *http.Request) (*http.Response, error) {
			resp := &http.Response{StatusCode: http.StatusOK, Proto: "HTTP/1.1", Header: http.Header{}, Body: http.NoBody, Request: req}
			begins, has := down[req.URL.Path]
			since := time.Since(start) - begins
			switch {
			case req.URL.Path == "/3":
				resp.StatusCode = http.StatusServiceUnavailable
				resp.Header.Set("Retry-After", "3600")
			case has && 0 <= since && since < outage:
				return nil, syscall.ECONNREFUSED
			}
			return resp, nil
		})
		var sites []*site
		for i := range 10 {
			sites = append(sites, parseSite(fmt.Sprintf("http://h.test/%d", i)))
		}
		c, err := newChecker(quick("", "-every", "30s"), len(sites), checker.WithTransport(rt))
		if err != nil {
			t.Fatal(err)
		}
		b := newBoard(sites)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		follow(ctx, c, b, nil, 30*time.Second, t.Output())
		for i, site := range b.sites {
			if age := time.Since(site.samples[len(site.samples)-1].at); age > 30*time.Second {
				t.Errorf("after an hour site %d was checked last %v ago; want half a minute at most", i, age)
			}
		}
		checks, changes := b.totals()
		if checks < 9*120 {
			t.Errorf("in an hour there were %d checks; want %d", checks, 10*120)
		}
		if want := 2*len(down) - 1; changes != want { // that of /0 began before anything was known of it
			t.Errorf("in an hour there were %d changes; want %d", changes, want)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.com/checker"
)

// A cut is a way to be cancelled in the middle.
type cut string

const (
	cutList    cut = "list"             // one CheckAll, of which as many run as may run at once
	cutStream  cut = "stream"           // one Stream of one host, whose window is full
	cutSingles cut = "checks that wait" // calls of Check on one host, all but a few of which wait
	cutShakes  cut = "handshakes"       // one CheckAll, all of it in a TLS handshake that the server does not answer
)

// settled is for how long nothing has changed when all is as it is to be.
const settled = time.Second

// release has what the documentation promises, on two processors that have nothing else to
// do, and more than that.
func release(s *servers, room int, short bool) scenario {
	const promised = 100 // ms
	sc := scenario{
		name:   "cancel",
		about:  "from the cancellation until all is released: targets of a CheckAll, a Stream with a full window, checks of one host by Check, TLS handshakes under way",
		rounds: 3,
	}
	for _, one := range []struct {
		cut  cut
		n    int
		held bool
	}{
		{cutList, 100_000, true}, {cutList, 1_000_000, false},
		{cutStream, 1_000_000, true},
		{cutSingles, 10_000, true}, {cutSingles, 50_000, false},
		{cutShakes, 1_000, true}, {cutShakes, 4_000, false},
	} {
		n := one.n
		if short {
			n /= 100
		}
		j := job{Cut: one.cut, Kind: memory, Checks: n, AtOnce: 100, Timeout: time.Hour, Port: 80}
		switch one.cut {
		case cutShakes:
			n = min(n, room/2)
			j.Kind, j.Checks, j.AtOnce, j.Port, j.Root = secure, n, n, s.mute, s.tls.Root
		case cutStream, cutSingles:
			j.Kind = paths
		}
		t := trial{fmt.Sprintf("%s, %d", one.cut, n), j, everybody[:1]}
		m := released
		m.name += ", " + string(one.cut)
		r := row{t.name, m, nil}
		if one.held {
			r.bars = []bar{{limit: promised}}
		}
		sc.trials, sc.rows = append(sc.trials, t), append(sc.rows, r)
	}
	return sc
}

// cutOff checks with package checker, and is cancelled.
func cutOff(ctx context.Context, j *job) (t tally, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	rt := new(silentTransport)
	opts := []checker.Option{checker.WithConcurrency(j.AtOnce), checker.WithTimeout(j.Timeout)}
	ready := func() int { return int(rt.calls.Load()) }
	want := j.AtOnce
	switch j.Cut {
	case cutShakes:
		conf, err := j.tls()
		if err != nil {
			return t, err
		}
		opts = append(opts, checker.WithTLSConfig(conf))
		ready = files
	default:
		opts = append(opts, checker.WithTransport(rt))
		if j.Kind == paths {
			want = 6 // the default width of a host
		}
		if j.Cut == cutSingles {
			want, ready = j.Checks, runtime.NumGoroutine
		}
	}
	c, err := checker.New(opts...)
	if err != nil {
		return t, err
	}
	targets := slices.Collect(j.targets())
	var at time.Time
	go func() {
		for last := -1; ready() < want || ready() != last; time.Sleep(settled) {
			last = ready()
		}
		at = time.Now()
		cancel()
	}()
	switch j.Cut {
	case cutSingles:
		var wg sync.WaitGroup
		for _, target := range targets {
			wg.Go(func() { c.Check(ctx, target) })
		}
		wg.Wait()
	case cutStream:
		for range c.Stream(ctx, slices.Values(targets)) {
		}
	default:
		c.CheckAll(ctx, targets)
	}
	<-ctx.Done() // and so at is known
	t.released = time.Since(at).Seconds()
	return t, nil
}

// silentTransport answers when it must.
type silentTransport struct{ calls atomic.Int64 }

func (s *silentTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	s.calls.Add(1)
	<-req.Context().Done()
	return nil, context.Cause(req.Context())
}

// files returns how many descriptors are open.
func files() int {
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		panic(err) // Linux has it
	}
	return len(all)
}

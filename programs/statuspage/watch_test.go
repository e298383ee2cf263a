package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/hostile"
)

// The checks are spread over the interval, the first round over a sixth of it.
func TestSchedule(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		var got []string
		for target := range schedule(ctx, []string{"a", "b", "c"}, 30*time.Second) {
			got = append(got, fmt.Sprint(target, time.Since(start).Truncate(time.Millisecond)))
		}
		want := []string{"a0s", "b1.666s", "c3.333s", "a4.999s", "b14.999s", "c24.999s", "a34.999s", "b44.999s", "c54.999s"}
		if !slices.Equal(got, want) {
			t.Errorf("the schedule was %v; want %v", got, want)
		}
		if time.Since(start) != time.Minute {
			t.Errorf("the schedule ended %v after its start; want 1m, the end of its context", time.Since(start))
		}
	})
}

// A target that is taken late does not make others hurry after it.
func TestScheduleLate(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var last time.Time
		n := 0
		for range schedule(t.Context(), []string{"a", "b"}, 10*time.Second) {
			n++
			switch gap := time.Since(last); {
			case n == 4:
				time.Sleep(time.Hour)
			case n == 5 && gap != time.Hour, n > 5 && gap != 5*time.Second:
				t.Errorf("target %d came %v after the one before", n, gap)
			case n == 9:
				return
			}
			last = time.Now()
			if n == 4 {
				last = last.Add(-time.Hour)
			}
		}
	})
}

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

func TestWatch(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c, n := memory(t, "up.example", "down.example", "lost.example")
		b := newBoard([]*site{parseSite("http://up.example"), parseSite("http://down.example"), parseSite("http://lost.example"), parseSite("http:///")})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan struct{})
		go func() {
			defer close(done)
			watch(ctx, c, b, nil, time.Minute)
		}()
		states := func() (s string) {
			synctest.Wait()
			b.each(func(_ int, site *site) { s += site.name + " " + string(site.status) + ", " })
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
		if checks, changes := b.totals(); changes != 2 {
			t.Errorf("there were %d changes in %d checks; want 2", changes, checks)
		}
	})
}

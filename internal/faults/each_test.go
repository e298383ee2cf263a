package faults_test

import (
	"context"
	"iter"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
)

// S11: leaving a range over Each leaves nothing behind, however it is left.
func TestEachIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	m := &faults.Memory{Takes: 10 * time.Millisecond}
	c := faults.NewChecker(t, checker.WithTransport(m))
	each := c.Each(t.Context(), faults.Sites(1_000_000, nil))
	leave := map[string]func(){
		"break": func() {
			for range each {
				break
			}
		},
		"panic": func() {
			defer func() { _ = recover() }()
			for range each {
				panic("left")
			}
		},
		"next": func() {
			next, stop := iter.Pull(each)
			next()
			stop()
		},
	}
	for name, f := range leave {
		for range 5 {
			f()
			if n := m.Running.Load(); n != 0 {
				t.Errorf("%s: %d requests run afterwards; want none", name, n)
			}
		}
	}
	// A goroutine that has done its last may be there for a moment.
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines are left; want %d", runtime.NumGoroutine(), before)
		}
	}
}

// Each gives every Result, and can be ranged over again.
func TestEach(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := faults.NewChecker(t, checker.WithTransport(&faults.Memory{Takes: time.Second}))
		each := c.Each(t.Context(), faults.Sites(250, nil))
		for range 2 {
			seen := make(map[int]bool)
			for r := range each {
				seen[r.Index] = r.Online()
			}
			if len(seen) != 250 {
				t.Errorf("%d results; want 250", len(seen))
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(1500*time.Millisecond, cancel)
		pulled, told, canceled := new(atomic.Int64), int64(0), 0
		for r := range c.Each(ctx, faults.Sites(1000, pulled)) {
			told++
			if r.Reason() == checker.ReasonCanceled {
				canceled++
			}
		}
		if told != pulled.Load() || canceled != int(told)-100 {
			t.Errorf("%d results of %d targets, %d of them canceled; want all, and all but 100", told, pulled.Load(), canceled)
		}
		forever := make(chan struct{})
		start := time.Now()
		for range c.Each(t.Context(), func(yield func(string) bool) {
			yield("http://a.test/")
			<-forever
		}) {
			break
		}
		if took := time.Since(start); took > 1100*time.Millisecond {
			t.Errorf("break beside a sequence that blocks took %v; want no more than 100ms", took-time.Second)
		}
		close(forever)
	})
}

package main

import (
	"context"
	"sync"
	"time"
)

// report says every two seconds how far a collector is, until stop is called,
// which waits for it.
func (k *collector) report(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		const every = 2 * time.Second
		for last := k.have.Load(); pause(ctx, every); {
			n := k.have.Load()
			k.progress(n, float64(n-last)/every.Seconds())
			last = n
		}
	})
	return func() {
		cancel()
		wg.Wait()
	}
}

func (k *collector) progress(n int64, perSecond float64) {
	total := int64(k.list.lines)
	if perSecond <= 0 {
		k.logf("%d of %d lines (%d %%)", n, total, 100*n/total)
		return
	}
	left := time.Duration(float64(total-n) / perSecond * float64(time.Second))
	k.logf("%d of %d lines (%d %%), %.0f/s, %v to go", n, total, 100*n/total, perSecond, left.Round(time.Second))
}

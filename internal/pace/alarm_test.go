package pace

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
)

// A bell notes when it rings.
type bell struct {
	alarm
	rang []time.Time
}

func (b *bell) ring(now time.Time) { b.rang = append(b.rang, now) }

// Each alarm rings once, at its moment, unless it was set to another or cleared; and when
// there are none there is no timer.
func TestAlarms(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var as alarms
		as.tick = func() {
			mu.Lock()
			defer mu.Unlock()
			as.ring(time.Now(), func(time.Time) {})
		}
		rnd := rand.New(rand.NewPCG(1, 2))
		bells := make([]bell, 50)
		want := make([][]time.Time, len(bells))
		due := make([]time.Time, len(bells)) // zero for not set
		settle := func(now time.Time) {
			for i, at := range due {
				if !at.IsZero() && !at.After(now) {
					want[i], due[i] = append(want[i], at), time.Time{}
				}
			}
		}
		for range 5000 {
			mu.Lock()
			i := rnd.IntN(len(bells))
			bells[i].who = &bells[i]
			settle(time.Now())
			if rnd.IntN(3) == 0 {
				as.clear(&bells[i].alarm)
				due[i] = time.Time{}
			} else {
				due[i] = time.Now().Add(time.Duration(1+rnd.IntN(1000)) * time.Millisecond)
				as.set(&bells[i].alarm, due[i])
			}
			mu.Unlock()
			time.Sleep(time.Duration(rnd.IntN(20))*time.Millisecond + time.Microsecond)
		}
		time.Sleep(2 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		settle(time.Now())
		for i := range bells {
			if len(bells[i].rang) != len(want[i]) {
				t.Fatalf("alarm %d rang %d times; want %d", i, len(bells[i].rang), len(want[i]))
			}
			for n, at := range bells[i].rang {
				if !at.Equal(want[i][n]) {
					t.Fatalf("alarm %d rang at %v; want %v", i, at, want[i][n])
				}
			}
		}
		if as.timer != nil || len(as.heap) != 0 {
			t.Errorf("%d alarms and a timer are left: %t; want none", len(as.heap), as.timer != nil)
		}
	})
}

package main

import (
	"context"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A sample is how much memory the process held after so many checks.
type sample struct {
	Checks int `json:"checks"`
	KiB    int `json:"kib"`
}

// resident returns a line of what Linux tells of this process's memory, in KiB:
// VmRSS, what it holds, or VmHWM, the most it held. Elsewhere it is 0.
func resident(line string) int {
	data, _ := os.ReadFile("/proc/self/status")
	_, rest, _ := strings.Cut(string(data), "\n"+line+":")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.Atoi(fields[0])
	return kib
}

// slope returns by how many KiB the memory grew in 100 000 checks: the slope of
// the line with the least squares. The first tenth of the samples is left out,
// in which pools and the heap reach their size.
func slope(samples []sample) float64 {
	samples = samples[len(samples)/10:]
	var n, sx, sy, sxx, sxy float64
	for _, s := range samples {
		x, y := float64(s.Checks)/100_000, float64(s.KiB)
		n, sx, sy, sxx, sxy = n+1, sx+x, sy+y, sxx+x*x, sxy+x*y
	}
	if d := n*sxx - sx*sx; d != 0 {
		return (n*sxy - sx*sy) / d
	}
	return 0
}

// Counts are what a process has open.
type counts struct{ goroutines, descriptors int }

// Leftovers are what a process has open that it had not before.
type leftovers struct {
	Goroutines, Descriptors int
	Stacks                  string // of all goroutines, if any is left over
	PeakKiB                 int
	Lag                     time.Duration
}

// A pulse measures by how much the machine lets a process wait: the most that a
// short sleep took too long.
type pulse struct {
	wg   sync.WaitGroup
	stop context.CancelFunc
	lag  time.Duration // valid once stopped
}

func startPulse(ctx context.Context) *pulse {
	const short = 10 * time.Millisecond
	p := new(pulse)
	ctx, p.stop = context.WithCancel(ctx)
	p.wg.Go(func() {
		for start := time.Now(); wait(ctx, short); start = time.Now() {
			p.lag = max(p.lag, time.Since(start)-short)
		}
	})
	return p
}

// end stops the pulse and returns the lag.
func (p *pulse) end() time.Duration {
	p.stop()
	p.wg.Wait()
	return p.lag
}

// warmUp opens a socket, so that the runtime's poller has its descriptors.
func warmUp() error {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	return c.Close()
}

func counted() counts {
	fds, _ := os.ReadDir("/proc/self/fd")
	return counts{runtime.NumGoroutine(), len(fds)}
}

// left returns what is open beyond c, once that is nothing or the time for
// letting go has passed.
func (c counts) left() *leftovers {
	end := time.Now().Add(releasing)
	for {
		now := counted()
		l := &leftovers{Goroutines: max(0, now.goroutines-c.goroutines), Descriptors: max(0, now.descriptors-c.descriptors)}
		if l.Goroutines+l.Descriptors == 0 || time.Now().After(end) {
			l.PeakKiB = resident("VmHWM")
			if l.Goroutines > 0 {
				var b strings.Builder
				_ = pprof.Lookup("goroutine").WriteTo(&b, 1) // a Builder takes all
				l.Stacks = b.String()
			}
			return l
		}
		time.Sleep(time.Millisecond)
	}
}

//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/metrics"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A measure is what one run cost its process.
type measure struct {
	Wall       float64 `json:"wall_s"`
	User       float64 `json:"user_s"`
	System     float64 `json:"system_s"`
	GC         float64 `json:"gc_s"` // part of User, by the runtime's estimate
	Allocs     uint64  `json:"allocs"`
	Bytes      uint64  `json:"bytes"` // allocated over the whole run
	RSS        int64   `json:"rss"`   // resident before the run
	Peak       int64   `json:"peak"`  // the most resident during the run
	Goroutines uint64  `json:"goroutines"`
	Stacks     uint64  `json:"stacks"`               // the most bytes in stacks
	Released   float64 `json:"released_s,omitempty"` // from a cancellation until nothing was left
	Wrong      int     `json:"wrong"`                // verdicts that were not to be
	Example    string  `json:"example,omitempty"`
}

// cpu returns the CPU time in seconds.
func (m measure) cpu() float64 { return m.User + m.System }

// A tally counts verdicts.
type tally struct {
	online   int
	failed   error    // the first failure, for the record
	released float64  // seconds from a cancellation, if there was one
	own      *measure // of a process that made the checks, where that is another
}

// A contestant makes the checks of a job. What it returns as an error is that it
// could not even begin.
type contestant func(context.Context, *job) (tally, error)

// contend is the process of a contestant.
func contend(in io.Reader, tell func(any) error) error {
	var j job
	if err := readLine(in, &j); err != nil {
		return err
	}
	run := map[string]contestant{
		ours: runChecker, "net/http": runNetHTTP, "fasthttp": runFastHTTP, "floor": runFloor, "curl": runCurl,
	}[j.Contestant]
	if j.DNS.IsValid() {
		if err := mountEtc(j.DNS); err != nil {
			return err
		}
	}
	finish, err := profile(j.Profile)
	if err != nil {
		return err
	}
	m, err := watch(&j, run)
	if err != nil {
		return err
	}
	if err := finish(); err != nil {
		return err
	}
	return tell(m)
}

// watch runs j and measures it.
func watch(j *job, run contestant) (m measure, err error) {
	before, beforeMem := usage(), memStats()
	m.RSS = status("self", "VmRSS")
	stop := sample(&m)
	start := time.Now()
	got, err := run(context.Background(), j)
	m.Wall = time.Since(start).Seconds()
	stop()
	after, afterMem := usage(), memStats()
	m.Peak, m.Released = status("self", "VmHWM"), got.released
	m.User, m.System = after.user-before.user, after.system-before.system
	if got.own != nil {
		m.User, m.System, m.RSS, m.Peak = got.own.User, got.own.System, got.own.RSS, got.own.Peak
	}
	m.GC = after.gc - before.gc
	m.Allocs, m.Bytes = afterMem.Mallocs-beforeMem.Mallocs, afterMem.TotalAlloc-beforeMem.TotalAlloc
	if m.Wrong = max(got.online-j.online(), j.online()-got.online); m.Wrong > 0 && got.failed != nil {
		m.Example = got.failed.Error()
	}
	return m, err
}

type times struct{ user, system, gc float64 }

// usage returns the CPU time that this process has used.
func usage() times {
	var ru unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &ru) // fails only for an address that is none
	seconds := func(tv unix.Timeval) float64 { return time.Duration(tv.Nano()).Seconds() }
	gc := []metrics.Sample{{Name: "/cpu/classes/gc/total:cpu-seconds"}}
	metrics.Read(gc)
	return times{seconds(ru.Utime), seconds(ru.Stime), gc[0].Value.Float64()}
}

func memStats() (m runtime.MemStats) {
	runtime.ReadMemStats(&m)
	return m
}

// status returns a figure of /proc/PID/status in bytes, 0 if there is none.
// VmHWM is the peak of this process alone; ru_maxrss is not, since a process
// inherits that of the one that it was forked from.
func status(pid, key string) int64 {
	f, err := os.Open("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), key+":"); ok {
			var kb int64
			fmt.Sscan(rest, &kb)
			return kb << 10
		}
	}
	return 0
}

// sample notes, a few times a second, how many goroutines there are and what
// their stacks weigh.
func sample(m *measure) (stop func()) {
	s := []metrics.Sample{{Name: "/sched/goroutines:goroutines"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	return every(200*time.Millisecond, func() {
		metrics.Read(s)
		m.Goroutines = max(m.Goroutines, s[0].Value.Uint64())
		m.Stacks = max(m.Stacks, s[1].Value.Uint64())
	})
}

// every calls f at once and then once in d, until stop is called, which waits for it.
func every(d time.Duration, f func()) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(d)
		defer tick.Stop()
		for {
			f()
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

package main

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/checker/examples/cli"
)

// testWait is the AckWait of the tests.
const testWait = "1500ms"

// No lease ends meanwhile, however busy the machine is.
var patientWait = []string{"-ack-wait", "10m"}

// A trial is a list, and where its parts meet.
type trial struct {
	url, list, out, chunk string
	lines                 int
}

func newTrial(t *testing.T, url, chunk string, lines ...string) trial {
	t.Helper()
	return trial{url, writeList(t, lines...), t.TempDir(), chunk, len(lines)}
}

func (r trial) publishing(flags ...string) []string {
	args := []string{"publish", "-f", r.list, "-chunk", r.chunk, "-ack-wait", testWait, "-nats", r.url, "-token", testToken}
	return append(args, flags...)
}

func (r trial) collecting() []string {
	return []string{"collect", "-f", r.list, "-chunk", r.chunk, "-o", r.out, "-nats", r.url, "-token", testToken}
}

// audit fails the test unless each line has one result.
func (r trial) audit(t *testing.T) {
	t.Helper()
	mustRun(t, "audit", "-f", r.list, "-chunk", r.chunk, "-o", r.out)
	checkResults(t, r.out, r.lines, "online")
}

// Workers die by kill -9, forty of them, at all points between which they can.
func TestWorkersKilled(t *testing.T) {
	t.Parallel()
	const n, rate = 1600, 10 // in so many chunks that none is out each time, and taken for what kills workers
	s := newTargets(t, "127.11.0", 60, 20*time.Millisecond)
	url := serve(t)
	r := newTrial(t, url, "8", s.urls(n)...)
	mustRun(t, r.publishing()...)

	points := []string{"fetched", "checking", "checked", "published", "acknowledged"}
	lives := make(chan string, 40)
	for i := range cap(lives) {
		lives <- fmt.Sprintf("%s %d", points[i%len(points)], 1+i/len(points)%3)
	}
	close(lives)
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range 4 {
		wg.Go(func() {
			life := 0
			for kill := range lives {
				life++
				p := work(t, url, fmt.Sprintf("worker-%d-%d", i, life), rate, killEnv+"="+kill)
				p.wait(t)
				if got := p.exitCode(); got != -1 {
					t.Errorf("a worker that was to be killed at %q ended with %d:\n%s", kill, got, p.log)
				}
			}
			work(t, url, fmt.Sprintf("worker-%d-last", i), rate)
		})
	}
	mustRun(t, r.collecting()...)
	r.audit(t)
	s.checkPolite(t, rate)
}

// The server dies by kill -9 five times, and comes back on the same store.
func TestServerKilled(t *testing.T) {
	t.Parallel()
	const n, rate = 800, 10
	s := newTargets(t, "127.12.0", 60, 2*time.Millisecond)
	addr, dir := freeAddr(t), t.TempDir()
	url := "nats://" + addr
	r := newTrial(t, url, "20", s.urls(n)...)
	serve := func() *proc {
		p := start(t, nil, "server", "-listen", addr, "-token", testToken, "-store", dir)
		eventually(t, "serving", func() bool { return strings.Contains(p.log.String(), "serving") })
		return p
	}
	srv := serve()
	mustRun(t, r.publishing()...)
	for i := range 3 {
		work(t, url, fmt.Sprintf("worker-%d", i), rate)
	}
	wait := inBackground(t, r.collecting()...)
	for i := range 5 {
		for range (i + 1) * n / 50 {
			select {
			case <-s.seen:
			case <-time.After(patience):
				t.Error("the workers have stopped")
			}
		}
		srv.kill()
		srv = serve()
	}
	wait()
	r.audit(t)
	s.checkPolite(t, rate)
}

// A worker sleeps for three times AckWait in the middle of a chunk, which
// another does meanwhile. When it wakes up it must not go on.
func TestWorkerStopped(t *testing.T) {
	t.Parallel()
	const n, rate = 10, 10
	s := newTargets(t, "127.13.0", 1, time.Millisecond)
	url := serve(t)
	r := newTrial(t, url, "20", s.urls(n)...)
	mustRun(t, r.publishing()...)
	sleeper := work(t, url, "sleeper", rate)
	<-s.seen
	<-s.seen
	sleeper.Process.Signal(syscall.SIGSTOP)
	stopped := time.Now()
	work(t, url, "other", rate)
	mustRun(t, r.collecting()...)
	r.audit(t)
	wait, _ := time.ParseDuration(testWait)
	time.Sleep(time.Until(stopped.Add(3 * wait))) // what is tested is that this time passes
	sleeper.Process.Signal(syscall.SIGCONT)
	eventually(t, "the sleeper dropping its chunk", func() bool {
		return strings.Contains(sleeper.log.String(), errFenced.Error())
	})
	for _, v := range s.all() {
		if v.agent == "sleeper" && v.start.After(stopped.Add(wait)) {
			t.Errorf("the sleeper asked for line %d %v after it was stopped", v.index, v.start.Sub(stopped))
		}
	}
	s.checkPolite(t, rate)
}

// Publishers die before they have noted what they published, and collectors
// before they have acknowledged what they wrote.
func TestPublisherAndCollectorKilled(t *testing.T) {
	t.Parallel()
	const n = 1200
	s := newTargets(t, "127.14.0", 60, 0)
	url := serve(t)
	r := newTrial(t, url, "5", s.urls(n)...)
	work(t, url, "worker", 0)
	for i := range 3 {
		p := start(t, []string{killEnv + "=published a batch 2"}, r.publishing()...)
		p.wait(t)
		if got := p.exitCode(); got != -1 && i == 0 {
			t.Errorf("publisher ended with %d; want it killed:\n%s", got, p.log)
		}
	}
	mustRun(t, r.publishing()...)
	for range 3 {
		p := start(t, []string{killEnv + "=kept 20"}, r.collecting()...)
		p.wait(t)
		if got := p.exitCode(); got != -1 {
			t.Errorf("collector ended with %d; want it killed:\n%s", got, p.log)
		}
	}
	mustRun(t, r.collecting()...)
	r.audit(t)
	s.checkPolite(t, 0)
}

// A worker that the server does not know any more ends, and says why.
func TestWorkerLockedOut(t *testing.T) {
	t.Parallel()
	addr, dir := freeAddr(t), t.TempDir()
	serve := func(token string) *proc {
		p := start(t, nil, "server", "-listen", addr, "-token", token, "-store", dir)
		eventually(t, "serving", func() bool { return strings.Contains(p.log.String(), "serving") })
		return p
	}
	srv := serve(testToken)
	p := work(t, "nats://"+addr, "worker", 0)
	eventually(t, "waiting", func() bool { return strings.Contains(p.log.String(), "waiting") })
	srv.kill()
	serve("another token")
	p.wait(t)
	if p.exitCode() != cli.Misused || !strings.Contains(p.log.String(), "Authorization Violation") {
		t.Errorf("the worker ended with %d:\n%s", p.exitCode(), p.log)
	}
}

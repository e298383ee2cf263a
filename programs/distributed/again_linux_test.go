package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/checker/examples/cli"
)

// nights is a list that run checks again and again.
type nights struct {
	*targets
	list, out string
	lines     int
}

func newNights(t *testing.T, net24 string, n int) nights {
	t.Helper()
	s := newTargets(t, net24, 4, 0)
	return nights{s, writeList(t, s.urls(n)...), t.TempDir(), n}
}

// run starts run.
func (s nights) run(t *testing.T, flags ...string) *proc {
	t.Helper()
	return start(t, nil, append([]string{"run", "-f", s.list, "-o", s.out, "-workers", "1", "-host-rate", "0"}, flags...)...)
}

// wants fails the test unless a run that has ended said something, and there are so
// many results, of so many visits in all.
func (s nights) wants(t *testing.T, p *proc, said string, results, visits int) {
	t.Helper()
	p.wait(t)
	if p.exitCode() != 0 || !strings.Contains(p.log.String(), said) {
		t.Errorf("%v ended with %d; want 0 and %q:\n%s", p.Args[1:], p.exitCode(), said, p.log)
	}
	files, err := filepath.Glob(s.out + "/results-*.jsonl")
	if err != nil || len(files) != results {
		t.Errorf("there are the results %v, %v; want %d", files, err, results)
	}
	if got := len(s.all()); got != visits {
		t.Errorf("the sites had %d visits; want %d", got, visits)
	}
	checkResults(t, s.out, s.lines, "online")
}

// A run every night gives a result every night, and one that is not to check again says
// whose results it shows.
func TestThreeNights(t *testing.T) {
	t.Parallel()
	const n = 12
	s := newNights(t, "127.20.0", n)
	s.wants(t, s.run(t, "-again"), " UTC, the first ", 1, n)
	first, err := os.ReadFile(s.out + "/results.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	s.wants(t, s.run(t, "-again"), " UTC, the first ", 2, 2*n)
	s.wants(t, s.run(t), "nothing was checked: all of 12 lines were, in the run of 20", 2, 2*n)
	s.wants(t, s.run(t, "-again"), "12 results, 0 missing", 3, 3*n)
	files, _ := filepath.Glob(s.out + "/results-*.jsonl")
	if kept, err := os.ReadFile(files[0]); err != nil || string(kept) != string(first) {
		t.Errorf("the results of the first night have changed, %v", err)
	}
}

// A night that was interrupted is finished before the next begins.
func TestNightInterrupted(t *testing.T) {
	t.Parallel()
	const n = 40
	s := newNights(t, "127.21.0", n)
	p := s.run(t, append(patientWait, "-again", "-chunk", "1", "-host-rate", "4")...)
	for range n / 4 {
		<-s.seen
	}
	p.Process.Signal(syscall.SIGTERM)
	p.wait(t)
	if p.exitCode() != 128+int(syscall.SIGTERM) || !strings.Contains(p.log.String(), "the same command without -again goes on from there") {
		t.Errorf("run ended with %d:\n%s", p.exitCode(), p.log)
	}
	p = s.run(t, "-again", "-chunk", "1")
	p.wait(t)
	if !strings.Contains(p.log.String(), "is not finished") {
		t.Errorf("the next run does not say that the last one is not finished:\n%s", p.log)
	}
	p.wait(t)
	visits := len(s.all())
	s.wants(t, p, "40 results, 0 missing", 2, visits)
	// Chunks that were out when the first run ended, at most one of each of four sites, were
	// asked for once more.
	if visits < 2*n || visits > 2*n+4 {
		t.Errorf("the sites had %d visits; want %d, and at most four more", visits, 2*n)
	}
}

// Each part by itself: a list is published again once it is collected, and the results
// of the runs do not mix.
func TestPublishAgain(t *testing.T) {
	t.Parallel()
	const n = 12
	s := newTargets(t, "127.22.0", 4, 0)
	url := serve(t)
	r := newTrial(t, url, "3", s.urls(n)...)
	mustRun(t, r.publishing(append(patientWait, "-again")...)...)
	if got := mustRun(t, r.publishing()...); !strings.Contains(got, "nothing was published") {
		t.Errorf("publish of what is published: %s", got)
	}
	if _, err := command(t, r.publishing("-again")...); err == nil || !strings.Contains(err.Error(), "is not finished") {
		t.Errorf("publish -again of what is not checked = %v; want it refused", err)
	}
	work(t, url, "worker", 0)
	mustRun(t, r.collecting()...)
	r.audit(t)
	if got := mustRun(t, r.collecting()...); !strings.Contains(got, "of the run of 20") {
		t.Errorf("collect does not tell the age of the results: %s", got)
	}
	old := r.out
	mustRun(t, r.publishing("-again")...)
	mustRun(t, r.collecting()...)
	r.audit(t)
	if got := len(s.all()); got != 2*n {
		t.Errorf("the sites had %d visits; want %d", got, 2*n)
	}
	r.out = t.TempDir()
	if _, err := command(t, r.collecting()...); err == nil || !strings.Contains(err.Error(), "was collected before") {
		t.Errorf("collect of what was collected to %s = %v; want it refused", old, err)
	}
	if _, err := command(t, "audit", "-f", r.list, "-chunk", r.chunk, "-o", r.out); cli.Status(err) != cli.NotWanted {
		t.Errorf("the audit of a list without results = %v; want status %d", err, cli.NotWanted)
	}
}

// A collector leaves what is of a later run to that run's own, and drops what comes
// late of an earlier one.
func TestCollectOtherRun(t *testing.T) {
	t.Parallel()
	s := newTargets(t, "127.23.0", 4, 0)
	url := serve(t)
	r := newTrial(t, url, "3", s.urls(4)...)
	mustRun(t, r.publishing()...)
	q := observe(t, url)
	l, err := source{File: r.list, Chunk: 3, Partitions: 64}.open()
	if err != nil {
		t.Fatal(err)
	}
	now, err := q.awaitRun(t.Context(), quiet(), l.id)
	if err != nil {
		t.Fatal(err)
	}
	late := newID("20200101T000000Z-"+l.id, 0, 0)
	if err := q.send(t.Context(), resultSubject(late), late, nil, []byte("{}\n")); err != nil {
		t.Fatal(err)
	}
	k, err := newCollector(quiet(), store{r.out}, list{id: l.id, run: now, lines: 4})
	if err != nil {
		t.Fatal(err)
	}
	early := newID(newRun(l.id, now, runBegan(now)), 0, 0)
	if err := q.send(t.Context(), resultSubject(early), early, nil, []byte("{}\n")); err != nil {
		t.Fatal(err)
	}
	if err := k.collect(t.Context(), q); err == nil || !strings.Contains(err.Error(), errNewRun.Error()) {
		t.Errorf("collect with results of a later run = %v; want %v", err, errNewRun)
	}
	eventually(t, "the early results alone in the queue", func() bool {
		n, err := count(t.Context(), q.results, resultsStream+".>")
		return err == nil && n == 1
	})
	if n := k.have.Load(); n != 0 {
		t.Errorf("%d lines have a result; want none", n)
	}
}

// A chunk that is handed back in order is not one whose worker died: however often, it is
// not called poison, and nobody waits for AckWait.
func TestHandedBack(t *testing.T) {
	t.Parallel()
	s := newTargets(t, "127.28.0", 1, 2*time.Second)
	n := nights{s, writeList(t, s.urls(1)...), t.TempDir(), 1}
	for range maxDeliveries {
		p := n.run(t, patientWait...)
		select {
		case <-s.seen:
		case <-p.done:
		}
		p.Process.Signal(syscall.SIGTERM)
		p.wait(t)
		if p.exitCode() != 128+int(syscall.SIGTERM) {
			t.Fatalf("run ended with %d:\n%s", p.exitCode(), p.log)
		}
	}
	p := n.run(t)
	p.wait(t)
	if p.exitCode() != 0 || !strings.Contains(p.log.String(), "1 online") {
		t.Errorf("the last run ended with %d; want 0 and 1 online:\n%s", p.exitCode(), p.log)
	}
}

// So it is where a worker is told to end by a signal: nobody waits for AckWait.
func TestHandedBackBySignal(t *testing.T) {
	t.Parallel()
	s := newTargets(t, "127.28.1", 1, 2*time.Second)
	url := serve(t)
	r := newTrial(t, url, "1", s.urls(1)...)
	mustRun(t, r.publishing(patientWait...)...)
	for range maxDeliveries {
		w := work(t, url, "w", 0)
		select {
		case <-s.seen:
		case <-w.done:
		case <-time.After(patience):
			t.Fatal("the chunk was not handed back")
		}
		w.Process.Signal(syscall.SIGTERM)
		w.wait(t)
	}
	w := work(t, url, "w", 0)
	mustRun(t, r.collecting()...)
	w.kill()
	r.audit(t)
}

// What a run has reported is out of the queue when it ends, and not checked by the next.
func TestEndsAcknowledged(t *testing.T) {
	t.Parallel()
	const n = 8
	s := newNights(t, "127.29.0", n)
	p := start(t, nil, "run", "-f", s.list, "-o", s.out, "-workers", "1", "-host-rate", "2")
	s.wants(t, p, "8 online", 1, n)
	e := inside(t, filepath.Join(s.out, "store"))
	q, err := openQueue(t.Context(), quiet(), e.js, 0)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := count(t.Context(), q.jobs, jobsStream+".>"); err != nil || left != 0 {
		t.Errorf("%d chunks are in the queue, %v; want none", left, err)
	}
}

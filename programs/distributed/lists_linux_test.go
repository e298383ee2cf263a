package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Two lists with the same sites are checked at once, each with results of its own, and
// the sites as politely as by one.
func TestTwoLists(t *testing.T) {
	t.Parallel()
	const n, rate = 60, 10
	s := newTargets(t, "127.24.0", 6, time.Millisecond)
	url, all := serve(t), s.urls(2*n)
	one, two := newTrial(t, url, "3", all[:n]...), newTrial(t, url, "3", all[n:]...)
	mustRun(t, one.publishing(patientWait...)...)
	mustRun(t, two.publishing(patientWait...)...)
	for i := range 3 {
		work(t, url, fmt.Sprintf("worker-%d", i), rate)
	}
	wait := inBackground(t, one.collecting()...)
	mustRun(t, two.collecting()...)
	wait()
	one.audit(t)
	two.audit(t)
	if got := len(s.all()); got != 2*n {
		t.Errorf("the sites had %d visits; want %d", got, 2*n)
	}
	s.checkPolite(t, rate)
}

// A queue may have few partitions, or many; workers find out, and the other parts must
// be told.
func TestPartitions(t *testing.T) {
	t.Parallel()
	const n = 60
	s := newTargets(t, "127.27.0", 20, 0)
	for _, partitions := range []string{"1", "200"} {
		url := serve(t)
		r := newTrial(t, url, "5", s.urls(n)...)
		mustRun(t, r.publishing("-partitions", partitions)...)
		work(t, url, "worker", 0)
		if _, err := command(t, r.collecting()...); err == nil || !strings.Contains(err.Error(), "made with -partitions "+partitions) {
			t.Errorf("collect of a queue of %s partitions = %v; want it refused", partitions, err)
		}
		mustRun(t, append(r.collecting(), "-partitions", partitions)...)
		mustRun(t, "audit", "-f", r.list, "-chunk", r.chunk, "-o", r.out, "-partitions", partitions)
		checkResults(t, r.out, n, "online")
		if _, err := command(t, "audit", "-f", r.list, "-chunk", r.chunk, "-o", r.out); err == nil || !strings.Contains(err.Error(), "-partitions") {
			t.Errorf("audit with other partitions = %v; want it refused", err)
		}
	}
}

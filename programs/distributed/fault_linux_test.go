package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// A line that ends its worker each time ends up alone, and then in quarantine;
// the lines that were in a chunk with it are checked.
func TestPoison(t *testing.T) {
	t.Parallel()
	const n = 16
	s := newTargets(t, "127.15.0", 1, 0)
	urls := s.urls(n)
	list, out := writeList(t, urls...), t.TempDir()
	p := start(t, []string{poisonEnv + "=" + urls[5]},
		"run", "-f", list, "-chunk", "4", "-o", out, "-ack-wait", "1s", "-workers", "2", "-host-rate", "0")
	p.wait(t)
	if p.exitCode() != 0 {
		t.Fatalf("run ended with %d:\n%s", p.exitCode(), p.log)
	}
	for _, want := range []string{"16 results, 0 missing, 0 too many", "15 online, 1 unknown", "1 quarantined"} {
		if !strings.Contains(p.log.String(), want) {
			t.Errorf("the summary does not say %q:\n%s", want, p.log)
		}
	}
	data, err := os.ReadFile(out + "/results.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if got := strings.Contains(text, `"quarantined":true`); got != (i == 5) {
			t.Errorf("line %d in quarantine: %v", i, got)
		}
	}
	s.checkPolite(t, 0)
}

// A full queue stops the publisher, and leaves room for chunks that are split.
func TestFullQueue(t *testing.T) {
	t.Parallel()
	const n = 300
	s := newTargets(t, "127.16.0", 1, 0)
	url := serve(t)
	r := newTrial(t, url, "3", s.urls(n)...)
	defer inBackground(t, r.publishing("-queue", "50")...)()
	q := observe(t, url)
	full := func() uint64 {
		info, err := q.jobs.Info(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return info.State.Msgs
	}
	eventually(t, "nine tenths full", func() bool { return full() == 45 })
	work(t, url, "worker", 0)
	wait := inBackground(t, r.collecting()...)
	for left := n; left > 0; left-- {
		<-s.seen
		if got := full(); got > 45 {
			t.Errorf("there are %d chunks in the queue; want 45 at most", got)
		}
	}
	wait()
	r.audit(t)
}

// The rate of a host holds when its chunks go from worker to worker: each has
// one line here, so no worker knows of an earlier request.
func TestRateAcrossWorkers(t *testing.T) {
	t.Parallel()
	const n, rate = 20, 10
	s := newTargets(t, "127.17.0", 1, 0)
	url := serve(t)
	mustRun(t, newTrial(t, url, "1", s.urls(n)...).publishing()...)
	for i := range 3 {
		work(t, url, fmt.Sprintf("worker-%d", i), rate)
	}
	eventually(t, "all asked for", func() bool { return len(s.all()) == n })
	s.checkPolite(t, rate)
}

// A cluster of three keeps each message three times, and its leader dies.
func TestClusterLeaderKilled(t *testing.T) {
	t.Parallel()
	const n, rate = 400, 10
	s := newTargets(t, "127.18.0", 40, time.Millisecond)
	nodes, urls := cluster(t)
	r := newTrial(t, urls, "20", s.urls(n)...)
	mustRun(t, r.publishing("-replicas", "3")...)
	for i := range 3 {
		work(t, urls, fmt.Sprintf("worker-%d", i), rate)
	}
	wait := inBackground(t, r.collecting()...)
	for range n / 4 {
		<-s.seen
	}
	for _, e := range nodes {
		if e.srv.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, jobsStream) {
			e.srv.Shutdown()
			break
		}
	}
	wait()
	r.audit(t)
	s.checkPolite(t, rate)
}

// cluster starts three servers and returns them and their URLs.
func cluster(t *testing.T) (nodes []*engine, urls string) {
	t.Helper()
	var routes []*url.URL
	for range 3 {
		routes = append(routes, &url.URL{Scheme: "nats", Host: freeAddr(t)})
	}
	var wg sync.WaitGroup
	for i := range 3 {
		host, port, _ := net.SplitHostPort(routes[i].Host)
		o := &server.Options{
			ServerName: fmt.Sprintf("node-%d", i), Host: "127.0.0.1", Port: server.RANDOM_PORT,
			Authorization: testToken, StoreDir: t.TempDir(), Routes: routes,
			Cluster: server.ClusterOpts{Name: "test", Host: host, NoAdvertise: true},
		}
		fmt.Sscan(port, &o.Cluster.Port)
		e := &engine{}
		nodes = append(nodes, e)
		t.Cleanup(e.close)
		wg.Go(func() {
			if err := e.start(quiet(), o); err != nil {
				t.Errorf("node %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	var all []string
	for _, e := range nodes {
		all = append(all, e.srv.ClientURL())
	}
	eventually(t, "a cluster with a leader", func() bool {
		for _, e := range nodes {
			if e.srv.JetStreamIsLeader() && len(e.srv.JetStreamClusterPeers()) == 3 {
				return true
			}
		}
		return false
	})
	return nodes, strings.Join(all, ",")
}

// observe opens a queue that others make.
func observe(t *testing.T, url string) *queue {
	t.Helper()
	e, err := link{NATS: url, credentials: credentials{Token: testToken}}.open(quiet(), nats.Name("observer"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	q, err := openQueue(ctx, quiet(), e.js, 0)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

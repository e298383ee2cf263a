package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"example.com/checker/examples/cli"
)

// inside starts a server inside of the test.
func inside(t *testing.T, dir string) *engine {
	t.Helper()
	e, err := link{Store: dir}.open(quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	return e
}

var testShape = shape{Queue: 100, Replicas: 1, AckWait: 30 * time.Second}

// The streams and consumers are as the guarantees need them.
func TestQueueShape(t *testing.T) {
	e := inside(t, t.TempDir())
	q, err := testShape.make(t.Context(), quiet(), e.js, 64)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []jetstream.Stream{q.jobs, q.results} {
		c := s.CachedInfo().Config
		if c.Retention != jetstream.WorkQueuePolicy || c.Storage != jetstream.FileStorage || c.Discard != jetstream.DiscardNew ||
			c.Duplicates != dedup || c.Compression != jetstream.S2Compression {
			t.Errorf("stream %s: %+v", c.Name, c)
		}
	}
	for p := range 64 {
		consumer, err := e.js.Consumer(t.Context(), jobsStream, partitionConsumer(p))
		if err != nil {
			t.Fatal(err)
		}
		c := consumer.CachedInfo().Config
		if c.MaxAckPending != 1 || c.AckPolicy != jetstream.AckExplicitPolicy || c.MaxDeliver != -1 || c.AckWait != 30*time.Second || c.BackOff != nil {
			t.Errorf("consumer %d: %+v", p, c)
		}
	}
	other := testShape
	other.AckWait = time.Minute
	if q, err = other.make(t.Context(), quiet(), e.js, 64); err != nil || q.ackWait != 30*time.Second {
		t.Errorf("made again: %v, AckWait %v; want that of the first", err, q.ackWait)
	}
}

// Chunks of other lists are told from one's own.
func TestQueueStrange(t *testing.T) {
	e := inside(t, t.TempDir())
	q, err := testShape.make(t.Context(), quiet(), e.js, 64)
	if err != nil {
		t.Fatal(err)
	}
	for want, site := range []string{"a.test", "b.test"} {
		l, err := source{File: writeList(t, site), Chunk: 500, Partitions: 64}.open()
		if err != nil {
			t.Fatal(err)
		}
		p := publisher{app: quiet(), queue: q}
		if p.cursor, err = q.begin(t.Context(), l, false); err != nil {
			t.Fatal(err)
		}
		l.run = p.cursor.Run
		if err := p.publish(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		if n, err := q.strange(t.Context(), l.id); n != want || err != nil {
			t.Errorf("with %d lists there are %d chunks of others, %v; want %d", want+1, n, err, want)
		}
	}
}

// A chunk that comes when the worker has been told to end is handed back.
func TestHandedBackUnbegun(t *testing.T) {
	e := inside(t, t.TempDir())
	q, err := testShape.make(t.Context(), quiet(), e.js, 1)
	if err != nil {
		t.Fatal(err)
	}
	id := newID(strings.Repeat("r", runWidth), 0, 0)
	if err := q.publishAll(t.Context(), []chunk{{id, []line{{target: "a.test"}}}}, "0"); err != nil {
		t.Fatal(err)
	}
	w := &worker{app: quiet()}
	w.manners.define(flag.NewFlagSet("", flag.PanicOnError))
	w.session.begin(t.Context())
	if err := w.open(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("interrupted"))
	for n := range 2 {
		msg, err := w.fetch(t.Context(), 0, 5*time.Second)
		if msg == nil {
			t.Fatalf("fetch %d = nothing, %v; want the chunk", n, err)
		}
		if err := w.handle(ended, msg); err == nil {
			t.Error("a worker that was told to end has handled a chunk")
		}
	}
}

// A server whose disk is full refuses to write from then on, and goes on as if nothing
// were. The program ends instead.
func TestFullStore(t *testing.T) {
	a := &app{out: io.Discard, log: io.Discard, failures: make(chan error, 1)}
	e, err := link{Store: t.TempDir()}.open(a)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	e.srv.Errorf("a client: %v", errors.New("not of the disk"))
	e.srv.Errorf("store %s: %v", "x", &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})
	<-e.over
	if err := <-a.failures; !errors.Is(err, syscall.ENOSPC) || !e.nc.IsClosed() {
		t.Errorf("the program ends with %v, connection closed: %v; want %v, true", err, e.nc.IsClosed(), syscall.ENOSPC)
	}
}

// A queue with other partitions is refused, and so is one of a program that would put
// sites elsewhere.
func TestQueueMismatch(t *testing.T) {
	for _, test := range []struct{ partitions, scheme, want string }{
		{"32", scheme, "the queue was made with -partitions 32, and not 64"},
		{"64", "another", `was made by "another"`},
		{"", scheme, "empty it with the program that made it"},
	} {
		e := inside(t, t.TempDir())
		for name, subject := range map[string]string{jobsStream: "JOBS.*.*.*", resultsStream: "RESULTS.*.*"} {
			if _, err := e.js.CreateStream(t.Context(), jetstream.StreamConfig{
				Name: name, Subjects: []string{subject},
				Metadata: map[string]string{partitionsKey: test.partitions, schemeKey: test.scheme},
			}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := testShape.make(t.Context(), quiet(), e.js, 64); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("make of %q, %q = %v; want %q", test.partitions, test.scheme, err, test.want)
		}
		if _, err := e.js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: listsBucket}); err != nil {
			t.Fatal(err)
		}
		if _, err := openQueue(t.Context(), quiet(), e.js, 64); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("openQueue of %q, %q = %v; want %q", test.partitions, test.scheme, err, test.want)
		}
	}
}

// A message is there once, however often it is sent.
func TestSendOnce(t *testing.T) {
	e := inside(t, t.TempDir())
	q, err := testShape.make(t.Context(), quiet(), e.js, 64)
	if err != nil {
		t.Fatal(err)
	}
	c := chunk{newID(testRun, 3, 1), []line{{0, "x"}}}
	for _, round := range []string{"", "", "again"} { // by its id, and by its subject
		if err := q.publishAll(t.Context(), []chunk{c}, round); err != nil {
			t.Errorf("publish in round %q: %v", round, err)
		}
	}
	info, err := q.jobs.Info(t.Context())
	if err != nil || info.State.Msgs != 1 {
		t.Errorf("%d messages, %v; want 1", info.State.Msgs, err)
	}
}

// Results that were lost after all was done are checked again: the server would
// drop chunks of the same name as duplicates.
func TestRepair(t *testing.T) {
	list, out := writeList(t, "http://:80/", "a%20b A site", "::", "ftp://x"), t.TempDir() // nothing is sent for these
	flags := []string{"-f", list, "-chunk", "2", "-o", out}
	all := func(name string) string {
		t.Helper()
		return mustRun(t, append([]string{name}, flags...)...)
	}
	work := func() {
		t.Helper()
		e := inside(t, filepath.Join(out, "store"))
		defer e.close()
		w := &worker{app: quiet(), manners: manners{Checks: cli.Checks{Timeout: time.Second, Method: "HEAD", Concurrency: 64}, Hands: 64}}
		w.session.begin(t.Context())
		if err := w.open(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for p := range 64 {
			wg.Go(func() {
				msg, err := w.fetch(t.Context(), p, 100*time.Millisecond)
				if err == nil && msg != nil {
					err = w.handle(t.Context(), msg)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if got := all("repair"); !strings.Contains(got, "4 lines are in the queue again") {
		t.Errorf("first: %s", got)
	}
	work()
	all("collect")
	all("audit")
	if _, err := command(t, append([]string{"audit", "-fail"}, flags...)...); cli.Status(err) != cli.Untold {
		t.Errorf("audit -fail of what is unknown: %v; want status %d", err, cli.Untold)
	}
	if err := os.RemoveAll(filepath.Join(out, "chunks")); err != nil {
		t.Fatal(err)
	}
	if _, err := command(t, "audit", "-f", list, "-chunk", "2", "-o", out); cli.Status(err) != cli.NotWanted {
		t.Errorf("the audit of nothing: %v; want status %d", err, cli.NotWanted)
	}
	all("repair")
	work()
	all("collect")
	if got := all("audit"); !strings.Contains(got, "4 results, 0 missing, 0 too many\n4 unknown (4 invalid)") {
		t.Errorf("after the repair: %s", got)
	}
	if got := all("repair"); !strings.Contains(got, " 0 lines are in the queue again") {
		t.Errorf("with nothing to repair: %s", got)
	}
}

func TestRefusals(t *testing.T) {
	list := writeList(t, "example.org")
	e, err := startEngine(quiet(), &server.Options{DontListen: true, StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	busy := e.srv.StoreDir()
	for _, test := range []struct{ args, want string }{
		{"publish -f /no/such/file", "no such file"},
		{"publish -f " + writeList(t) + " -store " + t.TempDir() + " -chunk 0", "has none"},
		{"publish -f " + list + " -store " + filepath.Dir(busy), "in use"},
		{"publish -f " + list + " -nats nats://127.0.0.1:1", "connect to nats://127.0.0.1:1"},
		{"publish -f " + list + " -store " + t.TempDir() + " -ack-wait 1ms", "-ack-wait"},
		{"server -listen 0.0.0.0:0 -store " + t.TempDir(), "token"},
		{"server -listen nonsense", "-listen"},
		{"work -hands 0", "-hands"},
		{"work -timeout 0s", "WithTimeout"},
		{"nonsense", "-h explains"},
		{"audit", "required"},
		{"audit -f " + list + " x", `"x" is no flag`},
		{"audit -f " + filepath.Dir(list), "is a directory, not a list"},
		{"audit -f " + list + " -partitions 0", "-partitions must be from 1 to 4096"},
		{"audit -f " + list + " -partitions 5000", "-partitions must be from 1 to 4096"},
		{"audit -f -", "a list that can be read again"},
		{"audit -f /dev/null", "no list that can be read again"},
	} {
		if _, err := command(t, strings.Fields(test.args)...); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v; want %q", test.args, err, test.want)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, sub := range strings.Fields("run server publish work collect audit repair") {
		out := mustRun(t, sub, "-h")
		if n := strings.Count(out, "\n"); n > 80 || !strings.Contains(out, "Usage: distributed "+sub) {
			t.Errorf("%s -h has %d lines:\n%s", sub, n, out)
		}
	}
}

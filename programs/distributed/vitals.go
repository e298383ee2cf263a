package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"example.com/checker/examples/cli"
)

// families are the metrics, in the order in which they are told.
var families = []struct{ name, kind, help string }{
	{"distributed_results_total", "counter", "Lines that this worker has reported, by verdict."},
	{"distributed_chunks_total", "counter", "Chunks that this worker was given, by what became of them; those that were dropped come again."},
	{"distributed_chunks_in_hand", "gauge", "Chunks that this worker checks now."},
	{"distributed_list_lines", "gauge", "Lines of the list that have a target."},
	{"distributed_list_results", "gauge", "Lines of the list that have a result."},
	{"distributed_run_start_timestamp_seconds", "gauge", "When the run of the list began."},
	{"distributed_queue_messages", "gauge", "Chunks in the queue, to be checked (JOBS) or collected (RESULTS)."},
	{"distributed_connected", "gauge", "Whether there is a connection to the queue."},
}

// series are values by name and labels.
type series map[string]float64

// write writes series in the text format of Prometheus.
func (s series) write(w io.Writer) {
	for _, f := range families {
		var lines []string
		for name, n := range s {
			if name == f.name || strings.HasPrefix(name, f.name+"{") {
				lines = append(lines, fmt.Sprintf("%s %v\n", name, n))
			}
		}
		if len(lines) > 0 {
			slices.Sort(lines)
			fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n%s", f.name, f.help, f.name, f.kind, strings.Join(lines, ""))
		}
	}
}

// vitals are what a process counts of what it does. The zero vitals are ready for use,
// by any number of goroutines.
type vitals struct {
	mu     sync.Mutex
	counts series
}

func (v *vitals) add(n float64, name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.counts == nil {
		v.counts = make(series)
	}
	v.counts[name] += n
}

func (v *vitals) snapshot() series {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := make(series)
	maps.Copy(s, v.counts)
	return s
}

// listener is where a process tells its vitals; nowhere by default.
type listener struct{ Addr string }

func (l *listener) define(f *flag.FlagSet) {
	f.StringVar(&l.Addr, "addr", "", "answer /metrics, for Prometheus, and /healthz at `HOST:PORT`")
}

// tell answers requests until stop is called, and has returned. To each answer measure
// adds what is not counted.
func (l listener) tell(ctx context.Context, a *app, e *engine, measure func(series)) (stop func(), err error) {
	if l.Addr == "" {
		return func() {}, nil
	}
	at, err := net.Listen("tcp", l.Addr)
	if err != nil {
		return nil, fmt.Errorf("-addr: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if err := e.health(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		s := a.snapshot()
		e.measure(r.Context(), s)
		measure(s)
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		s.write(w)
	})
	ctx, cancel := context.WithCancel(ctx)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := cli.Serve(ctx, at, srv, time.Second); err != nil {
			a.logf("-addr: %v", err)
		}
	})
	a.logf("telling /metrics and /healthz at http://%s/", at.Addr())
	return func() { cancel(); wg.Wait() }, nil
}

// health returns why there is no queue to work with now.
func (e *engine) health(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if !e.nc.IsConnected() {
		return nats.ErrDisconnected
	}
	if _, err := e.js.AccountInfo(ctx); err != nil {
		return fmt.Errorf("the queue does not answer: %w", err)
	}
	return nil
}

// measure measures the queue, as far as it answers.
func (e *engine) measure(ctx context.Context, into series) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	into["distributed_connected"] = 0
	if !e.nc.IsConnected() {
		return
	}
	into["distributed_connected"] = 1
	for _, name := range []string{jobsStream, resultsStream} {
		if s, err := e.js.Stream(ctx, name); err == nil {
			into[fmt.Sprintf("distributed_queue_messages{stream=%q}", name)] = float64(s.CachedInfo().State.Msgs)
		}
	}
}

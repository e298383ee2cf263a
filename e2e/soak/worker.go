package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net"
	"runtime/debug"
	"time"

	"example.com/checker"
)

// workerEnv is set in the environment of the process that checks.
const workerEnv = "CHECKER_SOAK_WORKER"

const (
	sampling  = 100 * time.Millisecond // between two looks at the memory
	releasing = 100 * time.Millisecond // the library's promise for letting go of everything
	stalling  = 30 * time.Second       // without a result: the library hangs
)

// A setup is what a worker is told, on its standard input.
type setup struct {
	Options      options
	Seed         uint64
	Port, Closed uint16
	DNS          string
	Root         []byte
	Canary       string // a URL; "" for none
}

// A report is one of what a worker tells, on its standard output: a result, a
// sample, or at the very end what is left.
type report struct {
	Result *result
	Sample *sample
	Left   *leftovers
}

// A result is of a checker.Result what is compared.
type result struct {
	Index, Code, Attempts int
	Status                checker.Status
	Reason                checker.Reason
	Took                  time.Duration
	JSON                  []byte // the whole of it, if it is not what it should be
}

// work checks all sites of a seed.
func work(ctx context.Context, in io.Reader, out io.Writer) error {
	var s setup
	if err := gob.NewDecoder(in).Decode(&s); err != nil {
		return err
	}
	c, err := s.checker()
	if err != nil {
		return err
	}
	if err := warmUp(); err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(out, 64<<10)
	enc := gob.NewEncoder(buffered)
	p := startPulse(ctx)
	defer p.end()
	before := counted()
	if err := s.check(ctx, c, enc, buffered.Flush); err != nil {
		return err
	}
	left := before.left()
	left.Lag = p.end()
	if err := enc.Encode(report{Left: left}); err != nil {
		return err
	}
	return buffered.Flush()
}

// check runs the stream, and reports each result and now and then a sample.
func (s *setup) check(ctx context.Context, c *checker.Checker, enc *gob.Encoder, flush func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d := newDeck(s.Seed, s.Options.Faults)
	ticks := time.NewTicker(sampling)
	defer ticks.Stop()
	watchdog := time.AfterFunc(stalling, func() {
		debug.SetTraceback("all")
		panic(fmt.Sprintf("no result for %v", stalling))
	})
	defer watchdog.Stop()
	results, done := c.Stream(ctx, s.targets(d)), 0
	for {
		var err error
		select {
		case r, ok := <-results:
			if !ok {
				return ctx.Err()
			}
			watchdog.Reset(stalling)
			done++
			err = enc.Encode(report{Result: s.result(d, r)})
		case <-ticks.C:
			if err = enc.Encode(report{Sample: &sample{Checks: done, KiB: resident("VmRSS")}}); err == nil {
				err = flush()
			}
		}
		if err != nil {
			return err
		}
	}
}

func (s *setup) checker() (*checker.Checker, error) {
	root, err := x509.ParseCertificate(s.Root)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	opts := []checker.Option{
		checker.WithTimeout(s.Options.Timeout),
		checker.WithConcurrency(s.Options.Concurrency),
		checker.WithTLSConfig(&tls.Config{RootCAs: roots}),
		checker.WithResolver(&net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.DNS)
		}}),
	}
	if s.Canary != "" {
		opts = append(opts, checker.WithCanaries(s.Canary))
	}
	return checker.New(opts...)
}

func (s *setup) targets(d *deck) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range s.Options.N {
			if !yield(d.kind(i).target(newSite(i, s.Port, s.Closed))) {
				return
			}
		}
	}
}

func (s *setup) result(d *deck, r checker.Result) *result {
	short := &result{
		Index: r.Index, Code: r.StatusCode, Attempts: r.Attempts,
		Status: r.Status(), Reason: r.Reason(), Took: r.Timing.Total,
	}
	if short.wrong(d.kind(r.Index)) != "" || short.late(s.Options.bound()) {
		short.JSON, _ = json.Marshal(r) // nil says as much as the error
	}
	return short
}

// wrong returns what is wrong with the result of a site of a kind: its verdict,
// or its reason or status code only.
func (r *result) wrong(k *kind) string {
	want := k.reason.Status()
	if k.reason == "" {
		want = checker.Online
	}
	switch {
	case r.Status != want:
		return "verdict"
	case r.Reason != k.reason || r.Code != k.code:
		return "reason"
	}
	return ""
}

func (r *result) late(bound time.Duration) bool {
	return r.Took > bound+250*time.Millisecond
}

package main

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

// A site is one of the list.
type site struct {
	target string // as listed
	name   string // its label
}

// readSites returns the sites that a file lists, each once. It returns none for
// no file.
func readSites(file string) (sites []site, err error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	seen := make(map[string]bool)
	list := cli.NewList(f)
	for target := range list.Targets() {
		if s := (site{target, checker.Redact(target)}); !seen[s.name] {
			seen[s.name] = true
			sites = append(sites, s)
		}
	}
	if err := list.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(sites) == 0 {
		return nil, fmt.Errorf("%s lists no sites", file)
	}
	return sites, nil
}

// A monitor checks the sites of a list again and again, and is a
// prometheus.Collector of what it found last. It is safe for concurrent use.
type monitor struct {
	checker  *checker.Checker
	sites    []site
	families []family

	mu     sync.Mutex
	last   []checker.Result // of each site; the zero Result before its first check
	checks int
}

func newMonitor(sites []site, opts ...checker.Option) (*monitor, error) {
	c, err := checker.New(opts...)
	return &monitor{checker: c, sites: sites, families: families("target"), last: make([]checker.Result, len(sites))}, err
}

// apart is how far apart the first checks of two sites are, unless the list is
// too long for that.
const apart = 50 * time.Millisecond

// run checks all sites until ctx ends. Each goes at its own pace, and they begin
// one after another, so that their checks are spread over the time between two.
func (m *monitor) run(ctx context.Context, every time.Duration) {
	if len(m.sites) == 0 {
		return
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	t := time.NewTicker(max(1, min(apart, every/time.Duration(len(m.sites)))))
	defer t.Stop()
	for i := range m.sites {
		wg.Go(func() { m.watch(ctx, i, every) })
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// watch checks one site until ctx ends.
func (m *monitor) watch(ctx context.Context, i int, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for ctx.Err() == nil {
		if r := m.checker.Check(ctx, m.sites[i].target); r.Reason() != checker.ReasonCanceled {
			m.set(i, r)
		}
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
}

func (m *monitor) set(i int, r checker.Result) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last[i] = r
	m.checks++
}

func (m *monitor) Describe(ch chan<- *prometheus.Desc) { describe(ch, m.families) }

// Collect sends the metrics of the sites that have been checked.
func (m *monitor) Collect(ch chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.last {
		if !m.last[i].Start.IsZero() {
			send(ch, m.families, &m.last[i], m.sites[i].name)
		}
	}
}

// summary says how many checks there were, and what they found last.
func (m *monitor) summary() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := make(map[checker.Status]int)
	for _, r := range m.last {
		n[r.Status()]++
	}
	return fmt.Sprintf("%d checks of %d sites, of which last %d were online, %d offline, %d unknown",
		m.checks, len(m.sites), n[checker.Online], n[checker.Offline], n[checker.Unknown])
}

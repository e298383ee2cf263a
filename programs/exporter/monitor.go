package main

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"

	"example.com/checker"
	"example.com/checker/examples/cli"
	"example.com/checker/watch"
)

// A site is one of the list.
type site struct {
	target string // as listed
	name   string // its label
}

// readSites returns the sites that a file lists, each once. It returns none for
// no file.
func readSites(ctx context.Context, file string) (sites []site, err error) {
	if file == "" {
		return nil, nil
	}
	listed, err := cli.ReadSites(ctx, file)
	seen := make(map[string]bool)
	for _, l := range listed {
		if s := (site{l.Target, checker.Redact(l.Target)}); !seen[s.name] {
			seen[s.name] = true
			sites = append(sites, s)
		}
	}
	return sites, err
}

// A monitor checks the sites of a list again and again, and is a
// prometheus.Collector of what it found last. It is safe for concurrent use.
type monitor struct {
	checker  *checker.Checker
	answers  *answers
	families []family

	mu     sync.Mutex
	sites  []watched
	checks map[checker.Status]int
	reload reload // the newest one
}

// A watched site has what was found last of it.
type watched struct {
	site
	last finding
}

// A reload is when the list was read last without an error, and whether it has had any
// since.
type reload struct {
	at     time.Time
	failed bool
}

// newMonitor returns a monitor of sites. Each is a host to itself, and a Retry-After is not
// looked at: a neighbour that hangs, or that asks for its origin to be left alone for an
// hour, is no reason not to look at it. The schedule is gentle enough.
func newMonitor(sites []site, a *answers, opts ...checker.Option) (*monitor, error) {
	c, err := checker.New(append(opts, checker.WithJudge(a.judge), checker.WithHostKey((*url.URL).String), checker.WithRetryAfter(0))...)
	m := &monitor{checker: c, answers: a, families: families("target"), checks: make(map[checker.Status]int)}
	m.list(sites)
	return m, err
}

// run checks all sites until ctx ends. A list that comes meanwhile takes the place of
// the one before.
func (m *monitor) run(ctx context.Context, every time.Duration, lists <-chan []site) {
	for ctx.Err() == nil {
		within, cancel := context.WithCancel(ctx)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			m.watch(within, every)
		}()
		next, listed := []site(nil), false
		select {
		case <-ctx.Done():
		case next, listed = <-lists:
		}
		cancel()
		if <-ended; listed { // by now no Result is of the list before
			m.list(next)
		}
	}
}

// watch checks the sites of the present list until ctx ends.
func (m *monitor) watch(ctx context.Context, every time.Duration) {
	for r := range watch.Run(ctx, m.checker, every, m.targets()) {
		if r.Reason() != checker.ReasonCanceled {
			m.set(r.Index, m.answers.finding(r))
		}
	}
}

func (m *monitor) targets() (all []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sites {
		all = append(all, s.target)
	}
	return all
}

// list takes in a list that was read. What is known of a site stays while it is listed.
func (m *monitor) list(sites []site) {
	m.mu.Lock()
	defer m.mu.Unlock()
	known := make(map[site]finding)
	for _, s := range m.sites {
		known[s.site] = s.last
	}
	m.sites = nil
	for _, s := range sites {
		m.sites = append(m.sites, watched{s, known[s]})
	}
	m.reload = reload{at: time.Now()}
}

// unreadable notes that the list could not be read again.
func (m *monitor) unreadable() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reload.failed = true
}

func (m *monitor) set(i int, f finding) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sites[i].last = f
	m.checks[f.Status()]++
}

// summary says how many checks there were, and what they found last.
func (m *monitor) summary() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := make(map[checker.Status]int)
	for _, s := range m.sites {
		n[s.last.Status()]++
	}
	all := m.checks[checker.Online] + m.checks[checker.Offline] + m.checks[checker.Unknown]
	return fmt.Sprintf("%d checks of %d sites, of which last %d were online, %d offline, %d unknown",
		all, len(m.sites), n[checker.Online], n[checker.Offline], n[checker.Unknown])
}

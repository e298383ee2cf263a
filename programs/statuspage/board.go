package main

import (
	"sync"
	"time"
)

// A board holds all sites, with a version that grows with each change of what is shown
// of one. It is safe for concurrent use.
type board struct {
	mu      sync.Mutex
	sites   []*site
	groups  []string // their names
	version uint64
	fresh   []uint64      // by site: the version that changed it last
	shown   []row         // by site: what that shows of it
	next    time.Time     // when figures may change again
	told    []time.Time   // by site: when that was
	news    chan struct{} // closed, and replaced, with each new version
	ended   time.Time     // when the newest verdict came in, or the board was made

	checks, changes int
}

func newBoard(sites []*site) *board {
	b := &board{
		sites:  sites,
		groups: groupNames(sites),
		fresh:  make([]uint64, len(sites)),
		shown:  make([]row, len(sites)),
		told:   make([]time.Time, len(sites)),
		news:   make(chan struct{}),
		ended:  time.Now(),
	}
	for i, s := range sites {
		b.shown[i] = newRow(i, s, b.ended).still()
	}
	return b
}

// targets returns what to check, in the order of the list.
func (b *board) targets() []string {
	targets := make([]string, len(b.sites))
	for i, s := range b.sites {
		targets[i] = s.target
	}
	return targets
}

// record takes in a verdict on the site with index i, wakes those who wait for
// news, and returns what is to be stored of it.
func (b *board) record(i int, v verdict) record {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sites[i]
	b.checks++
	changed, turned := s.record(v)
	if changed {
		b.changes++
	}
	b.ended = time.Now()
	if b.refresh(i, b.ended) {
		close(b.news)
		b.news = make(chan struct{})
	}
	r := record{
		target:  s.target,
		tracker: s.tracker,
		fault:   s.fault,
		newest:  v,
		oldest:  s.samples[0].at,
		turned:  turned,
	}
	if turned != nil {
		r.message = newMessage(s, *turned)
	}
	return r
}

// figurePause is the time between two rows of which only figures have changed: some ten
// of them a second go to each page, however many there are. Each row has its turn, after
// as many pauses as there are rows, so thirty are not slowed down by that, and each of a
// thousand changes in some two minutes. A row that has another state does not wait.
const figurePause = 100 * time.Millisecond

// refresh makes a version of the board if a row has changed, and reports whether it has.
func (b *board) refresh(i int, now time.Time) bool {
	is, was := newRow(i, b.sites[i], now).still(), b.shown[i]
	figures := is.state() == was.state()
	turn := b.told[i].Add(figurePause * time.Duration(len(b.sites)))
	if is == was || figures && (now.Before(turn) || now.Before(b.next)) {
		return false
	}
	if figures {
		b.next = now.Add(figurePause)
	}
	b.version++
	b.fresh[i], b.shown[i], b.told[i] = b.version, is, now
	return true
}

// A look is what a board shows at one moment.
type look struct {
	version uint64
	news    <-chan struct{} // closed when there is a newer version
	rows    []row
	summary summary
}

// look returns the rows that changed after a version, and the summary of all.
func (b *board) look(since uint64, now time.Time) look {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, s := range b.sites { // time alone makes a state one that nobody has seen for long
		if status, _ := s.shown(now); class(status) != b.shown[i].Class {
			b.refresh(i, now)
		}
	}
	l := look{version: b.version, news: b.news}
	for i, s := range b.sites {
		if b.fresh[i] > since || since == 0 {
			l.rows = append(l.rows, newRow(i, s, now))
		}
	}
	l.summary = newSummary(b, now)
	return l
}

// detail returns what the page of a site shows, by its key.
func (b *board) detail(key string, now time.Time) (d detail, ok bool) {
	b.each(func(i int, s *site) {
		if s.key == key {
			d, ok = newDetail(i, s, now), true
		}
	})
	return d, ok
}

// each calls f with each site while the board is locked.
func (b *board) each(f func(i int, s *site)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, s := range b.sites {
		f(i, s)
	}
}

func (b *board) totals() (checks, changes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.checks, b.changes
}

// idle returns for how long no verdict has come in.
func (b *board) idle(now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return now.Sub(b.ended)
}

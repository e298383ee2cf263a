// Package uplink remembers when this side's network is known to have worked.
//
// What is known are answers: an answer shows that the network worked while it was on its
// way. Of many answers, no further apart than a gap, a [Record] makes spans of time in
// which it worked.
package uplink

import (
	"context"
	"sync"
	"time"
)

const (
	// Between two answers no further apart the network is taken to have worked, or as far
	// as who asks steadily is late by that.
	denseGap = 100 * time.Millisecond

	// An answer shows no more than that of the time before it. A server may take its
	// time while nothing is under way.
	maxCover = 200 * time.Millisecond

	// What was answered so soon had got through when it was sent: TCP sends a SYN again
	// after a second at the earliest.
	maxPrompt = 900 * time.Millisecond
)

// A Proof says what an answer shows beyond that the network carried it. It is a set.
type Proof uint8

const (
	ByName  Proof = 1 << iota // a name was looked up
	OverTLS                   // the site was itself, and no portal in its place

	All    = ByName | OverTLS
	Proofs = All + 1 // how many sets there are
)

// Shows reports whether what shows p shows as much as q.
func (p Proof) Shows(q Proof) bool { return p&q == q }

// A Sign is an answer, as far as it speaks of this side's network.
type Sign struct {
	Host     string
	Proof    Proof
	From, To time.Time // when it was on its way
}

// A Question is what is to be known.
type Question struct {
	Host  string // whose own answers do not count
	Proof Proof  // what answers have to show
	Dense bool   // whether they have to be close together, so that no short cut is between them
	Anew  bool   // whether a request that began after all has to be answered, too, without a break before: what was under way may go on while nothing else does
}

// A Record has what is known. The zero Record is not usable; call [NewRecord]. It is safe
// for concurrent use.
type Record struct {
	mu      sync.Mutex // guards all below; nobody waits for anything under it
	steady  [Proofs]log
	dense   [Proofs]log
	lacked  [Proofs]time.Time // when who ended without such an answer had begun to ask
	changed chan struct{}     // closed when any of these changes; nil if nobody waits
}

// NewRecord returns a Record of nothing, for who asks so often. Asking is heard without a
// break, and a cut that is longer is noticed.
func NewRecord(every time.Duration) *Record {
	r := new(Record)
	for p := range Proofs {
		r.steady[p].gap, r.dense[p].gap = every+denseGap, denseGap
	}
	return r
}

// Saw notes an answer.
func (r *Record) Saw(s Sign) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for p := range Proofs {
		if s.Proof.Shows(p) {
			s.addTo(&r.steady[p])
			s.addTo(&r.dense[p])
		}
	}
	r.notify()
}

// addTo adds what s shows to l.
func (s Sign) addTo(l *log) {
	took := s.To.Sub(s.From)
	l.add(span{s.To.Add(-min(took, maxCover)), s.To, s.From, s.Host})
	if maxCover < took && took <= maxPrompt {
		l.add(span{s.From, s.From, s.From, s.Host})
	}
}

// Lacked notes that somebody who had begun to ask at a moment got no answer that shows p.
func (r *Record) Lacked(p Proof, began time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lacked[p].Before(began) {
		r.lacked[p] = began
	}
	r.notify()
}

func (r *Record) notify() {
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

// Held reports whether the network is known to have worked from one moment to another.
// It waits, up to a third moment, while that may still become known.
func (r *Record) Held(ctx context.Context, q Question, from, to, by time.Time) (held bool, err error) {
	err = r.wait(ctx, func(now time.Time) time.Time {
		log := &r.steady[q.Proof]
		if q.Dense {
			log = &r.dense[q.Proof]
		}
		s := log.around(q.Host, from)
		held = !s.to.Before(to) && !(q.Anew && s.asked.Before(to))
		if held || s.to.IsZero() {
			return now
		}
		return earlier(by, s.to.Add(log.gap+maxPrompt))
	})
	return held, err
}

// Has reports whether there was an answer after a moment.
func (r *Record) Has(q Question, since time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.steady[q.Proof].since(q.Host, since)
}

// Answered reports whether there was an answer after a moment. It waits for one, up to
// another moment, unless who began to ask in between got none.
func (r *Record) Answered(ctx context.Context, q Question, since, by time.Time) (answered bool, err error) {
	err = r.wait(ctx, func(now time.Time) time.Time {
		answered = r.steady[q.Proof].since(q.Host, since)
		if answered || r.lacked[q.Proof].After(since) {
			return now
		}
		return by
	})
	return answered, err
}

// wait calls look, under mu, whenever there is something new, until the moment has come
// that it returned last.
func (r *Record) wait(ctx context.Context, look func(now time.Time) time.Time) error {
	for {
		r.mu.Lock()
		now := time.Now()
		end := look(now)
		if !end.After(now) {
			r.mu.Unlock()
			return nil
		}
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed := r.changed
		r.mu.Unlock()
		timer := time.NewTimer(end.Sub(now))
		select {
		case <-changed:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

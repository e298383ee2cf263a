package dial

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"example.com/checker/internal/resolve"
)

// The address families, as they index arrays, in the order in which they are
// preferred.
const (
	v6 = iota
	v4
)

// A flight is one lookup of one name, in both address families at once.
type flight struct {
	host    string
	began   time.Time
	answers [2]answer // by family

	// Guarded by the mu of the Lookups that the flight belongs to.
	waiters int
	cancel  context.CancelCauseFunc // ends the questions
	found   bool                    // a family has addresses
	expires time.Time               // if found: from when on they are too old to be used
	ended   bool                    // both families are known
	lingers bool                    // it goes on for a while, whether anybody waits for it or not
}

func newFlight(host string, now time.Time, cancel context.CancelCauseFunc) *flight {
	f := &flight{host: host, began: now, cancel: cancel}
	f.answers[v6].done, f.answers[v4].done = make(chan struct{}), make(chan struct{})
	return f
}

// joinable reports whether who comes now may use what f finds.
func (f *flight) joinable(now time.Time) bool {
	if f.found {
		return now.Before(f.expires)
	}
	return now.Sub(f.began) < maxShared
}

// past reports whether f has what is from before now. That one family failed just now
// is not, or of many who come at once each would ask anew.
func (f *flight) past(now time.Time) bool {
	for i := range f.answers {
		if a := &f.answers[i]; a.known() && (f.found || now.Sub(a.at) >= resolutionDelay) {
			return true
		}
	}
	return false
}

func (f *flight) answer(family resolve.Family) *answer {
	if family == resolve.IP6 {
		return &f.answers[v6]
	}
	return &f.answers[v4]
}

// failed reports whether a lookup, which has ended, has failed for a family.
func (f *flight) failed() bool { return failed(f.answers[v6].err) || failed(f.answers[v4].err) }

// An answer is what the lookup says of one family. All but done may be read once it
// is known.
type answer struct {
	done  chan struct{} // closed when the answer is known
	at    time.Time     // when that was
	addrs []netip.Addr
	err   error // non-nil if addrs is empty
}

// known reports whether the answer may be read.
func (a *answer) known() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// publish sets the answer and wakes all who wait for it. It is called once.
func (a *answer) publish(found resolve.Answer, now time.Time) {
	a.addrs, a.err, a.at = found.Addrs, found.Err, now
	close(a.done)
}

// failed reports whether err is anything but the word of all who were to be asked
// that there is no such address.
func failed(err error) bool { return err != nil && !kindOf(err).Missing() }

// kindOf returns the kind of a lookup's error; zero for that of a context.
func kindOf(err error) resolve.Kind {
	if e, ok := errors.AsType[*resolve.Error](err); ok {
		return e.Kind
	}
	return 0
}

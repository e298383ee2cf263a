package resolve

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// maxFailures bounds the failures that an error tells of.
const maxFailures = 8

// A lookup is one call of Lookup. It is used again by later ones.
type lookup struct {
	r       *Resolver
	conf    *conf
	name    string
	settled func(Answer)

	families [2]family
	socks    [maxServers]*socket
	asked    []string // names asked for in DNS
	failures []Failure
	source   string // of nsswitch.conf, that had to be asked and could not be
	refusal  error  // what the system's own resolver said in its place
	scarce   error
	ended    error // why the context ended

	code    dnsmessage.RCode // the last one of the candidate under way
	circuit bool             // it is asked for over TCP
	heard   bool             // some server is there, if only silent
	buf     [bufSize]byte
}

var lookups = sync.Pool{New: func() any { return new(lookup) }}

// A family is what a lookup knows of one family.
type family struct {
	Family
	done bool // settled
	off  bool // resolv.conf wants no questions for it

	// Of all candidates so far. The first kind is that of the name as it is written,
	// if that was asked for before the search list.
	first, last Kind
	noAddress   bool // one of them exists
	failed      bool // one of them was not answered by anybody
	worst       Kind // the largest of the failures
	sink        bool // the candidate that arrived has nothing but the unspecified address

	// Of the candidate under way.
	question
	answered bool
	answer   answer
	tries    int  // how often it was asked for
	kind     Kind // of the last failure
	heard    Kind // the largest of them
}

func (l *lookup) begin(r *Resolver, name string, settled func(Answer)) {
	l.r, l.name, l.settled = r, name, settled
	for i := range l.families {
		f := &l.families[i]
		f.Family, f.typ = IP4, dnsmessage.TypeA
		if i == 1 {
			f.Family, f.typ = IP6, dnsmessage.TypeAAAA
		}
		f.done, f.off, f.first, f.last, f.noAddress, f.failed, f.worst, f.sink = false, false, 0, 0, false, false, 0, false
	}
}

// end gives back what the lookup had, and keeps nothing of what it passed on.
func (l *lookup) end() {
	l.release()
	l.r, l.conf, l.name, l.settled = nil, nil, "", nil
	l.asked, l.failures, l.source, l.refusal, l.scarce, l.ended = nil, nil, "", nil, nil, nil
	lookups.Put(l)
}

func (l *lookup) run(ctx context.Context) {
	if addr, ok := literal(l.name); ok {
		l.local([]netip.Addr{addr})
		l.fail()
		return
	}
	conf, err := l.r.files.current()
	if err != nil {
		l.scarce = err
		l.fail()
		return
	}
	l.conf, l.families[1].off = conf, conf.noAAAA
	if isLocalhost(l.name) {
		l.local(conf.hosts.localhost(l.name))
	} else {
		l.sources(ctx)
	}
	l.fail()
}

// settle tells the caller of a family, once.
func (l *lookup) settle(f *family, a Answer) {
	if f.done {
		return
	}
	f.done = true
	a.Family = f.Family
	l.settled(a)
}

// found settles a family with the addresses of an answer.
func (l *lookup) found(f *family) {
	l.settle(f, Answer{Addrs: append([]netip.Addr(nil), f.answer.addrs()...), TTL: max(0, f.answer.ttl)})
}

// fail settles what is not settled yet. All is known then that will be.
func (l *lookup) fail() {
	for i := range l.families {
		if f := &l.families[i]; !f.done {
			l.settle(f, Answer{Err: l.err(f)})
		}
	}
}

// err returns why there are no addresses in a family.
func (l *lookup) err(f *family) error {
	e := &Error{Kind: l.kind(f), Name: l.name, Family: f.Family, Asked: l.asked}
	if l.conf != nil {
		e.Ndots = l.conf.ndots
	}
	for _, failure := range l.failures {
		if failure.Family == f.Family {
			e.Failures = append(e.Failures, failure)
		}
	}
	if e.Failures == nil {
		e.Failures = l.failures // of the other family, for which this one was not asked for
	}
	switch e.Kind {
	case Unsupported:
		e.Source, e.Err = l.source, l.refusal
	case Scarce:
		e.Err = l.scarce
	default:
		if e.Kind.Failed() {
			e.Err = l.ended
		}
	}
	return e
}

// kind returns the kind of a family's error: a failure outweighs the word of
// others that there is nothing. Of those who say so, the one that was asked for
// the name as it is written counts, then he that knows the name.
func (l *lookup) kind(f *family) Kind {
	switch {
	case f.sink:
		return Sinkhole
	case l.scarce != nil:
		return Scarce
	case f.failed:
		return f.worst
	case l.ended != nil:
		return Silent
	case l.source != "":
		return Unsupported
	case f.first != 0:
		return f.first
	case f.noAddress || f.off:
		return NoAddress
	case f.last != 0:
		return f.last
	}
	return NotFound
}

// until returns the end of a wait that begins now, which ctx may end sooner.
func until(ctx context.Context, wait time.Duration) time.Time {
	end := time.Now().Add(wait)
	if d, ok := ctx.Deadline(); ok && d.Before(end) {
		return d
	}
	return end
}

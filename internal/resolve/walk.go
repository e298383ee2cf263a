package resolve

import (
	"context"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// An outcome is what becomes of the search once a candidate was asked for.
type outcome uint8

const (
	goOn    outcome = iota // no such name, or SERVFAIL: try the next one of the search list
	skip                   // another failure: none of the search list any more, but the name as it is
	stop                   // no server can be reached: none at all
	arrived                // there are records, though maybe no addresses
)

// dns asks the nameservers for the name and for what the search list makes of
// it, in the order and with the exits of the GNU C library: a name with too few
// dots goes through the search list first. Both families go together, and the
// first candidate with records for either decides.
func (l *lookup) dns(ctx context.Context) status {
	name, rooted := strings.CutSuffix(l.name, ".")
	dots := strings.Count(l.name, ".")
	asIs := rooted || dots >= l.conf.ndots
	var asked outcome // of the name as it is
	if asIs {
		asked = l.candidate(ctx, name)
		if rooted || asked == arrived {
			return l.status()
		}
		for i := range l.families {
			f := &l.families[i]
			f.first = f.last
		}
	}
	searched := false
	for _, suffix := range l.conf.search {
		searched = true
		o := asked
		switch {
		case suffix != "":
			o = l.candidate(ctx, name+"."+suffix)
		case !asIs: // the root is the name as it is
			asIs = true
			o = l.candidate(ctx, name)
			asked = o
		}
		if o == arrived || o == stop {
			return l.status()
		}
		if o == skip {
			break
		}
	}
	if !asIs && (dots > 0 || !searched || !l.conf.noTLD) {
		l.candidate(ctx, name)
	}
	return l.status()
}

// status returns what nsswitch.conf would call the result.
func (l *lookup) status() status {
	st := notFound
	for i := range l.families {
		switch f := &l.families[i]; {
		case f.done, f.sink:
			return success
		case f.failed:
			st = unavail
		}
	}
	return st
}

// candidate asks for one name, and for as long as a family has no answer it asks
// the next server, all of them in as many rounds as resolv.conf wants.
func (l *lookup) candidate(ctx context.Context, name string) outcome {
	if l.scarce != nil || l.expired(ctx) {
		return stop
	}
	if !l.begins(name) {
		return skip
	}
	// The seconds that a server has go by its place in resolv.conf, wherever in a
	// rotation its turn comes.
	servers, first := len(l.conf.servers), 0
	if l.conf.rotate {
		first = int(l.r.turn.Add(1) % uint32(servers))
	}
	for range l.conf.attempts {
		for i := range servers {
			l.server(ctx, (first+i)%servers)
			if l.over(ctx) {
				return l.outcome()
			}
		}
		if l.circuit { // TCP loses nothing that is worth another try
			break
		}
	}
	return l.outcome()
}

// begins makes name the candidate under way, if DNS can carry it.
func (l *lookup) begins(name string) bool {
	ok := setName(&l.families[0].name, name)
	l.families[1].name = l.families[0].name
	var id [2]uint16
	id[0], id[1] = l.r.ids()
	for i := range l.families {
		f := &l.families[i]
		f.answered, f.tries, f.kind, f.heard, f.answer.n = false, 0, 0, 0, 0
		switch {
		case ok:
			f.pack(id[i])
		case f.last == 0:
			f.last = Invalid
		}
	}
	if !ok {
		return false
	}
	l.code, l.circuit, l.heard = dnsmessage.RCodeSuccess, l.conf.useTCP, false
	l.asked = append(l.asked, name)
	for i, s := range l.socks {
		if s != nil && s.open > 0 { // what may yet come is no answer to these
			l.drop(i)
		}
	}
	return true
}

// over reports whether the candidate needs no further server.
func (l *lookup) over(ctx context.Context) bool {
	return l.scarce != nil || l.pending() == 0 || l.expired(ctx)
}

// expired reports whether ctx has ended, which its own clock may be late to say.
func (l *lookup) expired(ctx context.Context) bool {
	if l.ended == nil {
		l.ended = context.Cause(ctx)
		if d, ok := ctx.Deadline(); ok && l.ended == nil && !time.Now().Before(d) {
			l.ended = context.DeadlineExceeded
		}
	}
	return l.ended != nil
}

// A set is one of families, by their index.
type set uint8

func (s set) has(i int) bool { return s&(1<<i) != 0 }

// maxTries is how often a family is asked for once the other one is answered. It
// is what the GNU C library does, which takes a server for one that minds two
// questions at once.
const maxTries = 3

// pending returns the families for which it is worth while to ask further. A
// server that fails for one family only is common, and what the other has found
// is enough.
func (l *lookup) pending() (p set) {
	for i := range l.families {
		f, other := &l.families[i], &l.families[1-i]
		switch {
		case f.off, f.answered:
		case other.answered && (f.tries >= maxTries || other.answer.n > 0 && f.kind > Silent):
		default:
			p |= 1 << i
		}
	}
	return p
}

// outcome remembers what the candidate has found for the end of the search.
func (l *lookup) outcome() outcome {
	records, missing := false, false
	for i := range l.families {
		f := &l.families[i]
		switch {
		case f.off:
			continue
		case !f.answered:
			if f.heard == 0 { // it was not asked for, since the other one failed
				f.heard = l.families[1-i].heard
			}
			f.failed, f.worst, f.last = f.failed || f.heard != 0, max(f.worst, f.heard), f.heard
			continue
		case f.answer.code == dnsmessage.RCodeNameError:
			f.last = NotFound
		default:
			f.last, f.noAddress = NoAddress, true
		}
		if f.answer.any {
			records = true
			f.sink = f.answer.sink && f.answer.n == 0
		}
		missing = true
	}
	// A failure of one family is no reason to go elsewhere than the other's answer
	// leads: what there is of both is told at the end.
	switch {
	case records:
		return arrived
	case missing:
		return goOn
	case !l.heard:
		return stop // there is no resolver, and no candidate will find one
	case l.code == dnsmessage.RCodeServerFailure:
		return goOn
	}
	return skip
}

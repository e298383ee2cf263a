package resolve

import (
	"context"
	"errors"
	"syscall"

	"example.com/checker/internal/errno"
)

// server asks one server for the families that are pending.
func (l *lookup) server(ctx context.Context, i int) {
	p := l.pending()
	for k := range l.families {
		if p.has(k) {
			l.families[k].kind = 0
		}
	}
	if l.conf.single || l.conf.reopen {
		l.oneByOne(ctx, i, p)
		return
	}
	l.exchange(ctx, i, p)
	// Some servers, and some firewalls, answer one of two questions that come
	// together. The other is asked again alone, and from another port.
	if left := l.pending(); left != p && l.silent(left) && !l.circuit && !l.over(ctx) {
		l.drop(i)
		l.exchange(ctx, i, left)
	}
}

// oneByOne asks for one family after the other, for the sake of servers that mind
// two questions at once, unless the first one fails: then the next server has both.
func (l *lookup) oneByOne(ctx context.Context, i int, p set) {
	for k := range l.families {
		if !p.has(k) || !l.pending().has(k) {
			continue
		}
		l.exchange(ctx, i, 1<<k)
		if l.conf.reopen {
			l.drop(i)
		}
		if l.families[k].kind != 0 || l.over(ctx) {
			return
		}
	}
}

// silent reports whether the server was silent for the families, which are some.
func (l *lookup) silent(s set) bool {
	for k := range l.families {
		if s.has(k) && l.families[k].kind != Silent {
			return false
		}
	}
	return s != 0
}

// exchange asks a server once. What comes back on a question with EDNS may speak
// of that alone: then the server is asked without, now and by later lookups.
func (l *lookup) exchange(ctx context.Context, i int, ask set) {
	edns := l.conf.edns && !l.conf.plain[i].Load()
	l.transmit(ctx, i, ask, edns)
	if !edns || l.over(ctx) {
		return
	}
	var again set
	for k := range l.families {
		f := &l.families[k]
		switch f.kind {
		case FormatError, NotImplemented, Malformed, Silent:
			if ask.has(k) && !f.answered {
				again |= 1 << k
			}
		}
	}
	if again == 0 || again != ask && l.silent(again) { // the other got through
		return
	}
	l.transmit(ctx, i, again, false)
	for k := range l.families {
		if again.has(k) && l.families[k].answered {
			l.conf.plain[i].Store(true)
		}
	}
}

// transmit asks for some families over UDP, or over TCP if resolv.conf wants that
// or if an answer of this candidate was too long for a datagram. Until then TCP is
// not tried: a server that does not answer over UDP does not over TCP either.
func (l *lookup) transmit(ctx context.Context, i int, ask set, edns bool) {
	wait := until(ctx, l.conf.patience(i))
	for k := range l.families {
		if ask.has(k) {
			l.families[k].tries++
		}
	}
	if l.circuit {
		l.tcp(ctx, i, ask, edns, wait)
		return
	}
	l.udp(ctx, i, ask, edns, wait)
}

// failure remembers what a server did instead of answering.
func (l *lookup) failure(i, k int, kind Kind, err error) {
	f := &l.families[k]
	f.answer.n, f.answer.any = 0, false
	f.kind, f.heard = kind, max(f.heard, kind)
	l.heard = l.heard || kind != Unreachable
	if len(l.failures) < maxFailures {
		l.failures = append(l.failures, Failure{
			Server: l.address(i), Name: l.asked[len(l.asked)-1], Family: f.Family, Kind: kind, Code: f.answer.code, Err: err,
		})
	}
}

func isTimeout(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && e.Timeout()
}

// broken remembers an error of the system for all that were asked for.
func (l *lookup) broken(ctx context.Context, i int, ask set, err error) {
	kind := Unreachable
	number, _ := errno.In(err)
	switch {
	case ctx.Err() != nil:
		kind, err = Silent, context.Cause(ctx)
	case errors.Is(err, syscall.EADDRNOTAVAIL) && l.conf.servers[i].Is6():
		// No address of this machine to ask from, as where IPv6 is switched off.
		err = number
	case errno.Scarce(err):
		l.scarce = number
		return
	case isTimeout(err):
		kind, err = Silent, nil
	case errors.Is(err, errStray), errors.Is(err, errFrames):
		kind = Malformed
	case number != 0:
		err = number
	}
	for k := range l.families {
		if ask.has(k) {
			l.failure(i, k, kind, err)
		}
	}
}

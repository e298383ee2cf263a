package resolve

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"time"

	"example.com/checker/internal/errno"
)

// maxStray bounds the datagrams that are read in vain while waiting for answers.
const maxStray = 10_000

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

// oneByOne asks for one family after the other, unless the first one fails.
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

// udp sends the questions and reads until all are answered, in whatever way, or
// the server has none left to answer.
func (l *lookup) udp(ctx context.Context, i int, ask set, edns bool, wait time.Time) {
	s := l.send(ctx, i, ask, edns)
	for stray := 0; s != nil && ask != 0; {
		n, err := s.read(ctx, l.buf[:], wait)
		if err != nil {
			l.broken(ctx, i, ask, err)
			return
		}
		k := l.whose(l.buf[:n], ask)
		if k < 0 {
			if stray++; stray > maxStray {
				l.broken(ctx, i, ask, errStray)
				return
			}
			continue
		}
		s.open--
		ask &^= 1 << k
		l.read(ctx, i, k, l.buf[:n], edns, wait)
	}
}

// send sends the questions, and returns nil if they cannot be sent. The first
// that is sent on a used socket may meet what became of an earlier one.
func (l *lookup) send(ctx context.Context, i int, ask set, edns bool) *socket {
	for {
		s, used, err := l.socket(ctx, i)
		for k := range l.families {
			if err == nil && ask.has(k) {
				err = s.write(l.families[k].bytes(edns))
			}
		}
		switch {
		case err == nil:
			return s
		case s != nil:
			l.drop(i)
		}
		if !used {
			l.broken(ctx, i, ask, err)
			return nil
		}
	}
}

// socket returns this lookup's socket to a server.
func (l *lookup) socket(ctx context.Context, i int) (s *socket, used bool, err error) {
	if s = l.socks[i]; s != nil && s.asked+2 <= maxAsked {
		return s, true, nil
	}
	l.drop(i)
	s, used, err = l.r.pool.get(ctx, l.address(i), len(l.families))
	l.socks[i] = s
	return s, used, err
}

func (l *lookup) address(i int) netip.AddrPort { return l.r.files.Server(l.conf.servers[i]) }

// drop gives a socket back, which the pool closes if an answer may yet come.
func (l *lookup) drop(i int) {
	if s := l.socks[i]; s != nil {
		l.socks[i] = nil
		l.r.pool.put(s)
	}
}

func (l *lookup) release() {
	for i := range l.socks {
		l.drop(i)
	}
}

// whose returns which of the families a message is an answer for, or -1.
func (l *lookup) whose(msg []byte, ask set) int {
	for k := range l.families {
		if ask.has(k) && l.families[k].answers(msg) {
			return k
		}
	}
	return -1
}

// read reads an answer for a family.
func (l *lookup) read(ctx context.Context, i, k int, msg []byte, edns bool, wait time.Time) {
	f := &l.families[k]
	kind := f.answer.read(msg, &f.question, len(msg) == len(l.buf))
	l.code = f.answer.code
	if kind == cut {
		l.circuit = true
		l.tcp(ctx, i, 1<<k, edns, wait)
		return
	}
	l.take(i, k, kind)
}

// take takes what an answer has, unless there is a reason not to believe it.
func (l *lookup) take(i, k int, kind Kind) {
	f := &l.families[k]
	if kind != 0 {
		l.failure(i, k, kind, nil)
		return
	}
	f.answered = true
	if f.answer.n > 0 {
		l.found(f)
	}
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

var errStray = errors.New("nothing but datagrams that nobody asked for")

func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
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

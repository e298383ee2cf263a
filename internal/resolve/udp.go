package resolve

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// maxStray bounds the datagrams that are read in vain while waiting for answers.
const maxStray = 10_000

var errStray = errors.New("nothing but datagrams that nobody asked for")

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

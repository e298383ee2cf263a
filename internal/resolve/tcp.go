package resolve

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// maxFrames bounds the messages that are read on a connection.
const maxFrames = 16

var errFrames = errors.New("bytes that are no answer")

var frames = sync.Pool{New: func() any { return new([1<<16 - 1]byte) }}

// tcp asks over a connection of its own, all questions at once. What was found over
// UDP stands.
func (l *lookup) tcp(ctx context.Context, i int, ask set, edns bool, wait time.Time) {
	dialing, cancel := context.WithDeadline(ctx, wait)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(dialing, "tcp", l.address(i).String())
	if err != nil {
		l.broken(ctx, i, ask, err)
		return
	}
	defer conn.Close()
	conn.SetDeadline(wait)
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(past) })
	defer stop()

	var msg []byte
	for k := range l.families {
		if ask.has(k) {
			q := l.families[k].bytes(edns)
			msg = append(binary.BigEndian.AppendUint16(msg, uint16(len(q))), q...)
		}
	}
	left := ask
	if _, err = conn.Write(msg); err == nil {
		left, err = l.frames(ctx, i, ask, conn)
	}
	switch {
	case left == 0:
	case left != ask && !isTimeout(err) && !errors.Is(err, errFrames):
		// The server takes one question per connection.
		l.tcp(ctx, i, left, edns, wait)
	default:
		l.broken(ctx, i, left, err)
	}
}

// frames reads answers until there is one for each that was asked for, and
// returns for which there is none.
func (l *lookup) frames(ctx context.Context, i int, ask set, conn net.Conn) (set, error) {
	buf := frames.Get().(*[1<<16 - 1]byte)
	defer frames.Put(buf)
	for range maxFrames {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return ask, err
		}
		msg := buf[:binary.BigEndian.Uint16(size[:])]
		if _, err := io.ReadFull(conn, msg); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errFrames
			}
			return ask, err
		}
		k := l.whose(msg, ask)
		if k < 0 {
			continue
		}
		ask &^= 1 << k
		l.whole(i, k, msg)
		if ask == 0 {
			return 0, nil
		}
	}
	return ask, errFrames
}

// whole reads an answer that came over TCP, where nothing is cut.
func (l *lookup) whole(i, k int, msg []byte) {
	f := &l.families[k]
	kind := f.answer.read(msg, &f.question, false)
	if l.code = f.answer.code; kind == cut {
		kind = Malformed
	}
	l.take(i, k, kind)
}

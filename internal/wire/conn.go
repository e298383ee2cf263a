package wire

import (
	"context"
	"net"
	"time"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/hook"
)

// A conn is a connection that its context's end interrupts.
type conn struct {
	net.Conn        // the TLS connection, once there is one
	raw      socket // the connection below it
	below    *below // the same, as TLS sees it; nil without
	stop     func() bool

	body body // of the response
}

// newConn ties nc to ctx by a function that runs when ctx ends, and only then:
// it costs no goroutine before. If ErrTimeout is the cause, what has come by then is
// still read.
func newConn(ctx context.Context, nc net.Conn) *conn {
	c := &conn{raw: socket{Conn: nc}}
	c.Conn = &c.raw
	c.stop = context.AfterFunc(ctx, func() {
		if end, ok := ctx.Deadline(); ok && !time.Now().Before(end) && context.Cause(ctx) == ErrTimeout {
			c.raw.timeOut(time.Since(end))
		}
		c.interrupt()
	})
	return c
}

// interrupt ends whatever reads or writes, at once: by a deadline in the past or,
// where that is not to be had, by closing. The connection may be a caller's and
// panic, on a goroutine where nobody else would recover.
//
// A caller's may also take a deadline and do nothing about it. It is closed a moment
// later, in which who reads what has come has done so.
func (c *conn) interrupt() {
	err := errExited
	defer func() {
		if err != nil {
			hook.Close(&c.raw)
		} else if !c.raw.kernels() {
			time.AfterFunc(2*lateRead, func() { hook.Close(&c.raw) })
		}
	}()
	err = c.expire()
}

func (c *conn) expire() (err error) {
	defer hook.Recovered(&err)
	return c.raw.SetDeadline(longAgo)
}

var longAgo = time.Unix(1, 0)

// Read implements [net.Conn].
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.below != nil {
		err = c.ofTLS(err)
	}
	return n, err
}

// Close ends the connection in good order, and in time: the TLS layer says so to
// a peer that may not read. A panic of a caller's is an error where TLS is on the way.
func (c *conn) Close() error {
	defer c.drop() // what the last words have kept from it
	err := c.Conn.Close()
	if c.below != nil {
		if hooked := c.below.hooked.Load(); hooked != nil {
			return *hooked
		}
	}
	return err
}

// drop closes the connection, unless it is closed. The TLS layer is passed over, since
// its Close may wait for a peer that does not read.
func (c *conn) drop() {
	c.stop()
	c.raw.Close()
}

// why returns why err ended the exchange: if a caller's code did something wrong or ctx
// has ended, that is why whatever failed has failed, unless this machine has lost the way
// to the peer. Of a timeout it tells how late it was that this side wrote, too.
func (c *conn) why(ctx context.Context, wrote time.Time, err error) error {
	if c.below != nil {
		if hooked := c.below.hooked.Load(); hooked != nil {
			return *hooked
		}
	}
	if ctx.Err() == nil {
		return err
	}
	cause := context.Cause(ctx)
	if cause == ErrTimeout {
		cause = c.lateness(dial.ExplainSilence(c.raw.Conn, cause), wrote)
	}
	if turn := c.raw.turn.Load(); turn > 0 {
		return &dial.TurnError{Idle: time.Duration(turn - 1), Err: cause}
	}
	return cause
}

// kernelTick is a step of the clock by which the kernel says when something came, at most
// (at 100 Hz).
const kernelTick = 10 * time.Millisecond

// lateness adds to err how long the peer had waited when this side wrote, if it has sent
// nothing since. What came after there was nothing to read does not count.
func (c *conn) lateness(err error, wrote time.Time) error {
	heard := time.Now().Add(-dial.SinceReceived(c.raw.Conn))
	if seen := c.raw.heard.Load(); seen != nil {
		heard = *seen
	}
	if took := wrote.Sub(heard); took > kernelTick {
		return &dial.LateError{Took: took, Err: err}
	}
	return err
}

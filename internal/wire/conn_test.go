package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
	"example.com/checker/internal/dial"
	"example.com/checker/internal/emulator"
)

// deafConn takes a deadline and does nothing about it.
type deafConn struct{ net.Conn }

func (deafConn) SetDeadline(time.Time) error { return nil }

// A connection that does nothing about its deadline is closed a moment later, in which what
// comes is still read. To cancel is another thing, after which nothing counts.
func TestDeadlineWithoutEffect(t *testing.T) {
	id := newIdentity(t)
	enough := errors.New("enough")
	for _, tt := range []struct {
		name  string
		p     protocol
		cause error         // of the end
		late  time.Duration // how long after it the answer comes
		after time.Duration // how long after it the exchange ends
		err   error
	}{
		{"a moment late", http1{}, ErrTimeout, 2*lateRead - 1, 2*lateRead - 1, nil},
		{"later", http1{}, ErrTimeout, 2*lateRead + 1, 2 * lateRead, ErrTimeout},
		{"a moment late, over HTTP/2", http2{}, ErrTimeout, 2*lateRead - 1, 2*lateRead - 1, nil},
		{"later, over HTTP/2", http2{}, ErrTimeout, 2*lateRead + 1, 2 * lateRead, ErrTimeout},
		{"a moment late to be canceled, over HTTP/2", http2{}, enough, 2*lateRead - 1, 0, enough},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				rt, url := serve(func(c net.Conn) {
					readRequest(c)
					time.Sleep(time.Second + tt.late)
					io.WriteString(c, ok+"\r\n")
				}), "http://h.test/"
				if tt.p == (http2{}) {
					url = "https://example.com/"
					rt = id.only2(t, func(http.ResponseWriter, *http.Request) { time.Sleep(time.Second + tt.late) })
				}
				dial := rt.Dialer.DialContext
				rt.Dialer.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
					c, err := dial(ctx, network, addr)
					return deafConn{c}, err
				}
				began := time.Now()
				ctx, cancel := context.WithDeadlineCause(t.Context(), began.Add(time.Second), tt.cause)
				defer cancel()
				resp, err := rt.speak(ctx, tt.p, requestOf(newRequest(ctx, http.MethodHead, url)), new(Trace))
				if after := time.Since(began) - time.Second; after != tt.after || !errors.Is(err, tt.err) {
					t.Errorf("exchange error = %v, %v after the end; want %v, %v", err, after, tt.err, tt.after)
				}
				if err == nil {
					resp.Body.Close()
				}
				time.Sleep(time.Second) // until the server has noticed
			})
		})
	}
}

// Why an exchange failed is what ended its context. If it was this side's turn by then, that
// is told, and since when.
func TestWhy(t *testing.T) {
	failed, enough := errors.New("failed"), errors.New("enough")
	for _, tt := range []struct {
		name  string
		cause error // by which the context has ended; nil if it has not
		idle  time.Duration
		want  error
	}{
		{"not at the end", nil, 7 * ms, failed},
		{"canceled", enough, -1, enough},
		{"the timeout", ErrTimeout, -1, ErrTimeout},
		{"the timeout, and this side's turn", ErrTimeout, 7 * ms, ErrTimeout},
		{"the timeout, and this side's turn since who knows when", ErrTimeout, 0, ErrTimeout},
	} {
		here, there := net.Pipe()
		ctx, cancel := context.WithCancelCause(t.Context())
		c := newConn(ctx, here)
		if tt.idle >= 0 {
			c.raw.hadTurn(tt.idle)
			c.raw.hadTurn(time.Hour) // the first time counts
		}
		if tt.cause != nil {
			cancel(tt.cause)
		}
		err := c.why(ctx, time.Now(), failed)
		turn, ok := err.(*dial.TurnError)
		if !errors.Is(err, tt.want) || ok != (tt.idle >= 0 && tt.cause != nil) || ok && turn.Idle != tt.idle {
			t.Errorf("%s: the error is %#v; want %v, and a turn after %v", tt.name, err, tt.want, tt.idle)
		}
		cancel(nil)
		c.drop()
		there.Close()
	}
}

// What this side took before it wrote is told if it is more than a tick of the kernel's
// clock.
func TestLatenessAboveTicks(t *testing.T) {
	if dial.SinceReceivedUnknown {
		t.Log("this system does not tell when a peer last sent something")
		return
	}
	here, _ := tcpPair(t)
	c := newConn(t.Context(), here)
	time.Sleep(100 * ms) // this is the fault
	if dial.SinceReceived(here) == 0 {
		emulator.Skip(t, emulator.QEMU, "no more than four bytes of TCP_INFO")
	}
	for _, took := range []time.Duration{3 * ms, 50 * ms} {
		var err error
		for idle := time.Duration(-1); idle != dial.SinceReceived(here); { // until it ticks at no wrong moment
			idle = dial.SinceReceived(here)
			err = c.lateness(io.EOF, time.Now().Add(took-idle))
		}
		if _, late := err.(*dial.LateError); late != (took > kernelTick) {
			t.Errorf("a side that took %v is late: %t; want it above %v", took, late, kernelTick)
		}
	}
}

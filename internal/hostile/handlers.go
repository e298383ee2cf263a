package hostile

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// OK is a plain response.
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

// Respond reads the request's head, writes raw and closes.
func Respond(raw string) Handler {
	return func(_ context.Context, conn net.Conn) {
		if _, err := ReadHead(conn); err == nil {
			io.WriteString(conn, raw)
		}
	}
}

// RespondTo is Respond with an answer that depends on the request's head and on
// how many connections came before.
func RespondTo(answer func(n int, head string) string) Handler {
	var n atomic.Int64
	return func(_ context.Context, conn net.Conn) {
		i := n.Add(1) - 1
		if head, err := ReadHead(conn); err == nil {
			io.WriteString(conn, answer(int(i), head))
		}
	}
}

// Banner writes raw at once, without waiting for a request, and then keeps
// silent.
func Banner(raw string) Handler {
	return func(ctx context.Context, conn net.Conn) {
		io.WriteString(conn, raw)
		Silent()(ctx, conn)
	}
}

// Silent reads and never answers.
func Silent() Handler {
	return func(ctx context.Context, conn net.Conn) {
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		io.Copy(io.Discard, conn)
	}
}

// Close closes at once, with a FIN.
func Close() Handler { return func(context.Context, net.Conn) {} }

// CloseAfterRequest reads the request's head and closes.
func CloseAfterRequest() Handler { return Respond("") }

// Reset resets at once.
func Reset() Handler {
	return func(_ context.Context, conn net.Conn) { reset(conn) }
}

// ResetAfterRequest reads the request's head and resets.
func ResetAfterRequest() Handler {
	return func(_ context.Context, conn net.Conn) {
		ReadHead(conn)
		reset(conn)
	}
}

// reset makes the Close of a connection send a RST.
func reset(conn net.Conn) {
	if c, ok := conn.(interface{ SetLinger(int) error }); ok {
		c.SetLinger(0)
	}
	conn.Close()
}

// Trickle reads the request's head and writes raw in small pieces.
func Trickle(raw string, size int, every time.Duration) Handler {
	return func(ctx context.Context, conn net.Conn) {
		if _, err := ReadHead(conn); err != nil {
			return
		}
		for rest := raw; rest != ""; {
			n := min(size, len(rest))
			if _, err := io.WriteString(conn, rest[:n]); err != nil || !wait(ctx, every) {
				return
			}
			rest = rest[n:]
		}
	}
}

// Forever reads the request's head, writes prefix and then line(0), line(1) and
// so on for as long as the peer takes them.
func Forever(prefix string, line func(i int) string, every time.Duration) Handler {
	return func(ctx context.Context, conn net.Conn) {
		if _, err := ReadHead(conn); err != nil {
			return
		}
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		_, err := io.WriteString(conn, prefix)
		for i := 0; err == nil && wait(ctx, every); i++ {
			_, err = io.WriteString(conn, line(i))
		}
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Sequence serves the first connection with the first handler and so on; the
// last handler serves all that follow.
func Sequence(hs ...Handler) Handler {
	var n atomic.Int64
	return func(ctx context.Context, conn net.Conn) {
		hs[min(int(n.Add(1))-1, len(hs)-1)](ctx, conn)
	}
}

// ByMethod serves a connection by the method of its request; the handler reads
// the request again.
func ByMethod(hs map[string]Handler) Handler {
	return func(ctx context.Context, conn net.Conn) {
		head, err := ReadHead(conn)
		if err != nil {
			return
		}
		method, _, _ := strings.Cut(head, " ")
		if h := hs[method]; h != nil {
			h(ctx, &again{Conn: conn, r: io.MultiReader(strings.NewReader(head), conn)})
		}
	}
}

// again is a connection of which something is read twice.
type again struct {
	net.Conn
	r io.Reader
}

func (a *again) Read(p []byte) (int, error) { return a.r.Read(p) }

func (a *again) SetLinger(sec int) error {
	if c, ok := a.Conn.(interface{ SetLinger(int) error }); ok {
		return c.SetLinger(sec)
	}
	return nil
}

// HTTP serves a connection by net/http.
func HTTP(h http.Handler) Handler {
	return serveHTTP((*http.Server).Serve, func() *http.Server { return &http.Server{Handler: h} })
}

// HTTP2 is HTTP over TLS, for clients that speak HTTP/2 and for no others.
func HTTP2(conf *tls.Config, h http.Handler) Handler {
	serve := func(srv *http.Server, l net.Listener) error { return srv.ServeTLS(l, "", "") }
	return serveHTTP(serve, func() *http.Server {
		srv := &http.Server{Handler: h, TLSConfig: conf.Clone(), Protocols: new(http.Protocols)} // it adds to the config
		srv.Protocols.SetHTTP2(true)
		return srv
	})
}

// serveHTTP serves each connection by a server of its own.
func serveHTTP(serve func(*http.Server, net.Listener) error, newServer func() *http.Server) Handler {
	return func(ctx context.Context, conn net.Conn) {
		l := &oneConn{conn: conn, done: make(chan struct{})}
		srv := newServer()
		srv.ErrorLog = quiet
		srv.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed || state == http.StateHijacked {
				l.once.Do(func() { close(l.done) })
			}
		}
		defer context.AfterFunc(ctx, func() { srv.Close() })()
		serve(srv, l)
	}
}

// oneConn is a listener of one connection, which ends when that is closed.
type oneConn struct {
	conn  net.Conn
	taken atomic.Bool
	done  chan struct{}
	once  sync.Once
}

func (l *oneConn) Accept() (net.Conn, error) {
	if l.taken.CompareAndSwap(false, true) {
		return l.conn, nil
	}
	<-l.done
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }

// TLS shakes hands as conf says and goes on with h.
func TLS(conf *tls.Config, h Handler) Handler {
	return func(ctx context.Context, conn net.Conn) {
		tc := tls.Server(conn, conf)
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		if tc.Handshake() != nil {
			return
		}
		h(ctx, tc)
		tc.CloseWrite()
	}
}

// AfterHello reads a TLS client's first bytes and goes on with h, in the clear.
func AfterHello(h Handler) Handler {
	return func(ctx context.Context, conn net.Conn) {
		var buf [4096]byte
		if _, err := conn.Read(buf[:]); err == nil {
			h(ctx, conn)
		}
	}
}

// ByHello serves a connection by whether it begins as TLS does. What has been read
// for that is read again.
func ByHello(secure, plain Handler) Handler {
	return func(ctx context.Context, conn net.Conn) {
		const handshake = 22 // the type of a TLS record
		var first [1]byte
		if _, err := io.ReadFull(conn, first[:]); err != nil {
			return
		}
		h := plain
		if first[0] == handshake {
			h = secure
		}
		h(ctx, &again{Conn: conn, r: io.MultiReader(bytes.NewReader(first[:]), conn)})
	}
}

// Sliced makes what h writes go out in small pieces.
func Sliced(h Handler, size int, every time.Duration) Handler {
	return func(ctx context.Context, conn net.Conn) {
		h(ctx, &sliced{Conn: conn, ctx: ctx, size: size, every: every})
	}
}

type sliced struct {
	net.Conn
	ctx   context.Context // of the connection's handler, which outlives every Write
	size  int
	every time.Duration
}

func (s *sliced) Write(p []byte) (n int, err error) {
	for n < len(p) {
		m, err := s.Conn.Write(p[n:min(n+s.size, len(p))])
		n += m
		if err != nil {
			return n, err
		}
		if !wait(s.ctx, s.every) {
			return n, net.ErrClosed
		}
	}
	return n, nil
}

// quiet is where servers of the standard library complain to.
var quiet = log.New(io.Discard, "", 0)

package wire

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
	"example.com/checker/internal/dial"
	"example.com/checker/internal/resolve"
)

const ms = time.Millisecond

// slow is anyHost after a while.
type slow time.Duration

func (s slow) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	time.Sleep(time.Duration(s))
	return anyHost{}.LookupNetIP(ctx, network, host)
}

func TestTrace(t *testing.T) {
	id := newIdentity(t)
	bubble.Test(t, func(t *testing.T) {
		rt := id.serve(func(c net.Conn) {
			time.Sleep(30 * ms) // the handshake
			id.over(func(c net.Conn) {
				readRequest(c)
				time.Sleep(40 * ms)
				io.WriteString(c, "H")
				time.Sleep(50 * ms)
				io.WriteString(c, ok[1:]+"\r\n")
			}, "h2", "http/1.1")(c)
		})
		rt.Dialer.Lookups = dial.NewLookups(resolve.NewCustom(slow(10*ms)), 0)
		connect := rt.Dialer.DialContext
		rt.Dialer.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			time.Sleep(20 * ms)
			return connect(ctx, network, addr)
		}
		began := time.Now()
		var sent []time.Duration
		tr := Trace{Watcher: &heard{sent: func() { sent = append(sent, time.Since(began)) }}}
		resp, err := rt.Exchange(t.Context(), requestOf(newRequest(t.Context(), http.MethodHead, "https://example.com/")), &tr)
		if err != nil {
			t.Fatalf("exchange error = %v; want nil", err)
		}
		defer resp.Body.Close()
		if got, want := time.Since(began), 150*ms; got != want {
			t.Errorf("exchange took %v; want %v", got, want)
		}
		if want := (dial.Times{DNS: 10 * ms, Connect: 20 * ms}); tr.Times != want || tr.TLS != 30*ms || tr.First != 40*ms {
			t.Errorf("Trace times = %v, TLS %v, First %v; want %v, 30ms, 40ms", tr.Times, tr.TLS, tr.First, want)
		}
		if tr.Stage != Receive || tr.Peer.String() != peer {
			t.Errorf("Trace stage %d, peer %v; want %d, %v", tr.Stage, tr.Peer, Receive, peer)
		}
		if want := []time.Duration{60 * ms}; !slices.Equal(sent, want) {
			t.Errorf("Sent was called at %v; want %v", sent, want)
		}
		if tr.State == nil || tr.State != resp.TLS || tr.State.NegotiatedProtocol != "http/1.1" {
			t.Errorf("Trace state = %+v, of the response %+v; want the same", tr.State, resp.TLS)
		}
	})
}

// stall is a server that takes a connection and never says a word.
func stall(c net.Conn) { silence(c) }

// deaf is one that does not even read.
func deaf(ended chan struct{}) func(net.Conn) {
	return func(c net.Conn) {
		<-ended
		c.Close()
	}
}

// Whatever an exchange waits for, it ends when its context does, tells how far
// it has come, and closes its connection.
func TestCancel(t *testing.T) {
	id := newIdentity(t)
	cause := errors.New("enough")
	for _, tt := range []struct {
		name  string
		url   string
		serve func(net.Conn)
		hang  Stage // Lookup or Connect: hang there; no server is reached
		want  Stage
	}{
		{name: "lookup", url: "http://h.test/", hang: Lookup, want: Lookup},
		{name: "C2 connect", url: "http://192.0.2.1/", hang: Connect, want: Connect},
		{name: "D13 handshake", url: "https://example.com/", serve: stall, want: TLS},
		{name: "H7 request", url: "http://h.test/", want: Send},
		{name: "C6 response", url: "http://h.test/", serve: stall, want: Receive},
		{name: "E12 half a head", url: "http://h.test/", serve: func(c net.Conn) { answer(ok + "A: b\r\n")(c); stall(c) }, want: Receive},
		{name: "E20 100 and silence", url: "http://h.test/", serve: func(c net.Conn) { answer("HTTP/1.1 100 Continue\r\n\r\n")(c); stall(c) }, want: Receive},
		{name: "H1 one byte a second", url: "http://h.test/", serve: trickle(ok, 1), want: Receive},
		{name: "H2 one line a second", url: "http://h.test/", serve: trickle(ok+"AAA: bbb\r\n", 10), want: Receive},
		{name: "response over TLS", url: "https://example.com/", serve: id.over(stall, "http/1.1"), want: Receive},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, deadline := range []bool{false, true} {
				bubble.Test(t, func(t *testing.T) {
					ended := make(chan struct{})
					handle := tt.serve
					if handle == nil {
						handle = deaf(ended)
					}
					rt := id.serve(handle)
					if tt.hang == Lookup && tt.want == Lookup {
						rt.Dialer.Lookups = dial.NewLookups(resolve.NewCustom(hangs{}), 0)
					}
					if tt.hang == Connect {
						rt.Dialer.DialContext = hangs{}.DialContext
					}
					ctx, cancel := context.WithCancelCause(t.Context())
					if deadline {
						var stop context.CancelFunc
						ctx, stop = context.WithTimeoutCause(ctx, 5500*ms, cause)
						defer stop()
					}
					time.AfterFunc(5500*ms, func() {
						if !deadline {
							cancel(cause)
						}
					})
					tr := new(Trace)
					began := time.Now()
					_, err := rt.Exchange(ctx, requestOf(newRequest(ctx, http.MethodHead, tt.url)), tr)
					took := time.Since(began)
					close(ended)
					if took != 5500*ms || tr.Stage != tt.want {
						t.Errorf("exchange ended after %v in stage %d; want 5.5s, %d", took, tr.Stage, tt.want)
					}
					var ne net.Error // a connection may see its deadline before ctx does
					if !errors.Is(err, cause) && !errors.Is(err, context.Canceled) && !(deadline && errors.As(err, &ne) && ne.Timeout()) {
						t.Errorf("exchange error = %v; want %v", err, cause)
					}
					cancel(nil)
					// The server ends when the connection does, or the bubble fails.
					time.Sleep(time.Minute)
				})
			}
		})
	}
}

// trickle returns what answers with n bytes of s a second, over and over.
func trickle(s string, n int) func(net.Conn) {
	return func(c net.Conn) {
		readRequest(c)
		for i := 0; ; i += n {
			rest := s[min(i, len(s)-n):]
			if _, err := io.WriteString(c, rest[:n]); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	}
}

// hangs is a resolver and a dialer that never answer.
type hangs struct{}

func (hangs) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (hangs) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// The context bounds the body, too.
func TestCancelBody(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		rt := serve(func(c net.Conn) {
			answer(ok + "Content-Length: 9\r\n\r\nhello")(c)
			stall(c)
		})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		resp, err := rt.roundTrip(newRequest(ctx, http.MethodGet, "http://h.test/"))
		if err != nil {
			t.Fatalf("exchange error = %v; want nil", err)
		}
		began := time.Now()
		got, err := io.ReadAll(resp.Body)
		if string(got) != "hello" || err == nil || time.Since(began) != time.Second {
			t.Errorf("body = %q, %v after %v; want hello and an error after 1s", got, err, time.Since(began))
		}
		resp.Body.Close()
	})
}

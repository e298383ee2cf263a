package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/checker/internal/bubble"
)

// A pipes is a Listener of connections that serve opens.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	if c, ok := <-p.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.conns) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// only2 starts a server of HTTP/2 alone and returns a Transport to it. It must
// be called in a bubble.
func (id identity) only2(t *testing.T, handler http.HandlerFunc) *Transport {
	l := &pipes{conns: make(chan net.Conn)}
	srv := &http.Server{
		Handler:   handler,
		Protocols: new(http.Protocols),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{id.cert}},
	}
	srv.Protocols.SetHTTP2(true)
	go srv.ServeTLS(l, "", "")
	t.Cleanup(func() { srv.Close() })
	rt := id.serve(nil)
	rt.Dialer.DialContext = func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		l.conns <- there
		return peerConn{here}, nil
	}
	return rt
}

func TestHTTP2(t *testing.T) {
	id := newIdentity(t)
	bubble.Test(t, func(t *testing.T) {
		rt := id.only2(t, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(40 * ms)
			w.Header().Set("Host-Was", r.Host)
			w.Header().Set("Path-Was", r.RequestURI)
			w.WriteHeader(404)
			io.WriteString(w, strings.Repeat("x", MaxBody+9))
		})
		if _, err := rt.roundTrip(newRequest(t.Context(), http.MethodGet, "https://example.com/")); !isHTTP2(err) {
			t.Errorf("exchange error = %v; want an only2Error", err)
		}
		for _, tt := range []struct{ url, host, path string }{
			{"https://example.com/", "example.com", "/"},
			{"https://example.com:8443/a%2Fb?c", "example.com:8443", "/a%2Fb?c"},
			{"https://example.com./", "example.com", "/"},
			{"https://example.com.:8443/", "example.com:8443", "/"},
			{"https://example.com.:8443/a|b?c|d", "example.com:8443", "/a|b?c|d"},
		} {
			sent := 0
			h := &heard{sent: func() { sent++ }}
			tr := &Trace{Watcher: h}
			req := requestOf(newRequest(t.Context(), http.MethodGet, tt.url))
			req.URL = readTarget(t, tt.url)
			resp, err := rt.Exchange(t.Context(), req, tr)
			if err != nil {
				t.Fatalf("Exchange(%q) error = %v; want nil", tt.url, err)
			}
			if resp.StatusCode != 404 || resp.Proto != "HTTP/2.0" || resp.Request != nil {
				t.Errorf("Exchange(%q) = %s %s; want HTTP/2.0 404", tt.url, resp.Proto, resp.Status)
			}
			if host, path := resp.Header.Get("Host-Was"), resp.Header.Get("Path-Was"); host != tt.host || path != tt.path {
				t.Errorf("Exchange(%q) asks %q for %q; want %q, %q", tt.url, host, path, tt.host, tt.path)
			}
			if got, err := io.ReadAll(resp.Body); len(got) != MaxBody || err != nil {
				t.Errorf("body of %d bytes, %v; want %d, nil", len(got), err, MaxBody)
			}
			resp.Body.Close()
			if sent != 1 || h.again != 1 || tr.Stage != Receive || tr.First != 40*ms || tr.Peer.String() != peer || tr.State.NegotiatedProtocol != "h2" {
				t.Errorf("Trace = %+v, Sent called %d times and Again %d; want once each", tr, sent, h.again)
			}
		}
	})
}

// A server that does not agree on HTTP/2 is not spoken to in it.
func TestNoHTTP2(t *testing.T) {
	id := newIdentity(t)
	for _, tt := range []struct {
		protos []string
		want   error
	}{
		{nil, errNoHTTP2},
		{[]string{"http/1.1"}, errAny}, // crypto/tls refuses the handshake
	} {
		bubble.Test(t, func(t *testing.T) {
			got := ""
			rt := id.serve(id.over(func(c net.Conn) { got = readRequest(c) }, tt.protos...))
			_, err := rt.speak(t.Context(), http2{}, requestOf(newRequest(t.Context(), http.MethodHead, "https://example.com/")), new(Trace))
			synctest.Wait()
			if err == nil || tt.want != errAny && !errors.Is(err, tt.want) || got != "" {
				t.Errorf("HTTP/2 to a server of %q = %v after %q; want %v and nothing sent", tt.protos, err, got, tt.want)
			}
		})
	}
}

func TestCancel2(t *testing.T) {
	id := newIdentity(t)
	cause := errors.New("enough")
	for _, tt := range []struct {
		name  string
		serve func(net.Conn)
		stage Stage
	}{
		{"handshake", stall, TLS},
		{"no frame", id.over(stall, "h2"), Receive},
		{"settings only", id.over(func(c net.Conn) {
			go silence(c)
			io.WriteString(c, settings)
			time.Sleep(time.Minute)
		}, "h2"), Receive},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				rt := id.serve(tt.serve)
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(cause) })
				tr := new(Trace)
				began := time.Now()
				_, err := rt.speak(ctx, http2{}, requestOf(newRequest(ctx, http.MethodHead, "https://example.com/")), tr)
				took := time.Since(began)
				time.Sleep(time.Minute) // until the server has noticed
				if took != time.Second || !errors.Is(err, cause) || tr.Stage != tt.stage {
					t.Errorf("HTTP/2 = %v after %v in stage %d; want %v after 1s in %d", err, took, tr.Stage, cause, tt.stage)
				}
			})
		})
	}
}

// Servers that break HTTP/2 off are told of soon, over one connection, and apart from those
// that break its rules.
func TestBroken2(t *testing.T) {
	const head = "\x00\x00\x00\x04\x00\x00\x00\x00\x00" // an empty SETTINGS
	for name, test := range map[string]struct {
		raw  string
		want string // gone: it ended the exchange; broke: it broke the rules
	}{
		"E23 GOAWAY at once":           {head + "\x00\x00\x08\x07\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x00", "gone"},
		"E23 PROTOCOL_ERROR":           {head + "\x00\x00\x08\x07\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x01", "gone"},
		"E23 stream is refused":        {head + "\x00\x00\x04\x03\x00\x00\x00\x00\x01" + "\x00\x00\x00\x07", "gone"},
		"E23 HTTP/1.1 is wanted":       {head + "\x00\x00\x04\x03\x00\x00\x00\x00\x01" + "\x00\x00\x00\x0d", "gone"},
		"nothing":                      {"", "gone"},
		"HTTP/1.1 all the same":        {ok + "\r\n", ""}, // of which net/http says nothing that has a type
		"data of no stream":            {head + "\x00\x00\x00\x00\x00\x00\x00\x00\x00", "broke"},
		"a field that cannot be":       {head + "\x00\x00\x06\x01\x05\x00\x00\x00\x01" + "\x88\x00\x01A\x01b", "broke"},
		"a status that is no number":   {head + "\x00\x00\x05\x01\x05\x00\x00\x00\x01" + "\x08\x03abc", "broke"},
		"an interim answer, then none": {head + "\x00\x00\x05\x01\x04\x00\x00\x00\x01" + "\x08\x03103" + "\x00\x00\x04\x03\x00\x00\x00\x00\x01" + "\x00\x00\x00\x07", "gone"},
	} {
		t.Run(name, func(t *testing.T) {
			id := newIdentity(t)
			bubble.Test(t, func(t *testing.T) {
				conns := 0
				rt := id.serve(id.over(func(c net.Conn) {
					conns++
					// The client's preface and its first frames.
					io.ReadFull(c, make([]byte, 24+9))
					go silence(c)
					time.Sleep(ms)
					io.WriteString(c, test.raw)
					time.Sleep(ms)
				}, "h2"))
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				began := time.Now()
				_, err := rt.speak(ctx, http2{}, requestOf(newRequest(ctx, http.MethodHead, "https://example.com/")), new(Trace))
				took := time.Since(began)
				time.Sleep(time.Minute) // until the server has noticed
				if err == nil || took > time.Second || conns != 1 {
					t.Errorf("HTTP/2 error = %v after %v over %d connections; want one within 1s over 1", err, took, conns)
				}
				got := ""
				if errors.Is(err, errNoAnswer) {
					got = "gone"
				} else if _, broke := errors.AsType[*HTTP2Error](err); broke {
					got = "broke"
				}
				if test.want != "" && got != test.want {
					t.Errorf("HTTP/2 error = %T(%v), which says that the server %s; want %s", err, err, got, test.want)
				}
			})
		})
	}
}

// A head over HTTP/2 has MaxHead at the most as well, and of one that is much larger not all
// is read.
func TestHead2Bound(t *testing.T) {
	id := newIdentity(t)
	for _, tt := range []struct {
		size, fields int
		err          error // nil if there is none
	}{{MaxHead, 1, nil}, {MaxHead + 1, 1, errLargeHead}, {16 * MaxHead, 64, errAny}} {
		bubble.Test(t, func(t *testing.T) {
			rt := id.only2(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header()["Date"], w.Header()["Content-Length"] = nil, nil
				for range tt.fields {
					w.Header().Add("A", strings.Repeat("x", tt.size/tt.fields-len("A")-32))
				}
				w.WriteHeader(http.StatusNoContent)
			})
			dial := rt.Dialer.DialContext
			var count counter
			rt.Dialer.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := dial(ctx, network, addr)
				count.r = c
				return readerConn{c, &count}, err
			}
			resp, err := rt.speak(t.Context(), http2{}, requestOf(newRequest(t.Context(), http.MethodHead, "https://example.com/")), new(Trace))
			if err == nil {
				resp.Body.Close()
			}
			synctest.Wait() // for a read that goes on where nobody waits for it
			if tt.err == errAny && err == nil || tt.err != errAny && !errors.Is(err, tt.err) || count.n > 8*MaxHead {
				t.Errorf("a head of %d bytes: %v after %d bytes; want %v after at most %d", tt.size, err, count.n, tt.err, 8*MaxHead)
			}
		})
	}
}

// net/http takes any number for a status.
func TestIsFinal(t *testing.T) {
	for code, want := range map[string]bool{
		"200": true, "999": true, "199": false, "103": false, "": false, "20": false, "2000": false, "2x0": false, "20x": false, "+20": false, ":00": false,
	} {
		if got := isFinal(code); got != want {
			t.Errorf("isFinal(%q) = %t; want %t", code, got, want)
		}
	}
}

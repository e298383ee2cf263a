package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/resolve"
)

const peer = "192.0.2.1:443"

// peerConn is one end of a pipe with the address of a peer.
type peerConn struct{ net.Conn }

func (peerConn) LocalAddr() net.Addr { return &net.TCPAddr{} }
func (peerConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(peer))
}

// readerConn is a connection that is read by way of r.
type readerConn struct {
	net.Conn
	r io.Reader
}

func (c readerConn) Read(b []byte) (int, error) { return c.r.Read(b) }

// anyHost is a Resolver that finds every name.
type anyHost struct{}

func (anyHost) LookupNetIP(_ context.Context, network, _ string) ([]netip.Addr, error) {
	if network == "ip6" {
		return nil, &net.DNSError{IsNotFound: true}
	}
	return []netip.Addr{netip.MustParseAddrPort(peer).Addr()}, nil
}

// serve returns a Transport that looks up any name and connects to handle,
// which has a goroutine to itself.
func serve(handle func(net.Conn)) *Transport {
	return &Transport{Dialer: dial.Dialer{
		Lookups: dial.NewLookups(resolve.NewCustom(anyHost{}), 0),
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go func() {
				defer there.Close()
				handle(there)
			}()
			return peerConn{here}, nil
		},
	}}
}

// readRequest reads the head of a request, if there is one.
func readRequest(c net.Conn) string {
	br := bufio.NewReader(c)
	var head string
	for {
		line, err := br.ReadString('\n')
		head += line
		if err != nil || line == "\r\n" {
			return head
		}
	}
}

// answer returns what reads a request and writes the pieces, one by one.
func answer(pieces ...string) func(net.Conn) {
	return func(c net.Conn) {
		readRequest(c)
		for _, p := range pieces {
			io.WriteString(c, p)
		}
	}
}

// silence waits until the peer closes.
func silence(c net.Conn) { io.Copy(io.Discard, c) }

// roundTrip makes an exchange in HTTP/1.1 as a package of its own would ask for it.
func (t *Transport) roundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.speak(req.Context(), http1{t.Keep}, requestOf(req), new(Trace))
	if err != nil {
		return nil, err
	}
	resp.Request = req
	return resp, nil
}

// requestOf returns the Request that is like req.
func requestOf(req *http.Request) Request {
	return Request{Method: req.Method, URL: req.URL, Host: req.Host, Fields: NewFields(req.Header)}
}

// heard is a Watcher that counts, and refuses another request with an error.
type heard struct {
	sent   func()
	again  int
	refuse error
}

func (h *heard) Sent() {
	if h.sent != nil {
		h.sent()
	}
}

func (h *heard) Again(context.Context) error {
	h.again++
	return h.refuse
}

func newRequest(ctx context.Context, method, url string) *http.Request {
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		panic(err)
	}
	return req
}

// An identity is a certificate of example.com and who vouches for it.
type identity struct {
	cert  tls.Certificate
	roots *x509.CertPool
}

func newIdentity(t *testing.T) identity {
	t.Helper()
	srv := httptest.NewTLSServer(nil)
	defer srv.Close()
	id := identity{cert: srv.TLS.Certificates[0], roots: x509.NewCertPool()}
	id.roots.AddCert(srv.Certificate())
	return id
}

// over returns what speaks TLS, in one of protos, before handle.
func (id identity) over(handle func(net.Conn), protos ...string) func(net.Conn) {
	return id.config(handle, &tls.Config{NextProtos: protos})
}

func (id identity) config(handle func(net.Conn), conf *tls.Config) func(net.Conn) {
	conf.Certificates = []tls.Certificate{id.cert}
	return func(c net.Conn) {
		tc := tls.Server(c, conf)
		if tc.Handshake() == nil {
			handle(tc)
			tc.CloseWrite()
		}
	}
}

// serveTLS is serve for https.
func (id identity) serve(handle func(net.Conn)) *Transport {
	rt := serve(handle)
	rt.Config = &tls.Config{RootCAs: id.roots}
	return rt
}

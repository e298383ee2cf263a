package checkertest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
	"example.com/checker/internal/resolve"
)

// A way is how a host behaves. The zero way is that of a host where nobody listens.
type way struct {
	lookup  func(resolve.Family) error // how looking its name up fails
	mute    bool                       // looking it up never ends
	connect error                      // how connecting fails
	drop    bool                       // connecting never ends
	plain   hostile.Handler            // what answers in the clear; nil for nobody
	secure  hostile.Handler            // what answers to a TLS client
}

// serve serves a connection as its port wants it.
func (w *way) serve(ctx context.Context, conn net.Conn) {
	h := hostile.ByHello(w.secure, w.plain)
	switch conn.LocalAddr().(*net.TCPAddr).Port {
	case 80:
		h = w.plain
	case 443:
		h = w.secure
	}
	if h == nil {
		h = hostile.Reset()
	}
	h(ctx, conn)
}

// faults has how hosts fail, by the Reason or the Cause that a check finds. A Reason by
// itself is one of its causes, or the fault that has none.
var faults = map[error]func(n *Network, name string) way{
	checker.ReasonNotFound: missing(resolve.NotFound),
	checker.CauseNXDomain:  missing(resolve.NotFound),
	checker.CauseNoAddress: missing(resolve.NoAddress),

	checker.ReasonRefused:     unconnected(syscall.ECONNREFUSED),
	checker.ReasonUnreachable: unconnected(syscall.EHOSTUNREACH),
	checker.ReasonTimeout:     func(*Network, string) way { return way{drop: true} },

	checker.ReasonReset:       says(hostile.ResetAfterRequest()),
	checker.CauseBeforeAnswer: says(hostile.ResetAfterRequest()),
	checker.CauseInAnswer:     says(hostile.Respond("HTTP/1.1 20")),
	checker.CauseInHandshake:  shakes(hostile.Reset()),

	checker.ReasonMalformed:   says(hostile.Respond(greeting)),
	checker.CauseNotHTTP:      says(hostile.Respond(greeting)),
	checker.CauseHeadTooLarge: says(hostile.Respond("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 300<<10) + "\r\n\r\n")),
	checker.CauseHTTP2:        says(hostile.Respond("\x00\x00\x12\x04\x00\x00\x00\x00\x00")), // SETTINGS (RFC 9113, section 6.5)

	checker.ReasonCertificate:    shows(expired),
	checker.CauseExpired:         shows(expired),
	checker.CauseNotYetValid:     shows(func(*Network) hostile.Cert { return hostile.Cert{NotBefore: farAhead} }),
	checker.CauseWrongHost:       shows(func(*Network) hostile.Cert { return hostile.Cert{Names: []string{elsewhere}} }),
	checker.CauseWeak:            shows(func(*Network) hostile.Cert { return hostile.Cert{Algorithm: x509.ECDSAWithSHA1} }),
	checker.CauseIncompleteChain: shows(func(n *Network) hostile.Cert { return hostile.Cert{Via: n.ca.Intermediate(nil), Omit: true} }),
	checker.CauseSelfSigned:      offers(func(_ *Network, name string) *tls.Config { return hostile.SelfSigned(panics{}, name) }),
	checker.CauseUnknownAuthority: offers(func(_ *Network, name string) *tls.Config {
		return hostile.NewCA(panics{}).Config(hostile.Cert{Names: []string{name}})
	}),
	checker.CauseUnparsable: offers(unparsable),

	// The numbers are those of alerts (RFC 8446, section 6).
	checker.ReasonTLS:              shakes(alert(80)),
	checker.CauseNoCipher:          shakes(alert(40)),
	checker.CauseNoVersion:         shakes(alert(70)),
	checker.CauseNoProtocol:        shakes(alert(120)),
	checker.CauseUnknownName:       shakes(alert(112)),
	checker.CauseClientCertificate: shakes(alert(116)),
	checker.CauseNotTLS:            shakes(write(hostile.OK)),

	checker.ReasonDNS:              missing(resolve.ServFail),
	checker.CauseServFail:          missing(resolve.ServFail),
	checker.CauseRefused:           missing(resolve.Refused),
	checker.CauseSilent:            func(*Network, string) way { return way{mute: true} },
	checker.CauseUnreachable:       missing(resolve.Unreachable),
	checker.CauseMalformed:         missing(resolve.Malformed),
	checker.CauseSinkhole:          missing(resolve.Sinkhole),
	checker.CauseUnsupportedSource: missing(resolve.Unsupported),

	checker.CauseDescriptors: unconnected(syscall.EMFILE),
	checker.CausePorts:       unconnected(syscall.EADDRNOTAVAIL),
	checker.CauseMemory:      unconnected(syscall.ENOBUFS),
	checker.CauseNoRoute:     unconnected(syscall.ENETUNREACH),
	checker.CauseFirewall:    unconnected(syscall.EPERM),
	checker.CauseNetwork:     unconnected(syscall.ENETDOWN),
}

const (
	greeting  = "220 mail.test ESMTP\r\n"
	elsewhere = "elsewhere.test" // whom a certificate is for that is for another host
)

// farAhead is further from the day on which a program was built than a wrong clock in a
// bubble, where it is the year 2000, can be the reason.
var farAhead = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)

func expired(*Network) hostile.Cert { return hostile.Cert{NotAfter: time.Now().AddDate(0, 0, -1)} }

func unparsable(n *Network, name string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{n.ca.Unparsable(name)["a negative serial"]}}
}

// missing makes looking a name up fail.
func missing(kind resolve.Kind) func(*Network, string) way {
	return func(_ *Network, name string) way { return way{lookup: lookupError(kind, name)} }
}

// lookupError returns what package resolve says where a nameserver is to blame, or nobody.
func lookupError(kind resolve.Kind, name string) func(resolve.Family) error {
	return func(family resolve.Family) error {
		e := &resolve.Error{Kind: kind, Name: name, Family: family, Asked: []string{name}}
		switch {
		case kind == resolve.Unsupported:
			e.Source = "mdns"
		case kind.Failed():
			e.Failures = []resolve.Failure{{
				Server: netip.MustParseAddrPort("192.0.2.53:53"), Name: name, Family: family, Kind: kind, Err: syscall.ECONNREFUSED,
			}}
		}
		return e
	}
}

// unconnected makes connecting fail.
func unconnected(number syscall.Errno) func(*Network, string) way {
	return func(*Network, string) way { return way{connect: number} }
}

// says lets h answer in the clear and in TLS alike.
func says(h hostile.Handler) func(*Network, string) way {
	return func(n *Network, name string) way {
		return way{plain: h, secure: n.behind(hostile.Cert{Names: []string{name}}, h)}
	}
}

// behind puts h behind a handshake. The certificate is made when it is first wanted.
func (n *Network) behind(spec hostile.Cert, h hostile.Handler) hostile.Handler {
	conf := sync.OnceValue(func() *tls.Config { return n.ca.Config(spec) })
	return func(ctx context.Context, conn net.Conn) { hostile.TLS(conf(), h)(ctx, conn) }
}

// shakes lets h take the place of a handshake.
func shakes(h hostile.Handler) func(*Network, string) way {
	return func(*Network, string) way { return way{secure: hostile.AfterHello(h)} }
}

// alert ends a handshake by a fatal alert.
func alert(number byte) hostile.Handler {
	return write("\x15\x03\x03\x00\x02\x02" + string([]byte{number}))
}

func write(text string) hostile.Handler {
	return func(_ context.Context, conn net.Conn) { io.WriteString(conn, text) }
}

// shows lets the certificate be another than it should, but for what spec leaves out.
func shows(spec func(*Network) hostile.Cert) func(*Network, string) way {
	return offers(func(n *Network, name string) *tls.Config {
		cert := spec(n)
		if cert.Names == nil {
			cert.Names = []string{name}
		}
		return n.ca.Config(cert)
	})
}

// offers lets the handshake be as a configuration has it.
func offers(conf func(*Network, string) *tls.Config) func(*Network, string) way {
	return func(n *Network, name string) way {
		return way{secure: hostile.TLS(conf(n, name), hostile.Respond(hostile.OK))}
	}
}

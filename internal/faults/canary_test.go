package faults_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// An uplink is a way to a network, which somebody on it may have changed: for all names,
// or for those of one site.
type uplink struct {
	*hostile.Net
	lookup  func() error                                    // instead of a lookup; nil: as it is
	connect func(context.Context, string) (net.Conn, error) // instead of a connect, by port; nil: as it is
	only    string                                          // the one host that this is for; "": all
	changed atomic.Bool
}

// addrOf returns the address of a host by its name: site7.test is in the Internet, lan7
// in a network of this side's own.
func addrOf(host string) string {
	var n int
	switch name, _, _ := strings.Cut(host, "."); {
	case strings.HasPrefix(name, "site"):
		fmt.Sscanf(name, "site%d", &n)
		return fmt.Sprint("93.184.215.", n+1)
	case strings.HasPrefix(name, "lan"):
		fmt.Sscanf(name, "lan%d", &n)
		return fmt.Sprint("192.168.7.", n+1)
	}
	return "93.184.216.1"
}

func (u *uplink) affects(host string) bool {
	return u.changed.Load() && (u.only == "" || u.only == host) && !strings.HasPrefix(host, "lan")
}

func (u *uplink) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	pause(ctx, 10*time.Millisecond)
	if u.lookup != nil && u.affects(host) {
		return nil, u.lookup()
	}
	if network == "ip6" {
		return nil, nil
	}
	return []netip.Addr{netip.MustParseAddr(addrOf(host))}, nil
}

func (u *uplink) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	pause(ctx, 20*time.Millisecond)
	if ip, port, _ := net.SplitHostPort(addr); u.connect != nil && u.changed.Load() &&
		(u.only == "" || addrOf(u.only) == ip) && !strings.HasPrefix(ip, "192.168.") {
		return u.connect(ctx, port)
	}
	return u.Net.DialContext(ctx, network, addr)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

const many = 100 // sites beside the one

// newUplink returns a network with many sites, and canary.test, by http and by https.
func newUplink(t *testing.T, ca *hostile.CA) *uplink {
	u := &uplink{Net: hostile.NewNet()}
	secure := ca.Config(hostile.Cert{Names: []string{"*.test"}})
	for i := range many {
		for _, host := range []string{fmt.Sprintf("site%d.test", i), fmt.Sprintf("lan%d.test", i), "canary.test"} {
			if i > 0 && host == "canary.test" {
				continue
			}
			hostile.ServeListener(t, u.Listen(addrOf(host)+":80"), hostile.Respond(hostile.OK))
			hostile.ServeListener(t, u.Listen(addrOf(host)+":443"), hostile.TLS(secure, hostile.Respond(hostile.OK)))
		}
	}
	return u
}

func (u *uplink) checker(t *testing.T, ca *hostile.CA, opts ...checker.Option) *checker.Checker {
	return faults.NewChecker(t, append([]checker.Option{checker.WithResolver(u), checker.WithDialContext(u.DialContext), checker.WithTimeout(timeout),
		checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()})}, opts...)...)
}

// A change is what somebody on the way does.
type change struct {
	name    string
	scheme  string // of sites that it shows with
	reason  checker.Reason
	lookup  func() error
	connect func(*testing.T, *uplink) func(context.Context, string) (net.Conn, error)
	portal  bool // it answers by http in the place of all
}

func failing(err error) func(*testing.T, *uplink) func(context.Context, string) (net.Conn, error) {
	return func(*testing.T, *uplink) func(context.Context, string) (net.Conn, error) {
		return func(context.Context, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
		}
	}
}

// served makes all connects lead to one machine.
func served(plain, secure hostile.Handler) func(*testing.T, *uplink) func(context.Context, string) (net.Conn, error) {
	return func(t *testing.T, u *uplink) func(context.Context, string) (net.Conn, error) {
		const machine = "93.184.217.1:"
		hostile.ServeListener(t, u.Listen(machine+"80"), plain)
		hostile.ServeListener(t, u.Listen(machine+"443"), secure)
		return func(ctx context.Context, port string) (net.Conn, error) {
			return u.Net.DialContext(ctx, "tcp", machine+port)
		}
	}
}

func changes(t *testing.T) []change {
	portal := hostile.Respond("HTTP/1.1 302 Found\r\nLocation: http://login.test/\r\nContent-Length: 0\r\n\r\n")
	untrusted := hostile.TLS(hostile.SelfSigned(t, "login.test"), portal)
	closes, garbage := hostile.Close(), hostile.Banner("220 mail ESMTP\r\n")
	silent := func(*testing.T, *uplink) func(context.Context, string) (net.Conn, error) {
		return func(ctx context.Context, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	}
	none := func() error { return &net.DNSError{Err: "no such host", IsNotFound: true} }
	return []change{
		{"all names are nobody's", "http", checker.ReasonNotFound, none, nil, false},
		{"all names are nobody's", "https", checker.ReasonNotFound, none, nil, false},
		{"all refuse", "http", checker.ReasonRefused, nil, failing(syscall.ECONNREFUSED), false},
		{"all refuse", "https", checker.ReasonRefused, nil, failing(syscall.ECONNREFUSED), false},
		{"all are unreachable", "http", checker.ReasonUnreachable, nil, failing(syscall.EHOSTUNREACH), false},
		{"all connects are reset", "http", checker.ReasonReset, nil, failing(syscall.ECONNRESET), false},
		{"all close", "http", checker.ReasonReset, nil, served(closes, closes), false},
		{"all close", "https", checker.ReasonReset, nil, served(closes, closes), false},
		{"all close, but a portal answers by http", "https", checker.ReasonReset, nil, served(portal, closes), true},
		{"all speak another protocol", "http", checker.ReasonMalformed, nil, served(garbage, garbage), false},
		{"all speak no TLS", "https", checker.ReasonTLS, nil, served(garbage, garbage), false},
		{"all are untrusted", "https", checker.ReasonCertificate, nil, served(closes, untrusted), false},
		{"all are untrusted, and a portal answers by http", "https", checker.ReasonCertificate, nil, served(portal, untrusted), true},
		{"all are silent", "http", checker.ReasonTimeout, nil, silent, false},
		{"all are silent", "https", checker.ReasonTimeout, nil, silent, false},
	}
}

// run makes the change, for one host or all, and calls f.
func (c change) run(t *testing.T, name, only string, f func(*testing.T, *uplink, *hostile.CA)) {
	t.Run(fmt.Sprintf("%s, %s, %s", name, c.name, c.scheme), func(t *testing.T) {
		ca := hostile.NewCA(t)
		bubble.Test(t, func(t *testing.T) {
			u := newUplink(t, ca)
			u.only, u.lookup = only, c.lookup
			if c.connect != nil {
				u.connect = c.connect(t, u)
			}
			f(t, u, ca)
		})
	})
}

var canaries = checker.WithCanaries("https://canary.test/", "http://canary.test/")

// What happens to all, canaries included, is no verdict on a site.
func TestAllFail(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: it takes a minute on an emulator")
	}
	for _, c := range changes(t) {
		c.run(t, "R8", "", func(t *testing.T, u *uplink, ca *hostile.CA) {
			k := u.checker(t, ca, canaries)
			for range 2 { // after all has worked, and when nothing is known
				var targets []string
				for i := range many {
					targets = append(targets, fmt.Sprintf("%s://site%d.test/", c.scheme, i))
				}
				time.AfterFunc(30*time.Millisecond, func() { u.changed.Store(true) })
				for _, r := range k.CheckAll(t.Context(), targets) {
					if r.Status() == checker.Offline || r.Reason() == checker.ReasonLocal && !strings.Contains(r.Err.Error(), "canaries") {
						t.Fatalf("%v; want local, for the canaries", r)
					}
				}
				r := k.Check(t.Context(), c.scheme+"://site0.test/")
				if r.Reason() != checker.ReasonLocal || r.Timing.Total > 2*timeout {
					t.Errorf("%v in %v; want local within twice the timeout", r, r.Timing.Total)
				}
				faults.Hold(t, "R8", r)
				if text, want := r.Err.Error(), "do not answer"; c.portal == strings.Contains(text, want) {
					t.Errorf("%v; want it to say %q: %v", text, want, !c.portal)
				}
				time.Sleep(time.Minute)
			}
		})
	}
}

// What happens to one is a verdict on it, with canaries of either kind, and with nobody
// else to be seen.
func TestOneFails(t *testing.T) {
	for _, c := range changes(t) {
		for _, with := range [][]string{{"https://canary.test/"}, {"http://canary.test/"}, {"canary.test"}, {"http://93.184.216.1/"}} {
			c.run(t, fmt.Sprint("R8 one site, canaries ", with), "site0.test", func(t *testing.T, u *uplink, ca *hostile.CA) {
				k := u.checker(t, ca, checker.WithCanaries(with...))
				u.changed.Store(true)
				for range 3 {
					r := k.Check(t.Context(), c.scheme+"://site0.test/")
					if r.Reason() != c.reason || r.Timing.Total > 2*timeout {
						t.Errorf("%v in %v; want %v within twice the timeout", r, r.Timing.Total, c.reason)
					}
					time.Sleep(30 * time.Second)
				}
			})
		}
	}
}

// Other sites are witnesses as good as canaries, if they are on the Internet.
func TestOthersAnswer(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: it takes a minute on an emulator")
	}
	for _, c := range changes(t) {
		for _, near := range []bool{false, true} {
			name, others, want := "R8 other sites answer", "site", c.reason
			if near {
				name, others, want = "R12 other sites answer on the LAN", "lan", checker.ReasonLocal
			}
			c.run(t, name, "site0.test", func(t *testing.T, u *uplink, ca *hostile.CA) {
				u.changed.Store(true)
				k := u.checker(t, ca, checker.WithConcurrency(4), checker.WithCanaries("https://93.184.218.1/", "http://nobody.test:81/"))
				var targets []string
				for i := range 300 { // of which each is looked up anew
					targets = append(targets, fmt.Sprintf("%s://%s%d-%d.test/", c.scheme, others, 1+i%(many-1), i))
				}
				targets = slices.Insert(targets, 50, c.scheme+"://site0.test/")
				for _, r := range k.CheckAll(t.Context(), targets) {
					switch {
					case !strings.Contains(r.Target, "site0."):
						if !r.Online() {
							t.Fatal(r)
						}
					case r.Reason() != want:
						t.Errorf("%v; want %v", r, want)
					}
				}
			})
		}
	}
}

// R12: with the uplink cut, what answers on this side's own network proves nothing.
func TestUplinkCut(t *testing.T) {
	ca := hostile.NewCA(t)
	bubble.Test(t, func(t *testing.T) {
		u := newUplink(t, ca)
		u.connect = func(ctx context.Context, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
		u.changed.Store(true)
		k := u.checker(t, ca, canaries)
		var targets []string
		for i := range many {
			targets = append(targets, fmt.Sprintf("http://site%d.test/", i), fmt.Sprintf("http://lan%d.test/", i))
		}
		for _, r := range k.CheckAll(t.Context(), targets) {
			if near := strings.Contains(r.Target, "lan"); near && !r.Online() || !near && r.Reason() != checker.ReasonLocal {
				t.Errorf("%v; want those of the LAN Online and the others local", r)
			}
		}
	})
}

// R14: what is for the sites does not reach canaries, and what leads to the sites does.
func TestCanariesSeeNothing(t *testing.T) {
	ca := hostile.NewCA(t)
	bubble.Test(t, func(t *testing.T) {
		u := &uplink{Net: hostile.NewNet()}
		asked := func(where string) hostile.Handler {
			return hostile.RespondTo(func(_ int, head string) string {
				for _, secret := range []string{"Authorization", "Cookie", "X-Own", "host: virtual", "Host: virtual", "spy"} {
					if strings.Contains(head, secret) {
						t.Errorf("%s was told %q in %q", where, secret, head)
					}
				}
				if !strings.HasPrefix(head, "HEAD / ") || !strings.Contains(head, "User-Agent: checker/") {
					t.Errorf("%s was asked %q; want HEAD by the default agent", where, head)
				}
				return hostile.OK
			})
		}
		conf := ca.Config(hostile.Cert{Names: []string{"canary.test"}})
		conf.ClientAuth = tls.RequestClientCert
		conf.VerifyConnection = func(cs tls.ConnectionState) error {
			if len(cs.PeerCertificates) > 0 || cs.ServerName != "canary.test" {
				t.Errorf("the canary was shown %d certificates for %q; want none for its name", len(cs.PeerCertificates), cs.ServerName)
			}
			return nil
		}
		addr := addrOf("canary.test")
		hostile.ServeListener(t, u.Listen(addr+":80"), asked("http"))
		hostile.ServeListener(t, u.Listen(addr+":443"), hostile.TLS(conf, asked("https")))
		mine := ca.Issue(hostile.Cert{Names: []string{"me"}})
		var judged atomic.Int64
		k := faults.NewChecker(t, checker.WithResolver(u), checker.WithDialContext(u.DialContext), checker.WithTimeout(timeout), canaries,
			checker.WithHeader("Authorization", "Bearer x"), checker.WithHeader("Cookie", "a=b"), checker.WithHeader("X-Own", "y"),
			checker.WithHeader("User-Agent", "spy"), checker.WithHeader("Host", "virtual.test"), checker.WithMethod(http.MethodGet),
			checker.WithJudge(func(*http.Response) error { judged.Add(1); return nil }), checker.WithRedirects(3),
			checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool(), ServerName: "virtual.test",
				Certificates:         []tls.Certificate{mine},
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &mine, nil },
			}))
		if r := k.Check(t.Context(), "https://site0.test/"); r.Reason() != checker.ReasonRefused {
			t.Errorf("%v; want refused, since the canaries are up", r)
		}
		if judged.Load() > 0 {
			t.Errorf("the judge was shown %d answers of canaries", judged.Load())
		}
	})
}

// The policy and the dial function are asked for canaries too.
func TestCanariesGoTheSameWay(t *testing.T) {
	ca := hostile.NewCA(t)
	bubble.Test(t, func(t *testing.T) {
		u := newUplink(t, ca)
		u.only, u.connect = "site0.test", failing(syscall.ECONNREFUSED)(t, u)
		u.changed.Store(true)
		canary := netip.MustParseAddr(addrOf("canary.test"))
		k := u.checker(t, ca, canaries, checker.WithAddrPolicy(func(a netip.AddrPort) error {
			if a.Addr() == canary {
				return fmt.Errorf("not there")
			}
			return nil
		}))
		if r := k.Check(t.Context(), "https://site0.test/"); r.Reason() != checker.ReasonLocal {
			t.Errorf("%v; want local, since no canary may be asked", r)
		}
		if i := slices.Index(u.Dials(), canary.String()+":443"); i >= 0 {
			t.Errorf("the canary was dialled; want it refused by the policy")
		}
	})
}

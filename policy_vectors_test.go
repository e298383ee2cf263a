package checker_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// originAddr is a public address. In the network in memory it is that of the
// site that leads to where nobody should get.
const originAddr = "1.2.3.4"

// vectorNet returns a network with the names of the vectors and of the origin.
func vectorNet() *hostile.Net {
	n := hostile.NewNet()
	for name, addrs := range hostile.VectorNames() {
		n.Name(name, addrs...)
	}
	n.Name("origin.test", originAddr)
	return n
}

// publicOn is [faults.On] for a Checker whose targets come from strangers.
func publicOn(n *hostile.Net, opts ...checker.Option) []checker.Option {
	return faults.On(n, append([]checker.Option{checker.WithAddrPolicy(checker.PublicOnly), checker.WithRedirects(10)}, opts...)...)
}

// onlyOrigin fails if any address but the origin's was dialled.
func onlyOrigin(t *testing.T, n *hostile.Net) {
	t.Helper()
	for _, addr := range n.Dials() {
		if !strings.HasPrefix(addr, originAddr+":") {
			t.Errorf("%s was dialled; want none but %s", addr, originAddr)
		}
	}
}

// checkTold holds what a stranger may see of a check that was blocked: which URL
// it was, and nothing about where that would have led.
func checkTold(t *testing.T, r checker.Result) {
	t.Helper()
	if r.Err == nil || r.Reason() != checker.ReasonBlocked {
		return
	}
	if want := r.URL + ": the address policy refused it"; r.Err.Error() != want {
		t.Errorf("Check(%q).Err = %q; want %q", r.Target, r.Err, want)
	}
	text, err := json.Marshal(r)
	if err != nil || r.Addr.IsValid() || strings.Contains(string(text), `"addr"`) || r.Timing.Connect != 0 {
		t.Errorf("Check(%q) = %s, %v; want neither an address nor a time that tells of one", r.Target, text, err)
	}
}

// L4, L12: what leads inside is refused, however it is written.
func TestVectorsAsTargets(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := vectorNet()
		c := faults.NewChecker(t, publicOn(n)...)
		var targets []string
		vectors := hostile.Vectors()
		for _, v := range vectors {
			targets = append(targets, v.URL)
		}
		for i, r := range c.CheckAll(t.Context(), targets) {
			if want := checker.Reason(vectors[i].Want); r.Reason() != want {
				t.Errorf("Check(%q).Err = %v; want %q", r.Target, r.Err, want)
			}
			checkTold(t, r)
		}
		if dialled := n.Dials(); len(dialled) > 0 {
			t.Errorf("%q were dialled; want none", dialled)
		}
	})
}

// Without a scheme a target is tried as http and as https, or it is read as
// another URL altogether; none of that may get through.
func TestVectorsWithoutScheme(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := vectorNet()
		c := faults.NewChecker(t, publicOn(n)...)
		for _, v := range hostile.Vectors() {
			rest, ok := strings.CutPrefix(v.URL, "http://")
			if !ok {
				continue
			}
			for _, target := range []string{rest, "//" + rest, "http:" + rest, "http:/" + rest, " \thttp://" + rest + " "} {
				r := c.Check(t.Context(), target)
				switch r.Reason() {
				case checker.ReasonInvalid, checker.ReasonBlocked, checker.Reason(v.Want):
				default:
					t.Errorf("Check(%q).Err = %v; want blocked or invalid", target, r.Err)
				}
			}
		}
		if dialled := n.Dials(); len(dialled) > 0 {
			t.Errorf("%q were dialled; want none", dialled)
		}
	})
}

// A vector that leads nowhere would prove nothing: without a policy each that
// the policy blocks is dialled.
func TestVectorsLeadInside(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		for _, v := range hostile.Vectors() {
			n := vectorNet()
			r := faults.NewChecker(t, faults.On(n, checker.WithRetries(0))...).Check(t.Context(), v.URL)
			if dialled := len(n.Dials()) > 0; dialled != (v.Want == "blocked") {
				t.Errorf("without a policy Check(%q) dialled %q, Err = %v; want a dial: %t", v.URL, n.Dials(), r.Err, !dialled)
			}
		}
	})
}

// locations redirects "/0" to the first of all, "/1" to the second and so on.
func locations(all []string) hostile.Handler {
	return hostile.RespondTo(func(_ int, head string) string {
		var i int
		if _, err := fmt.Sscanf(head, "HEAD /%d ", &i); err != nil || i >= len(all) {
			return hostile.OK
		}
		return fmt.Sprintf("HTTP/1.1 %d Found\r\nLocation: %s\r\n\r\n", []int{301, 302, 303, 307, 308}[i%5], all[i])
	})
}

// L3: nor does a redirect lead there.
func TestVectorsAsRedirects(t *testing.T) {
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"origin.test"}})
	roots := checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()})
	bubble.Test(t, func(t *testing.T) {
		n := vectorNet()
		var all []string
		vectors := hostile.Vectors()
		for _, v := range vectors {
			all = append(all, v.URL)
		}
		hostile.ServeListener(t, n.Listen(originAddr+":80"), locations(all))
		hostile.ServeListener(t, n.Listen(originAddr+":443"), hostile.TLS(conf, locations(all)))
		c := faults.NewChecker(t, publicOn(n, roots)...)
		for i, v := range vectors {
			want := checker.Reason(v.Want)
			if want == checker.ReasonInvalid {
				want = checker.ReasonRedirect
			}
			scheme := []string{"http", "https"}[i/2%2] // both with both schemes of the vector
			r := c.Check(t.Context(), fmt.Sprintf("%s://origin.test/%d", scheme, i))
			if r.Reason() != want {
				t.Errorf("Check(%q).Err = %v with a redirect to %q; want %q", r.Target, r.Err, v.URL, want)
			}
			checkTold(t, r)
		}
		onlyOrigin(t, n)
	})
}

// A Location may also be relative, and programs differ about what is.
func TestRelativeRedirects(t *testing.T) {
	for location, want := range map[string]checker.Reason{
		"//127.0.0.1/":          checker.ReasonBlocked,
		"//127.0.0.1:443":       checker.ReasonBlocked,
		"//[::1]":               checker.ReasonBlocked,
		"//good.test":           checker.ReasonBlocked,
		"//1.1.1.1@127.0.0.1/":  checker.ReasonBlocked,
		"\t//127.0.0.1/ ":       checker.ReasonBlocked,
		"HTTP://127.0.0.1":      checker.ReasonBlocked,
		"//:80/":                checker.ReasonRedirect,
		"///127.0.0.1/":         checker.ReasonRedirect,
		"//":                    checker.ReasonRedirect,
		"//127.1/":              checker.ReasonRedirect,
		"//\\127.0.0.1/":        checker.ReasonRedirect,
		"http:/\\127.0.0.1/":    checker.ReasonRedirect,
		"http:\\\\127.0.0.1/":   checker.ReasonRedirect,
		"http:127.0.0.1":        checker.ReasonRedirect,
		"127.0.0.1:80/":         checker.ReasonRedirect,
		"localhost:80":          checker.ReasonRedirect,
		"[::1]:80":              checker.ReasonRedirect,
		"http://127.0.0.1\t/":   checker.ReasonRedirect,
		"ht\ttp://127.0.0.1/":   checker.ReasonRedirect,
		"/\\127.0.0.1/":         "", // these are paths of the origin
		"\\\\127.0.0.1/":        "",
		"\\/127.0.0.1/":         "",
		"127.0.0.1/":            "",
		"./127.0.0.1:80/":       "",
		"/.//127.0.0.1/":        "",
		"/..//127.0.0.1/":       "",
		"/x/..//127.0.0.1/":     "",
		"?url=http://127.0.0.1": "",
		"@127.0.0.1/":           "",
		":@127.0.0.1/":          checker.ReasonRedirect,
		".127.0.0.1/":           "",
		"/@127.0.0.1/":          "",
		"%2f%2f127.0.0.1/":      "",
	} {
		bubble.Test(t, func(t *testing.T) {
			n := vectorNet()
			hostile.ServeListener(t, n.Listen(originAddr+":80"), locations([]string{location}))
			r := faults.NewChecker(t, publicOn(n)...).Check(t.Context(), "http://origin.test/0")
			if r.Reason() != want {
				t.Errorf("Location %q: Err = %v, URL %q; want %q", location, r.Err, r.URL, want)
			}
			if want == "" && !strings.HasPrefix(r.URL, "http://origin.test/") {
				t.Errorf("Location %q: URL = %q; want one of origin.test", location, r.URL)
			}
			onlyOrigin(t, n)
		})
	}
}

// The last of many hops is judged as the first is.
func TestLastHopIsInside(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		n := vectorNet()
		var all []string
		for i := range 9 {
			all = append(all, fmt.Sprintf("http://origin.test/%d", i+1))
		}
		hostile.ServeListener(t, n.Listen(originAddr+":80"), locations(append(all, "http://10.0.0.1/")))
		r := faults.NewChecker(t, publicOn(n)...).Check(t.Context(), "http://origin.test/0")
		if r.Reason() != checker.ReasonBlocked || r.Redirects != 10 {
			t.Errorf("Check(%q).Err = %v after %d redirects; want blocked after 10", r.Target, r.Err, r.Redirects)
		}
		onlyOrigin(t, n)
	})
}

func TestPublicAddressesPass(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		for _, target := range hostile.PublicURLs() {
			n := hostile.NewNet()
			r := faults.NewChecker(t, publicOn(n, checker.WithRetries(0))...).Check(t.Context(), target)
			if r.Reason() != checker.ReasonRefused || len(n.Dials()) != 1 {
				t.Errorf("Check(%q).Err = %v, dialled %q; want one dial, refused", target, r.Err, n.Dials())
			}
		}
	})
}

// Of a name with addresses of both kinds, the public ones alone are dialled,
// also where they fail.
func TestMixedAnswers(t *testing.T) {
	for _, inside := range []string{"10.0.0.1", "127.0.0.1", "::1", "fd00:ec2::254", "64:ff9b::7f00:1"} {
		bubble.Test(t, func(t *testing.T) {
			n := hostile.NewNet()
			n.Name("mixed.test", inside, originAddr, "169.254.169.254", "::1")
			c := faults.NewChecker(t, publicOn(n, checker.WithRetries(3))...)
			for _, scheme := range []string{"http", "https"} {
				if r := c.Check(t.Context(), scheme+"://mixed.test/"); r.Reason() != checker.ReasonRefused {
					t.Errorf("Check(%q).Err = %v with %s among the addresses; want refused", r.Target, r.Err, inside)
				}
			}
			onlyOrigin(t, n)
		})
	}
}

// What else a response may say about where to go next is not followed.
func TestHintsAreIgnored(t *testing.T) {
	for _, field := range []string{
		"Alt-Svc: h2=\"127.0.0.1:443\"; ma=86400", "Alt-Svc: h3=\":443\"; ma=1", "Alt-Used: 127.0.0.1",
		"Refresh: 0;url=http://127.0.0.1/", "Content-Location: http://127.0.0.1/", "Link: <http://127.0.0.1/>; rel=preload",
		"Location: http://127.0.0.1/", "Strict-Transport-Security: max-age=1", "NEL: {\"report_to\":\"x\"}",
		"Report-To: {\"endpoints\":[{\"url\":\"http://127.0.0.1/\"}]}", "URI: http://127.0.0.1/", "Proxy-Authenticate: Basic",
	} {
		for _, status := range []string{"200 OK", "201 Created", "300 Choices", "304 Same", "305 Use Proxy", "306 Switch", "407 Proxy", "421 Misdirected", "503 Later"} {
			bubble.Test(t, func(t *testing.T) {
				n := vectorNet()
				early := "HTTP/1.1 103 Early\r\n" + field + "\r\n\r\n"
				hostile.ServeListener(t, n.Listen(originAddr+":80"), hostile.Respond(early+"HTTP/1.1 "+status+"\r\n"+field+"\r\n\r\n"))
				r := faults.NewChecker(t, publicOn(n)...).Check(t.Context(), "http://origin.test/")
				if !r.Online() || len(n.Dials()) != 1 {
					t.Errorf("%s, %s: Err = %v, dialled %q; want Online and one dial", status, field, r.Err, n.Dials())
				}
			})
		}
	}
}

// A certificate names places to ask about it. None is asked.
func TestCertificateURLsAreIgnored(t *testing.T) {
	trap := hostile.Serve(t, "127.0.0.1:0", hostile.Respond(hostile.OK))
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		OCSPServer: []string{trap.URL()}, IssuingCertificateURL: []string{trap.URL()}, CRLDistributionPoints: []string{trap.URL()},
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s := hostile.Serve(t, "127.0.0.1:0", hostile.TLS(&tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, hostile.Respond(hostile.OK)))
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	for _, trusted := range []bool{false, true} {
		if trusted {
			roots.AddCert(leaf)
		}
		c := faults.NewChecker(t, checker.WithTLSConfig(&tls.Config{RootCAs: roots}), checker.WithRetries(0))
		if r := c.Check(t.Context(), s.URLS()); r.TLS == nil || r.Online() != trusted {
			t.Errorf("Check(%q) = %v; want online: %t", r.Target, r, trusted)
		}
	}
	if trap.Accepted() > 0 {
		t.Errorf("what the certificate names was connected to %d times", trap.Accepted())
	}
}

// Honeypots on loopback, and the system's own sockets. Without the policy they
// are reached; with it nothing is, by no spelling of the addresses.
func TestLoopbackHoneypots(t *testing.T) {
	trap := hostile.Serve(t, "[::]:0", hostile.Respond(hostile.OK))
	dns := hostile.ServeDNS(t)
	var targets []string
	for i, addr := range []string{"127.0.0.1", "127.0.0.2", "127.127.127.127", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"} {
		name := fmt.Sprintf("trap%d.test", i)
		dns.Set(name, hostile.Addrs(addr))
		for _, scheme := range []string{"http", "https"} {
			targets = append(targets, fmt.Sprintf("%s://%s/", scheme, netip.AddrPortFrom(netip.MustParseAddr(addr), trap.Port())),
				fmt.Sprintf("%s://%s:%d/", scheme, name, trap.Port()), fmt.Sprintf("%s://localhost:%d/", scheme, trap.Port()))
		}
	}
	opts := []checker.Option{checker.WithResolver(dns.Resolver()), checker.WithRetries(0)}
	for _, r := range faults.NewChecker(t, append(opts, checker.WithAddrPolicy(checker.PublicOnly))...).CheckAll(t.Context(), targets) {
		if r.Reason() != checker.ReasonBlocked && r.Reason() != checker.ReasonNotFound && r.Reason() != checker.ReasonDNS {
			t.Errorf("Check(%q).Err = %v; want blocked", r.Target, r.Err)
		}
	}
	// Without a policy there is a connection, which is accepted after all that
	// there were.
	if r := faults.NewChecker(t, opts...).Check(t.Context(), targets[0]); !r.Online() {
		t.Errorf("without a policy Check(%q) = %v; want Online", targets[0], r)
	}
	if got := trap.Accepted() - 1; got > 0 {
		t.Errorf("%d connections were accepted; want none", got)
	}
}

// A rebinding is a resolver that a stranger runs: its answers change from one
// question for a name to the next.
type rebinding struct {
	mu    sync.Mutex
	asked map[string]int
	// answer returns the addresses for the nth question for a name, from 0.
	answer func(network string, n int) []netip.Addr
}

func (b *rebinding) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	b.mu.Lock()
	if b.asked == nil {
		b.asked = make(map[string]int)
	}
	n := b.asked[network+host]
	b.asked[network+host]++
	b.mu.Unlock()
	if addrs := b.answer(network, n); addrs != nil {
		return addrs, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// inside answers with loopback.
func inside(network string, _ int) []netip.Addr {
	if network == "ip4" {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	}
	return []netip.Addr{netip.IPv6Loopback()}
}

// after answers with a public address to the first n questions.
func after(n int) func(string, int) []netip.Addr {
	return func(network string, i int) []netip.Addr {
		switch {
		case i >= n:
			return inside(network, i)
		case network == "ip4":
			return []netip.Addr{netip.MustParseAddr(originAddr)}
		}
		return nil
	}
}

// L1: the answer that the policy has judged is the one that is connected to, however
// often the resolver changes its mind.
func TestRebinding(t *testing.T) {
	everywhere := make([]string, 11)
	for i := range everywhere {
		everywhere[i] = fmt.Sprintf("/%d", i+1)
	}
	for _, row := range []struct {
		name   string
		times  int
		answer func(network string, n int) []netip.Addr
		site   hostile.Handler // nil: refuses
		reason checker.Reason
		opts   []checker.Option
	}{
		{"within a dial", 10_000, func(network string, n int) []netip.Addr { // A is public once, AAAA is ::1
			if network == "ip4" {
				return after(1)(network, n)
			}
			return inside(network, n)
		}, nil, checker.ReasonBlocked, nil},
		{"between addresses of a family", 1_000, func(string, int) []netip.Addr {
			addrs := append(inside("ip4", 0), netip.MustParseAddr(originAddr))
			return append(addrs, inside("ip4", 0)...)
		}, nil, checker.ReasonRefused, nil},
		{"between attempts", 1_000, after(1), hostile.Close(), checker.ReasonBlocked, nil},
		{"between hops", 10_000, after(1), locations(everywhere), checker.ReasonBlocked, nil},
		{
			"between HEAD and GET", 10_000, after(1), hostile.Respond("HTTP/1.1 405 X\r\n\r\n"), checker.ReasonBlocked,
			[]checker.Option{checker.WithJudge(checker.StatusIn(200, 299))},
		},
		{"from the first question on", 1_000, after(0), hostile.Respond(hostile.OK), checker.ReasonBlocked, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			bubble.Test(t, func(t *testing.T) {
				n := hostile.NewNet()
				if row.site != nil {
					hostile.ServeListener(t, n.Listen(originAddr+":80"), row.site)
				}
				b := &rebinding{answer: row.answer}
				c := faults.NewChecker(t, publicOn(n, append(row.opts, checker.WithResolver(b))...)...)
				others := 0
				for i := range row.times {
					target := fmt.Sprintf("http://r%d.test/0", i)
					if r := c.Check(t.Context(), target); r.Reason() != row.reason {
						others++
					}
				}
				// Two requests of one check may share a lookup that is just
				// ending, and then the second goes where the first went.
				if others > row.times/10 {
					t.Errorf("%d of %d checks ended otherwise than with %q", others, row.times, row.reason)
				}
				onlyOrigin(t, n)
			})
		})
	}
}

// A dial function is handed addresses, so that there is no name left in it that
// could be looked up anew; and what it connects to is judged before a byte is
// sent there. A peer that has no address is not what any policy has allowed.
func TestDialFunctionGoesElsewhere(t *testing.T) {
	for name, peer := range map[string]net.Addr{
		"loopback":           &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80},
		"mapped loopback":    fakeAddr("[::ffff:127.0.0.1]:80"),
		"link local":         &net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 80, Zone: "lo"},
		"public with a zone": &net.TCPAddr{IP: net.ParseIP("2606:4700::1"), Port: 80, Zone: "lo"},
		"UDP":                &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 80},
	} {
		checkElsewhere(t, name, peer, checker.PublicOnly)
	}
	all := func(netip.AddrPort) error { return nil }
	for name, peer := range map[string]net.Addr{
		"unix":             &net.UnixAddr{Net: "unix", Name: "/run/docker.sock"},
		"IP":               &net.IPAddr{IP: net.IPv4(1, 1, 1, 1)},
		"none":             nil,
		"a nil address":    (*net.TCPAddr)(nil),
		"an empty address": &net.TCPAddr{},
		"no address":       fakeAddr("nonsense"),
		"a name":           fakeAddr("origin.test:80"),
		"no port":          fakeAddr("1.1.1.1"),
	} {
		checkElsewhere(t, name, peer, all)
		checkElsewhere(t, name, peer, checker.PublicOnly)
	}
}

func checkElsewhere(t *testing.T, name string, peer net.Addr, policy func(netip.AddrPort) error) {
	t.Helper()
	bubble.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		read := make(chan int)
		go func() {
			n, _ := there.Read(make([]byte, 1))
			read <- n
		}()
		dialled := 0
		dial := func(_ context.Context, network, addr string) (net.Conn, error) {
			if dialled++; network != "tcp" || addr != originAddr+":80" {
				t.Errorf("dialled %q, %q; want tcp and the address of the origin", network, addr)
			}
			return peerConn{here, peer}, nil
		}
		c := faults.NewChecker(t, publicOn(vectorNet(), checker.WithDialContext(dial), checker.WithAddrPolicy(policy))...)
		if r := c.Check(t.Context(), "http://origin.test/"); r.Reason() != checker.ReasonBlocked || dialled != 1 {
			t.Errorf("%s: Check(%q).Err = %v after %d dials; want blocked after one", name, r.Target, r.Err, dialled)
		}
		if n := <-read; n != 0 {
			t.Errorf("%s: a byte was sent", name)
		}
	})
}

// peerConn is a connection with a peer of one's choice.
type peerConn struct {
	net.Conn
	peer net.Addr
}

func (c peerConn) RemoteAddr() net.Addr { return c.peer }

type fakeAddr string

func (fakeAddr) Network() string  { return "tcp" }
func (a fakeAddr) String() string { return string(a) }

package faults_test

import (
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
	"slices"
	"strings"
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
		_, path, _ := strings.Cut(head, " /") // by whatever method
		if _, err := fmt.Sscanf(path, "%d ", &i); err != nil || i >= len(all) {
			return hostile.OK
		}
		return fmt.Sprintf("HTTP/1.1 %d Found\r\nLocation: %s\r\n\r\n", []int{301, 302, 303, 307, 308}[i%5], all[i])
	})
}

// elsewhere are the vectors that are no targets, while browsers know where they
// lead as a Location: most of them inside, some back to the origin.
var elsewhere = map[string]checker.Reason{
	"http://127.0.0.1\\.good.test/": checker.ReasonBlocked, "https://127.0.0.1\\.good.test/": checker.ReasonBlocked,
	"http://\\127.0.0.1/": checker.ReasonBlocked, "https://\\127.0.0.1/": checker.ReasonBlocked,
	"http:///127.0.0.1/": checker.ReasonBlocked, "https:///127.0.0.1/": checker.ReasonBlocked,
	"http:////127.0.0.1/": checker.ReasonBlocked, "https:////127.0.0.1/": checker.ReasonBlocked,
	"http:\\\\127.0.0.1\\": checker.ReasonBlocked,
}

// sameScheme are vectors that are a path of an origin with their scheme, and lead
// inside from one with another.
var sameScheme = []string{"http:127.0.0.1/", "http:/127.0.0.1/", "https:127.0.0.1/", "https:/127.0.0.1/", "hTTp:127.0.0.1/"}

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
			if testing.Short() && i%5 > 0 {
				continue
			}
			want := checker.Reason(v.Want)
			if want == checker.ReasonInvalid {
				want = checker.ReasonRedirect
			}
			scheme := []string{"http", "https"}[i/2%2] // both with both schemes of the vector
			if reason, ok := elsewhere[v.URL]; ok {
				want = reason
			}
			if slices.Contains(sameScheme, v.URL) {
				want = checker.ReasonBlocked
				if word, _, _ := strings.Cut(v.URL, ":"); strings.EqualFold(word, scheme) {
					want = ""
				}
			}
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
		"///127.0.0.1/":         checker.ReasonBlocked,
		"//":                    checker.ReasonRedirect,
		"//127.1/":              checker.ReasonRedirect,
		"//\\127.0.0.1/":        checker.ReasonBlocked,
		"http:/\\127.0.0.1/":    checker.ReasonBlocked,
		"http:\\\\127.0.0.1/":   checker.ReasonBlocked,
		"http:127.0.0.1":        "",
		"127.0.0.1:80/":         "",
		"localhost:80":          checker.ReasonRedirect,
		"[::1]:80":              "",
		"http://127.0.0.1\t/":   checker.ReasonBlocked,
		"ht\ttp://127.0.0.1/":   checker.ReasonBlocked,
		"/\\127.0.0.1/":         checker.ReasonBlocked,
		"\\\\127.0.0.1/":        checker.ReasonBlocked,
		"\\/127.0.0.1/":         checker.ReasonBlocked,
		"127.0.0.1/":            "",
		"./127.0.0.1:80/":       "",
		"/.//127.0.0.1/":        "",
		"/..//127.0.0.1/":       "",
		"/x/..//127.0.0.1/":     "",
		"?url=http://127.0.0.1": "",
		"@127.0.0.1/":           "",
		":@127.0.0.1/":          "",
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
		if r.Reason() != checker.ReasonBlocked || len(r.Hops) != 10 {
			t.Errorf("Check(%q).Err = %v after %d redirects; want blocked after 10", r.Target, r.Err, len(r.Hops))
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

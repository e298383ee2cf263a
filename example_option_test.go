package checker_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker"
	"example.com/checker/internal/faults"
)

// check prints the verdict of a Checker with the given options.
func check(target string, opts ...checker.Option) {
	c, err := checker.New(opts...)
	if err != nil {
		log.Fatal(err)
	}
	r := c.Check(context.Background(), target)
	fmt.Println(strings.TrimSpace(fmt.Sprint(r.Status(), " ", r.Reason())))
}

func ExampleWithTimeout() {
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() }))
	defer slow.Close()
	check(slow.URL, checker.WithTimeout(100*time.Millisecond))
	// Output: offline timeout
}

func ExampleWithJudge() {
	check(site.URL+"/gone", checker.WithJudge(checker.StatusIn(200, 299)))
	// Output: offline rejected
}

// A judge may look at the body, which only GET gets.
func ExampleWithJudge_body() {
	const sentence = "all systems go"
	healthy := func(resp *http.Response) error {
		page, err := io.ReadAll(resp.Body)
		if err == nil && !strings.Contains(string(page), sentence) {
			err = errors.New("the health page does not say so")
		}
		return err
	}
	check(site.URL, checker.WithMethod(http.MethodGet), checker.WithJudge(healthy))
	// Output: offline rejected
}

func ExampleWithRedirects() {
	c, err := checker.New(checker.WithRedirects(10), checker.WithJudge(checker.StatusIn(200, 299)))
	if err != nil {
		log.Fatal(err)
	}
	r := c.Check(context.Background(), site.URL+"/old")
	fmt.Println(r.Status(), r.StatusCode, r.Redirects)
	// Output: online 200 1
}

func ExampleWithHeader() {
	private := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "Bearer token" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer private.Close()
	check(private.URL, checker.WithHeader("Authorization", "Bearer token"), checker.WithJudge(checker.StatusIn(200, 299)))
	// Output: online
}

func ExampleWithAddrPolicy() {
	check("http://169.254.169.254/latest/", checker.WithAddrPolicy(checker.PublicOnly))
	// Output: unknown blocked
}

// Policies are plain functions, so they compose: this one allows the public
// Internet and one internal network.
func ExampleWithAddrPolicy_internal() {
	internal := netip.MustParsePrefix("127.0.0.0/16")
	policy := func(addr netip.AddrPort) error {
		if internal.Contains(addr.Addr()) {
			return nil
		}
		return checker.PublicOnly(addr)
	}
	check(site.URL, checker.WithAddrPolicy(policy))
	check("http://127.1.0.1/", checker.WithAddrPolicy(policy))
	// Output:
	// online
	// unknown blocked
}

// This policy allows two ports.
func ExampleWithAddrPolicy_ports() {
	policy := func(addr netip.AddrPort) error {
		if port := addr.Port(); port != 80 && port != 443 {
			return fmt.Errorf("port %d is not for the web", port)
		}
		return checker.PublicOnly(addr)
	}
	check("http://example.org:25/", checker.WithAddrPolicy(policy), checker.WithResolver(hostsFile{"example.org.": "93.184.215.14"}))
	// Output: unknown blocked
}

// A hostsFile is a resolver that knows a few hosts.
type hostsFile map[string]string

func (h hostsFile) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	addr, err := netip.ParseAddr(h[host])
	if err != nil || addr.Is4() != (network == "ip4") {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return []netip.Addr{addr}, nil
}

// Names are asked for with a trailing dot first.
func ExampleWithResolver() {
	_, port, _ := strings.Cut(strings.TrimPrefix(site.URL, "http://"), ":")
	resolver := hostsFile{"site.test.": "127.0.0.1"}
	check("http://site.test:"+port, checker.WithResolver(resolver))
	check("http://other.test:"+port, checker.WithResolver(resolver))
	// Output:
	// online
	// offline not_found
}

func ExampleWithDialContext() {
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	check(site.URL, checker.WithDialContext(d.DialContext))
	// Output: online
}

func ExampleWithTLSConfig() {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	check(s.URL, checker.WithTLSConfig(&tls.Config{RootCAs: roots}))
	// Output: online
}

// A proxy is a transport.
func ExampleWithTransport() {
	proxy := httptest.NewServer(http.NotFoundHandler()) // answers for every site
	defer proxy.Close()
	u, _ := url.Parse(proxy.URL)
	check("http://site.test/", checker.WithTransport(&http.Transport{Proxy: http.ProxyURL(u), DisableKeepAlives: true}))
	// Output: online
}

func ExampleWithRateLimit() {
	c, err := checker.New(checker.WithRateLimit(rate.Every(20*time.Millisecond), 1))
	if err != nil {
		log.Fatal(err)
	}
	start := time.Now()
	c.CheckAll(context.Background(), []string{site.URL, site.URL, site.URL})
	fmt.Println(time.Since(start) >= 40*time.Millisecond)
	// Output: true
}

func ExampleWithHostRateLimit() {
	c, err := checker.New(checker.WithHostRateLimit(rate.Every(20*time.Millisecond), 1))
	if err != nil {
		log.Fatal(err)
	}
	start := time.Now()
	c.CheckAll(context.Background(), []string{site.URL, nowhere, site.URL + "/gone"})
	fmt.Println(time.Since(start) >= 40*time.Millisecond)
	// Output: true
}

// All hosts of one domain count as one.
func ExampleWithHostKey() {
	domain := func(u *url.URL) string {
		labels := strings.Split(u.Hostname(), ".")
		return strings.Join(labels[max(0, len(labels)-2):], ".")
	}
	m := &faults.Memory{Takes: time.Millisecond} // a transport that counts
	c, err := checker.New(checker.WithTransport(m), checker.WithHostKey(domain), checker.WithHostConcurrency(1))
	if err != nil {
		log.Fatal(err)
	}
	c.CheckAll(context.Background(), []string{"http://a.site.test", "http://b.site.test", "http://c.site.test"})
	fmt.Println("at once:", m.Most.Load())
	// Output: at once: 1
}

// When no canary answers, a site that does not answer either is not Offline.
func ExampleWithCanaries() {
	down := checker.WithDialContext(func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	timeout := checker.WithTimeout(50 * time.Millisecond)
	check("http://192.0.2.1/", down, timeout)
	check("http://192.0.2.1/", down, timeout, checker.WithCanaries("http://198.51.100.1/", "http://203.0.113.1/"))
	// Output:
	// offline timeout
	// unknown local
}

func ExampleStatusIn() {
	judge := checker.StatusIn(200, 399)
	fmt.Println(judge(&http.Response{StatusCode: 301}))
	fmt.Println(judge(&http.Response{StatusCode: 500}))
	// Output:
	// <nil>
	// status 500 is not from 200 to 399
}

func ExamplePublicOnly() {
	for _, addr := range []string{"93.184.215.14:443", "10.0.0.1:80", "[::ffff:127.0.0.1]:80"} {
		fmt.Println(checker.PublicOnly(netip.MustParseAddrPort(addr)))
	}
	// Output:
	// <nil>
	// 10.0.0.1 is in 10.0.0.0/8 (Private-Use, RFC 1918)
	// 127.0.0.1 is in 127.0.0.0/8 (Loopback, RFC 1122)
}

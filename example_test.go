package checker_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"example.com/checker"
)

// site is a server for the examples: "/" answers, "/old" redirects to it, and
// "/gone" is not there.
var site = func() *httptest.Server {
	mux := http.NewServeMux()
	mux.Handle("/old", http.RedirectHandler("/", http.StatusMovedPermanently))
	mux.Handle("/gone", http.NotFoundHandler())
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	return httptest.NewServer(mux)
}()

// nowhere is a URL on a port that nothing listens on.
const nowhere = "http://127.0.0.1:1/"

func Example() {
	c, err := checker.New(checker.WithTimeout(5 * time.Second))
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range c.CheckAll(context.Background(), []string{site.URL, nowhere, "ftp://example.org/"}) {
		fmt.Printf("%s %q\n", r.Status(), r.Reason())
	}
	// Output:
	// online ""
	// offline "refused"
	// unknown "invalid"
}

func ExampleNew() {
	_, err := checker.New(checker.WithTimeout(0), checker.WithMethod("POST"))
	fmt.Println(err)
	fmt.Println(errors.Is(err, checker.ErrInvalidOption))
	// Output:
	// invalid option: WithTimeout: 0s is not positive
	// invalid option: WithMethod: "POST" is neither HEAD nor GET
	// true
}

func ExampleChecker_Check() {
	c, err := checker.New()
	if err != nil {
		log.Fatal(err)
	}
	r := c.Check(context.Background(), site.URL+"/gone")
	fmt.Println(r.Status(), r.StatusCode)
	// Output: online 404
}

func ExampleChecker_CheckAll() {
	c, err := checker.New()
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range c.CheckAll(context.Background(), []string{nowhere, "http://:80/"}) {
		fmt.Println(r)
	}
	// Output:
	// http://127.0.0.1:1/: offline: the host refused the connection
	// http://:80/: unknown: not a site to check: it has no host
}

// Stream takes a list of any length and gives each Result as it falls.
func ExampleChecker_Stream() {
	c, err := checker.New(checker.WithConcurrency(10))
	if err != nil {
		log.Fatal(err)
	}
	list := slices.Repeat([]string{site.URL, site.URL + "/gone", nowhere}, 20)
	count := make(map[checker.Status]int)
	for r := range c.Stream(context.Background(), slices.Values(list)) {
		count[r.Status()]++
	}
	fmt.Println(count)
	// Output: map[offline:20 online:40]
}

// A loop over Each is left like any other.
func ExampleChecker_Each() {
	c, err := checker.New()
	if err != nil {
		log.Fatal(err)
	}
	forever := func(yield func(string) bool) {
		for yield(site.URL) {
		}
	}
	for r := range c.Each(context.Background(), forever) {
		fmt.Println(r.Status())
		break
	}
	// Output: online
}

// One site gets a token that no other may see. Both Checkers together keep to one rate.
func ExampleChecker_With() {
	c, err := checker.New(checker.WithRateLimit(100, 1))
	if err != nil {
		log.Fatal(err)
	}
	mine, err := c.With(checker.WithHeader("Authorization", "Bearer token"), checker.WithJudge(checker.StatusIn(200, 299)))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(mine.Check(context.Background(), site.URL).Status(), c.Check(context.Background(), site.URL+"/gone").Status())

	_, err = c.With(checker.WithConcurrency(10))
	fmt.Println(errors.Is(err, checker.ErrInvalidOption))
	// Output:
	// online online
	// true
}

func ExampleReason() {
	c, err := checker.New()
	if err != nil {
		log.Fatal(err)
	}
	r := c.Check(context.Background(), nowhere)
	fmt.Println(errors.Is(r.Err, checker.ReasonRefused))
	switch r.Reason() {
	case checker.ReasonRefused, checker.ReasonReset:
		fmt.Println("the web server is down")
	case checker.ReasonNotFound:
		fmt.Println("the domain is gone")
	}
	// Output:
	// true
	// the web server is down
}

func ExampleError() {
	c, err := checker.New()
	if err != nil {
		log.Fatal(err)
	}
	r := c.Check(context.Background(), nowhere)
	if e, ok := errors.AsType[*checker.Error](r.Err); ok {
		fmt.Println(e.Phase, e.Reason)
		if op, ok := errors.AsType[*net.OpError](e.Err); ok { // for the operator: the error as it came
			fmt.Println(op.Op, op.Net, op.Addr)
		}
	}
	// Output:
	// connect refused
	// dial tcp 127.0.0.1:1
}

func ExampleError_Message() {
	site := httptest.NewTLSServer(nil) // with a certificate of its own
	defer site.Close()
	c, err := checker.New()
	if err != nil {
		log.Fatal(err)
	}
	r := c.Check(context.Background(), site.URL)
	if e, ok := errors.AsType[*checker.Error](r.Err); ok {
		fmt.Println(e.Message())
	}
	// Output: the certificate was refused: it is self-signed, by O=Acme Co
}

func ExampleCause() {
	var r checker.Result // as a monitor kept it
	err := json.Unmarshal([]byte(`{"status":"offline","reason":"certificate","cause":"expired","phase":"tls"}`), &r)
	switch {
	case err != nil:
		log.Fatal(err)
	case errors.Is(r.Err, checker.CauseExpired):
		fmt.Println("renew the certificate")
	case errors.Is(r.Err, checker.CauseIncompleteChain):
		fmt.Println("let the server send its intermediate certificate")
	case errors.Is(r.Err, checker.ReasonCertificate):
		fmt.Println("call the hoster")
	}
	// Output: renew the certificate
}

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
	for _, hop := range r.Hops {
		fmt.Println(hop.StatusCode, strings.TrimPrefix(hop.URL, site.URL))
	}
	fmt.Println(r.StatusCode, strings.TrimPrefix(r.URL, site.URL), r.Status())
	// Output:
	// 301 /old
	// 200 / online
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
	check("http://example.org:25/", checker.WithAddrPolicy(policy), checker.WithResolver(hostsFile{"example.org": "93.184.215.14"}))
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

// Names are asked for as they are, once in each address family.
func ExampleWithResolver() {
	_, port, _ := strings.Cut(strings.TrimPrefix(site.URL, "http://"), ":")
	resolver := hostsFile{"site.test": "127.0.0.1"}
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
	_, port, _ := strings.Cut(strings.TrimPrefix(site.URL, "http://"), ":")
	resolver := hostsFile{"a.site.test": "127.0.0.1", "b.site.test": "127.0.0.1", "c.site.test": "127.0.0.1"}
	c, err := checker.New(checker.WithHostKey(domain), checker.WithHostRateLimit(rate.Every(20*time.Millisecond), 1), checker.WithResolver(resolver))
	if err != nil {
		log.Fatal(err)
	}
	start := time.Now()
	c.CheckAll(context.Background(), []string{"http://a.site.test:" + port, "http://b.site.test:" + port, "http://c.site.test:" + port})
	fmt.Println(time.Since(start) >= 40*time.Millisecond)
	// Output: true
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
	// status 500, wanted 200–399
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

// found is a Result as a check returns it, for examples that print it.
var found = checker.Result{
	Target:   "example.org:8080",
	URL:      "http://example.org:8080/",
	Err:      &checker.Error{Phase: checker.PhaseConnect, Reason: checker.ReasonRefused, URL: "http://example.org:8080/"},
	Method:   "HEAD",
	Attempts: 2,
	Timing:   checker.Timing{DNS: 4 * time.Millisecond, Total: 250 * time.Millisecond},
}

func ExampleResult_LogValue() {
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	log.Warn("site is down", "check", found)
	// Output:
	// level=WARN msg="site is down" check.target=example.org:8080 check.status=offline check.url=http://example.org:8080/ check.reason=refused check.phase=connect check.error="http://example.org:8080/: the host refused the connection" check.attempts=2 check.total_ms=250
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func ExampleResult_MarshalJSON() {
	b, err := json.MarshalIndent(found, "", "  ")
	fmt.Println(string(b), err)
	// Output:
	// {
	//   "index": 0,
	//   "target": "example.org:8080",
	//   "url": "http://example.org:8080/",
	//   "status": "offline",
	//   "reason": "refused",
	//   "phase": "connect",
	//   "error": "http://example.org:8080/: the host refused the connection",
	//   "status_code": 0,
	//   "method": "HEAD",
	//   "attempts": 2,
	//   "timing": {
	//     "wait_ms": 0,
	//     "dns_ms": 4,
	//     "connect_ms": 0,
	//     "tls_ms": 0,
	//     "first_byte_ms": 0,
	//     "total_ms": 250
	//   }
	// } <nil>
}

func ExampleResult_UnmarshalJSON() {
	var r checker.Result
	err := json.Unmarshal([]byte(`{"target":"example.org","status":"offline","reason":"timeout","phase":"tls"}`), &r)
	fmt.Println(r.Status(), r.Reason(), err)
	// Output: offline timeout <nil>
}

func ExampleResult_String() {
	fmt.Println(found)
	// Output: example.org:8080: offline: http://example.org:8080/: the host refused the connection
}

func ExampleRedact() {
	fmt.Println(checker.Redact("https://user:password@example.org/"))
	// Output: https://xxxxx@example.org/
}

//go:build linux

package e2e_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// What curl, the measure of most people, finds at a site should be what a check
// finds. TestCurl asks both about the same sites with the same method, roots,
// addresses and timeout. Rows are named by their number in the catalogue of
// faults, as the tests of the library are.

// curlTimeout is that of curl and of the checks.
const curlTimeout = 2 * time.Second

// A curlRow is a site, and how it is asked for.
type curlRow struct {
	name   string
	site   hostile.Handler
	target string   // PORT is the site's; default: http://site.test:PORT/
	addrs  []string // of site.test; default: 127.0.0.1
	get    bool     // GET, not HEAD
	follow bool     // up to three redirects
}

// curlAgrees has the reasons that an exit status of curl agrees with. Status 0
// agrees with Online and the same status code.
var curlAgrees = map[int][]checker.Reason{
	1:  {checker.ReasonInvalid, checker.ReasonMalformed, checker.ReasonRedirect}, // a scheme that it does not have; HTTP/0.9
	3:  {checker.ReasonInvalid},
	6:  {checker.ReasonNotFound, checker.ReasonDNS},
	7:  {checker.ReasonRefused, checker.ReasonUnreachable, checker.ReasonReset}, // a reset may come before it looks
	8:  {checker.ReasonMalformed},
	27: {checker.ReasonMalformed}, // a line over 100 KiB is too much for its memory
	28: {checker.ReasonTimeout},
	35: {checker.ReasonTLS, checker.ReasonReset}, // it does not tell a peer that hangs up from one that objects
	43: {checker.ReasonMalformed},                // it calls a leading space its own mistake
	47: {checker.ReasonRedirect},
	52: {checker.ReasonReset},
	55: {checker.ReasonReset}, // while it still sends
	56: {checker.ReasonReset},
	60: {checker.ReasonCertificate},
	61: {checker.ReasonMalformed},
}

// A curlDifference is agreed on: ours is what a check finds, "online 200" or a
// reason.
type curlDifference struct{ ours, why string }

// curlDifferences are named by rows; a name without the method is about both
// HEAD and GET.
var curlDifferences = map[string]curlDifference{
	"A14 percent-encoded host": {"invalid", "a host that programs read differently names no site; curl decodes it"},
	"A15 zone":                 {"invalid", "a zone means something on this machine only; curl takes it"},
	"A16 hexadecimal":          {"invalid", "only some programs take this for an address; curl does"},
	"A16 one number":           {"invalid", "only some programs take this for an address; curl does"},
	"A16 two numbers":          {"invalid", "only some programs take this for an address; curl does"},
	"A18 space":                {"online 200", "browsers open it, and encode it; curl refuses it"},
	"A2 CR at the end":         {"online 200", "lists from other systems have it, so it is trimmed; curl refuses it"},
	"A4 ftp":                   {"invalid", "curl speaks it"},
	"A5 one slash":             {"invalid", "curl takes one to three slashes"},
	"A5 three slashes":         {"invalid", "curl takes one to three slashes"},
	"A7 port 0":                {"invalid", "nobody can listen there; curl tries to connect"},
	"B15 sinkhole":             {"dns", "the resolver answers as a filter does; curl asks its own machine"},
	"B23 onion":                {"invalid", "both look nothing up (RFC 7686); curl calls it a failed lookup"},

	"D10 client certificate, TLS 1.3": {"tls", "the alert comes with the first read, which curl calls a failure to receive"},
	"D4 only a common name":           {"certificate", "RFC 9525 has names in the SAN only; OpenSSL still falls back to the common name"},

	"E18 103 without end":           {"malformed", "one cap holds for all heads together; curl calls it a failure to receive"},
	"F5 HEAD hangs, GET is fine":    {"online 200", "HEAD falls back to GET; curl does what it is told"},
	"F6 HEAD is reset, GET is fine": {"online 200", "HEAD falls back to GET; curl does what it is told"},

	"G3 two Locations":                {"redirect", "they contradict each other; curl takes the first"},
	"G4 control character in a field": {"online 204", "browsers encode it; curl calls it a malformed URL"},
	"G8 to ftp":                       {"redirect", "curl speaks it, and finds nobody there"},
	"G9 to an empty host":             {"redirect", "curl calls it a malformed URL, as if it were the caller's"},

	"H3 body never comes, GET": {"online 200", "the head decides; curl reads the body"},
	"I2 body without end":      {"online 200", "the head decides; curl reads the body"},
}

// difference returns what is agreed on about a row.
func (r curlRow) difference() (name string, d curlDifference, ok bool) {
	both := strings.TrimSuffix(strings.TrimSuffix(r.name, ", HEAD"), ", GET")
	for _, name := range []string{r.name, both} {
		if d, ok := curlDifferences[name]; ok {
			return name, d, true
		}
	}
	return "", d, false
}

func TestCurl(t *testing.T) {
	needTool(t, "curl", "curl")
	ca := hostile.NewCA(t)
	chain := ca.Issue(hostile.Cert{Names: []string{"site.test"}, Via: ca}).Certificate
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain[len(chain)-1]}), 0o600); err != nil {
		t.Fatal(err)
	}
	rows := slices.Concat(curlTargets(), curlConnects(t), curlHandshakes(t, ca), curlAnswers(), curlRedirects(t))
	names, used := make(map[string]bool), make(map[string]bool)
	for _, r := range rows {
		names[r.name] = true
		if name, _, ok := r.difference(); ok {
			used[name] = true
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			r.run(t, roots, ca)
		})
	}
	if len(names) < len(rows) {
		t.Errorf("%d rows have %d names; want as many", len(rows), len(names))
	}
	for name := range curlDifferences {
		if !used[name] {
			t.Errorf("the difference %q is about no row", name)
		}
	}
}

// run asks curl and the library, and compares.
func (r curlRow) run(t *testing.T, roots string, ca *hostile.CA) {
	port := hostile.ClosedPort(t).Port()
	if r.site != nil {
		port = hostile.Serve(t, "127.0.0.1:0", r.site).Port()
	}
	if r.target == "" {
		r.target = "http://site.test:PORT/"
	}
	if r.addrs == nil {
		r.addrs = []string{"127.0.0.1"}
	}
	r.target = strings.ReplaceAll(r.target, "PORT", strconv.Itoa(int(port)))
	var ours checker.Result
	var wg sync.WaitGroup
	wg.Go(func() { ours = r.check(t, ca) })
	exit, code := r.curl(t, roots, port)
	wg.Wait()
	agrees := exit == 0 && ours.Online() && ours.StatusCode == code ||
		exit != 0 && slices.Contains(curlAgrees[exit], ours.Reason())
	word := string(ours.Reason())
	if ours.Online() {
		word = fmt.Sprintf("online %d", ours.StatusCode)
	}
	switch _, known, ok := r.difference(); {
	case !ok && !agrees:
		t.Errorf("%q: curl exits with %d and status %03d; Check finds %s: %v", r.target, exit, code, word, ours)
	case ok && agrees:
		t.Errorf("%q: curl exits with %d and status %03d, and Check finds %s: there is no difference any more", r.target, exit, code, word)
	case ok && word != known.ours:
		t.Errorf("%q: Check finds %s: %v; want %s, for %s", r.target, word, ours, known.ours, known.why)
	}
}

// curl returns curl's exit status and the status code of the last answer.
func (r curlRow) curl(t *testing.T, roots string, port uint16) (exit, code int) {
	t.Helper()
	args := []string{
		"-q", "-sS", "--max-time", fmt.Sprint(curlTimeout.Seconds()), "--http1.1", "--cacert", roots,
		"-o", "/dev/null", "-w", "%{http_code}",
	}
	if !r.get {
		args = append(args, "-I")
	}
	if r.follow {
		args = append(args, "-L", "--max-redirs", "3")
	}
	// All names, or curl would ask the system's resolver about some of them.
	args = append(args, "--resolve", fmt.Sprintf("*:%d:%s", port, strings.Join(r.addrs, ",")))
	cmd := exec.CommandContext(t.Context(), "curl", append(args, "--", r.target)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"} // no proxy, no configuration
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok && failed.Exited() {
		t.Logf("curl: %s", failed.Stderr)
		code, _ = strconv.Atoi(string(out)) // curl may say nothing
		return failed.ExitCode(), code
	}
	if err == nil {
		code, err = strconv.Atoi(string(out))
	}
	if err != nil {
		t.Errorf("curl %q: %v", args, err)
	}
	return 0, code
}

// check asks the library what curl is asked.
func (r curlRow) check(t *testing.T, ca *hostile.CA) checker.Result {
	t.Helper()
	opts := []checker.Option{
		checker.WithTimeout(curlTimeout), checker.WithRetries(0), checker.WithResolver(r),
		checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}),
	}
	if r.get {
		opts = append(opts, checker.WithMethod(http.MethodGet))
	}
	if r.follow {
		opts = append(opts, checker.WithRedirects(3))
	}
	c, err := checker.New(opts...)
	if err != nil {
		t.Error(err) // not Fatal, which is for the goroutine of the test only
		return checker.Result{}
	}
	return c.Check(t.Context(), r.target)
}

// LookupNetIP makes a row the resolver of its check. As for curl, all names have
// the row's addresses.
func (r curlRow) LookupNetIP(_ context.Context, network, host string) (addrs []netip.Addr, err error) {
	for _, text := range r.addrs {
		if a := netip.MustParseAddr(text); a.Is4() == (network == "ip4") {
			addrs = append(addrs, a)
		}
	}
	if addrs == nil {
		err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return addrs, err
}

// curlTargets are about what the caller wrote.
func curlTargets() (rows []curlRow) {
	for _, r := range [][2]string{
		{"A2 CR at the end", "http://site.test:PORT/\r"},
		{"A3 no scheme", "site.test:PORT/x"},
		{"A4 javascript", "javascript:alert(1)"},
		{"A4 unknown scheme", "foo://site.test:PORT/"},
		{"A5 upper case", "HTTP://SITE.test:PORT/"},
		{"A5 one slash", "http:/site.test:PORT/"},
		{"A5 three slashes", "http:///site.test:PORT/"},
		{"A6 empty host", "http://:PORT/"},
		{"A7 port 0", "http://127.0.0.1:0/"},
		{"A7 port 99999", "http://site.test:99999/"},
		{"A7 port that is no number", "http://site.test:8x/"},
		{"A9 userinfo", "http://u:p@site.test:PORT/"},
		{"A10 IDN", "http://bücher.test:PORT/"},
		{"A12 underscore", "http://foo_bar.test:PORT/"},
		{"A13 line break", "http://site.test:PORT/\r\nX: y"},
		{"A14 percent-encoded host", "http://%31%32%37.0.0.1:PORT/"},
		{"A15 bracketed name", "http://[site.test]:PORT/"},
		{"A15 zone", "http://[::1%25lo]:PORT/"},
		{"A16 two numbers", "http://127.1:PORT/"},
		{"A16 hexadecimal", "http://0x7f.1:PORT/"},
		{"A16 one number", "http://2130706433:PORT/"},
		{"A18 percent sign", "http://site.test:PORT/100%"},
		{"A18 space", "http://site.test:PORT/a b"},
		{"A18 UTF-8", "http://site.test:PORT/ü"},
		{"B23 onion", "http://site.onion/"},
	} {
		rows = append(rows, curlRow{name: r[0], target: r[1], site: hostile.Respond(hostile.OK)})
	}
	return append(rows, curlRow{name: "A4 ftp", target: "ftp://site.test:PORT/"}) // to a server, curl would listen for long
}

// curlConnects are about addresses and connections.
func curlConnects(t *testing.T) []curlRow {
	ok := hostile.Respond(hostile.OK)
	banner := func(name, text string) curlRow { return curlRow{name: name, site: hostile.Banner(text)} }
	return []curlRow{
		{name: "B15 sinkhole", site: ok, addrs: []string{"0.0.0.0"}},
		{name: "B18 the first address refuses", site: ok, addrs: []string{"127.0.0.2", "127.0.0.1"}},
		{name: "B19 IPv6 refuses", site: ok, addrs: []string{"::1", "127.0.0.1"}},
		{name: "C1 refused"},
		{name: "C3 queue is full", target: "http://" + hostile.FullBacklog(t).String() + "/"},
		{name: "C4 reset on accept", site: hostile.Reset()},
		{name: "C5 closed on accept", site: hostile.Close()},
		{name: "C6 silent", site: hostile.Silent()},
		banner("C13 SSH", "SSH-2.0-OpenSSH_9.2\r\n"),
		banner("C13 SMTP", "220 mail.test ESMTP\r\n"),
		banner("C13 MySQL", "J\x00\x00\x00\x0a8.0.36\x00"),
		banner("C14 HTTP/2 settings", "\x00\x00\x00\x04\x00\x00\x00\x00\x00"),
	}
}

// curlHandshakes are about TLS.
func curlHandshakes(t *testing.T, ca *hostile.CA) (rows []curlRow) {
	names := []string{"site.test", "127.0.0.1"}
	good := hostile.Cert{Names: names}
	ok := hostile.Respond(hostile.OK)
	add := func(name string, site hostile.Handler) {
		rows = append(rows, curlRow{name: name, target: "https://site.test:PORT/", site: site})
	}
	cert := func(name string, spec hostile.Cert) { add(name, hostile.TLS(ca.Config(spec), ok)) }
	conf := func(name string, change func(*tls.Config)) {
		c := ca.Config(good)
		c.MinVersion = tls.VersionTLS10
		change(c)
		add(name, hostile.TLS(c, ok))
	}
	cert("D0 all is well", good)
	cert("D1 expired", hostile.Cert{Names: names, NotAfter: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)})
	cert("D2 not yet valid", hostile.Cert{Names: names, NotBefore: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)})
	add("D3 untrusted", hostile.TLS(hostile.SelfSigned(t, names...), ok))
	cert("D4 wrong host", hostile.Cert{Names: []string{"other.test"}})
	cert("D4 only a common name", hostile.Cert{CommonName: "site.test"})
	cert("D4 wildcard over two labels", hostile.Cert{Names: []string{"*.site.test"}})
	rows[len(rows)-1].target = "https://a.b.site.test:PORT/"
	cert("D5 no intermediate", hostile.Cert{Names: names, Via: ca.Intermediate(nil), Omit: true})
	cert("D5 with the intermediate", hostile.Cert{Names: names, Via: ca.Intermediate(nil)})
	conf("D8 TLS 1.0 only", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS10 })
	conf("D8 TLS 1.1 only", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 })
	conf("D8 TLS 1.2 only", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 })
	conf("D10 client certificate, TLS 1.2", func(c *tls.Config) { c.MaxVersion, c.ClientAuth = tls.VersionTLS12, tls.RequireAnyClientCert })
	conf("D10 client certificate, TLS 1.3", func(c *tls.Config) { c.ClientAuth = tls.RequireAnyClientCert })
	add("D11 http on the https port", hostile.AfterHello(func(_ context.Context, c net.Conn) { io.WriteString(c, hostile.OK) }))
	add("D13 silent after the hello", hostile.AfterHello(hostile.Silent()))
	add("D14 a byte every 50 ms", hostile.Sliced(hostile.TLS(ca.Config(good), ok), 1, 50*time.Millisecond))
	add("D15 closed after the hello", hostile.AfterHello(hostile.Close()))
	add("D15 reset after the hello", hostile.AfterHello(hostile.Reset()))
	conf("D16 alert", func(c *tls.Config) {
		c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("no such name") }
	})
	conf("D20 only HTTP/2", func(c *tls.Config) { c.NextProtos = []string{"h2"} })
	add("D20 garbage after the handshake", hostile.TLS(ca.Config(good), hostile.Respond("garbage")))
	cert("D21 rooted name", good)
	rows[len(rows)-1].target = "https://site.test.:PORT/"
	cert("D21 address", good)
	rows[len(rows)-1].target = "https://127.0.0.1:PORT/"
	add("D22 no close_notify", hostile.TLS(ca.Config(good), func(ctx context.Context, c net.Conn) {
		ok(ctx, c)
		c.(*tls.Conn).NetConn().Close()
	}))
	return rows
}

// curlAnswers are about what comes back, in heads that are as they should be; TestHeads
// has the others.
func curlAnswers() (rows []curlRow) {
	head := func(fields string) string { return "HTTP/1.1 200 OK\r\n" + fields + "\r\n\r\n" }
	for _, r := range [][2]string{
		{"E22 408", "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"},
		{"F1 304", "HTTP/1.1 304 Not Modified\r\n\r\n"},
		{"F2 401", "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n"},
		{"F3 404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"},
		{"F7 429", "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1000000000\r\n\r\n"},
		{"F8 503", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"},
		{"F12 gzip that is none", head("Content-Encoding: gzip") + "not gzip"},
		{"G2 302 that is not followed", "HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n"},
	} {
		rows = append(rows,
			curlRow{name: r[0] + ", HEAD", site: hostile.Respond(r[1])},
			curlRow{name: r[0] + ", GET", site: hostile.Respond(r[1]), get: true})
	}
	byMethod := func(head hostile.Handler) hostile.Handler {
		return hostile.ByMethod(map[string]hostile.Handler{"HEAD": head, "GET": hostile.Respond(hostile.OK)})
	}
	body := func(int) string { return "x" }
	return append(rows,
		curlRow{name: "E18 103 without end", site: hostile.Forever("", func(int) string { return "HTTP/1.1 103 Early Hints\r\n\r\n" }, 0)},
		curlRow{name: "E20 100 and then silence", site: hostile.Banner("HTTP/1.1 100 Continue\r\n\r\n")},
		curlRow{name: "E21 answer before the request", site: hostile.Banner(hostile.OK)},
		curlRow{name: "F4 HEAD is not allowed", site: byMethod(hostile.Respond("HTTP/1.1 405 Method Not Allowed\r\n\r\n"))},
		curlRow{name: "F5 HEAD hangs, GET is fine", site: byMethod(hostile.Silent())},
		curlRow{name: "F6 HEAD is reset, GET is fine", site: byMethod(hostile.ResetAfterRequest())},
		curlRow{name: "H1 trickle", site: hostile.Trickle(hostile.OK, 1, time.Second)},
		curlRow{name: "H3 body never comes, HEAD", site: hostile.Forever(head("Content-Length: 100"), body, time.Hour)},
		curlRow{name: "H3 body never comes, GET", site: hostile.Forever(head("Content-Length: 100"), body, time.Hour), get: true},
		curlRow{name: "I1 10 GB announced", site: hostile.Respond(head("Content-Length: 10737418240"))},
		curlRow{name: "I2 body without end", site: hostile.Forever(head("Transfer-Encoding: chunked"), func(int) string { return "4\r\nxxxx\r\n" }, time.Millisecond), get: true},
	)
}

// curlRedirects are followed.
func curlRedirects(t *testing.T) (rows []curlRow) {
	to := func(location string) string { return "HTTP/1.1 302 Found\r\n" + location + "\r\n\r\n" }
	hops := func(n int) hostile.Handler { // the path says how many there were
		return hostile.RespondTo(func(_ int, head string) string {
			var hop int
			if fmt.Sscanf(head, "HEAD /%d ", &hop); hop == n {
				return hostile.OK
			}
			return to(fmt.Sprintf("Location: /%d", hop+1))
		})
	}
	row := func(name, location string) curlRow {
		return curlRow{name: name, follow: true, site: hostile.RespondTo(func(_ int, head string) string {
			if _, path, _ := strings.Cut(head, " "); strings.HasPrefix(path, "/ ") {
				return to(location)
			}
			return "HTTP/1.1 204 No Content\r\n\r\n"
		})}
	}
	return []curlRow{
		row("G1 absolute path", "Location: /there"),
		row("G1 relative path", "Location: there"),
		row("G1 query", "Location: ?q"),
		row("G1 fragment", "Location: /there#part"),
		row("G2 no Location", "X: y"),
		row("G2 empty Location", "Location:"),
		row("G3 two Locations", "Location: /there\r\nLocation: /elsewhere"),
		row("G3 the same Location twice", "Location: /there\r\nLocation: /there"),
		row("G4 control character in a field", "Location: /the\x01re"),
		row("G5 loop", "Location: /"),
		{name: "G6 three hops", follow: true, site: hops(3)},
		{name: "G6 four hops", follow: true, site: hops(4)},
		row("G7 to a host that refuses", "Location: http://"+hostile.ClosedPort(t).String()+"/"),
		row("G8 to ftp", "Location: ftp://127.0.0.1/"),
		row("G8 to a file", "Location: file:///etc/passwd"),
		row("G9 to an empty host", "Location: http://:80/"),
	}
}

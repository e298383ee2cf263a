package checker_test

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/dial"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
	"example.com/checker/internal/resolve"
)

var update = flag.Bool("update", false, "write docs/sentences.md anew")

const sentencesHead = `# What an Error says

All that ` + "`Error.Message`" + ` says, by Reason and Cause: what the tests provoke, or make of the errors that systems give. The
wording may change; the values of Reason and Cause do not. [reasons.md](reasons.md) says what they mean.

`

// Everything that an Error says stands in docs/sentences.md, to be read in one go: there
// is a sentence for every Reason and every Cause, and none that begins in the middle.
func TestSentences(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the texts of errnos differ from system to system")
	}
	all := slices.Concat(madeSentences(), siteSentences(t), targetSentences(t))
	slices.SortStableFunc(all, func(a, b sentence) int {
		return cmp.Or(cmp.Compare(rankOf(a), rankOf(b)), strings.Compare(string(a.cause), string(b.cause)), strings.Compare(a.text, b.text))
	})
	all = slices.CompactFunc(all, func(a, b sentence) bool { return a.cause == b.cause && a.text == b.text })
	table := sentencesHead + "| Reason | Cause | Message |\n|---|---|---|\n"
	said := make(map[any]bool)
	for _, s := range all {
		said[s.reason], said[s.cause] = true, true
		table += fmt.Sprintf("| `%s` | %s | %s |\n", s.reason, quoted(string(s.cause)), strings.ReplaceAll(s.text, "|", `\|`))
	}
	for _, r := range checker.AllReasons() {
		if !said[r] {
			t.Errorf("nothing is said of the reason %q", r)
		}
	}
	for _, c := range checker.AllCauses() {
		if !said[c] {
			t.Errorf("nothing is said of the cause %q", c)
		}
	}
	const file = "docs/sentences.md"
	if *update {
		if err := os.WriteFile(file, []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	old, now := strings.Split(string(want), "\n"), strings.Split(table, "\n")
	for _, line := range now {
		if !slices.Contains(old, line) {
			t.Errorf("%s lacks\n%s", file, line)
		}
	}
	for _, line := range old {
		if !slices.Contains(now, line) {
			t.Errorf("%s has, and nothing says any more\n%s", file, line)
		}
	}
}

// What decides of a sentence stands there also where a name has the 253 bytes that it may
// have, beside a URL of that: what it is, and what is to be mended.
func TestSentencesOfLongNames(t *testing.T) {
	const server = "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:5353"
	host := strings.Repeat(strings.Repeat("a", 49)+".", 5) + "end" // 253 bytes
	failed := func(kind resolve.Kind) error {
		e := &resolve.Error{Kind: kind, Name: host, Family: resolve.IP4, Asked: []string{host}, Source: "mdns"}
		if kind.Failed() {
			e.Failures = []resolve.Failure{{Server: netip.MustParseAddrPort(server), Name: host, Kind: kind, Code: 23, Err: syscall.EHOSTUNREACH}}
		}
		return &dial.LookupError{Host: host, Err: e}
	}
	other := "www." + host[4:]
	named := func(cn string, names ...string) error {
		cert := &x509.Certificate{DNSNames: names}
		cert.Subject.CommonName = cn
		return x509.HostnameError{Certificate: cert, Host: host}
	}
	const dns = checker.ReasonDNS
	for _, test := range []struct {
		reason checker.Reason
		err    error
		want   []string
	}{
		{checker.ReasonNotFound, failed(resolve.NotFound), []string{"NXDOMAIN"}},
		{checker.ReasonNotFound, failed(resolve.NoAddress), []string{"no A record"}},
		{dns, failed(resolve.ServFail), []string{server, "SERVFAIL"}},
		{dns, failed(resolve.OtherCode), []string{server, "code 23"}},
		{dns, failed(resolve.Refused), []string{server, "REFUSED"}},
		{dns, failed(resolve.Lame), []string{server, "is no resolver"}},
		{dns, failed(resolve.Silent), []string{server, "did not answer"}},
		{dns, failed(resolve.Unreachable), []string{server, "could not be reached", "no route to host"}},
		{dns, failed(resolve.Malformed), []string{server, "cannot be read"}},
		{dns, failed(resolve.Sinkhole), []string{"unspecified address, as a filter's is"}},
		{dns, failed(resolve.Unsupported), []string{"(cgo)", `"mdns"`}},
		{checker.ReasonCertificate, named("", "www.test"), []string{"not for aaa", "www.test"}},
		{checker.ReasonCertificate, named("", other, "b.test", "c.test", "d.test", "e.test", "f.test"), []string{"not for aaa", "but for www.aaa"}},
		{checker.ReasonCertificate, named(strings.Repeat("c", 64)), []string{"not for aaa", "common name only", "does not count"}},
		{checker.ReasonCertificate, named(""), []string{"not for aaa", "names no host"}},
	} {
		e := checker.NewError(checker.PhaseTLS, test.reason, "https://"+host+"/", test.err)
		if mend := checker.Mend(e.Cause); mend != "" {
			test.want = append(test.want, "; "+mend)
		}
		for _, want := range test.want {
			if text := e.Error(); !strings.Contains(text, want) {
				t.Errorf("%s, %q: %q lacks %q", e.Reason, e.Cause, text, want)
			}
		}
	}
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// A sentence is what an Error says.
type sentence struct {
	reason checker.Reason
	cause  checker.Cause
	text   string
}

func rankOf(s sentence) int { return slices.Index(checker.AllReasons(), s.reason) }

func sentenceOf(t *testing.T, err error) sentence {
	t.Helper()
	e, ok := errors.AsType[*checker.Error](err)
	if !ok {
		t.Fatalf("%v is no Error", err)
	}
	return sentence{e.Reason, e.Cause, e.Message()}
}

// madeSentences has those of errors that only a system, or a resolver, gives.
func madeSentences() (all []sentence) {
	add := func(phase checker.Phase, reason checker.Reason, errs ...error) {
		for _, err := range errs {
			e := checker.NewError(phase, reason, "", err)
			all = append(all, sentence{e.Reason, e.Cause, e.Message()})
		}
	}
	lookup := func(kind resolve.Kind, code dnsmessage.RCode, err error) error {
		f := resolve.Failure{Server: netip.MustParseAddrPort("192.0.2.53:53"), Name: "site.test", Family: resolve.IP4, Kind: kind, Code: code, Err: err}
		e := &resolve.Error{Kind: kind, Name: "site.test", Family: resolve.IP4, Asked: []string{"site.test"}}
		if kind.Failed() && kind != resolve.Foreign {
			e.Failures = []resolve.Failure{f}
		}
		return &dial.LookupError{Host: "site.test", Err: e}
	}
	mdns := &resolve.Error{Kind: resolve.Unsupported, Name: "printer.local", Source: "mdns"}
	add(checker.PhaseDNS, checker.ReasonNotFound, lookup(resolve.NotFound, 0, nil), lookup(resolve.NoAddress, 0, nil), &net.DNSError{IsNotFound: true})
	add(checker.PhaseDNS, checker.ReasonDNS, lookup(resolve.ServFail, 0, nil), lookup(resolve.FormatError, 0, nil), lookup(resolve.OtherCode, 23, nil),
		lookup(resolve.Refused, 0, nil), lookup(resolve.NotImplemented, 0, nil), lookup(resolve.Lame, 0, nil), lookup(resolve.Silent, 0, nil),
		lookup(resolve.Unreachable, 0, syscall.ECONNREFUSED), lookup(resolve.Malformed, 0, nil), lookup(resolve.Sinkhole, 0, nil),
		mdns, &net.DNSError{IsTimeout: true}, &net.DNSError{Err: "server misbehaving"})
	add(checker.PhaseConnect, checker.ReasonUnreachable, &dial.ICMPError{Text: "host unreachable"}, &dial.AbsentError{}, syscall.EHOSTUNREACH)
	add(checker.PhaseConnect, checker.ReasonLocal, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL,
		syscall.ENETUNREACH, syscall.EAFNOSUPPORT, syscall.ENETDOWN, syscall.EPERM, syscall.EACCES, syscall.EINVAL, syscall.EIO,
		x509.SystemRootsError{}, errors.New("a dial function's"),
		&dial.RouteError{Kind: dial.NoGateway, Why: "the gateway on the way to the site does not answer"},
		&dial.RouteError{Kind: dial.NoLink, Why: "the network interface on the way to the site has no link"},
		&dial.RouteError{Kind: dial.Filtered, Why: "a filter of this machine rejects the connection"},
		&dial.RouteError{Kind: dial.NoRoute, Why: "a route of this machine says unreachable"})
	add(checker.PhaseConnect, checker.ReasonLocal, checker.Hints()...)
	add(checker.PhaseWait, checker.ReasonCanceled, context.Canceled)
	add(checker.PhaseJudge, checker.ReasonInternal, errors.New("a panic"))
	add(checker.PhaseConnect, checker.ReasonBlocked, errors.New("no"))
	for _, phase := range []checker.Phase{checker.PhaseConnect, checker.PhaseTLS, checker.PhaseRequest, checker.PhaseResponse, checker.PhaseJudge} {
		add(phase, checker.ReasonTimeout, context.DeadlineExceeded)
	}
	for _, n := range []uint8{40, 42, 43, 44, 45, 46, 48, 49, 50, 70, 71, 80, 100, 112, 116, 120} { // of a transport
		add(checker.PhaseTLS, checker.ReasonTLS, &net.OpError{Op: "remote error", Err: tls.AlertError(n)})
	}
	return all
}

// targetSentences has those of targets that name no site.
func targetSentences(t *testing.T) (all []sentence) {
	for _, target := range []string{
		"", "//site.test", "/path", "http://", "http://:80", "http:/site.test", "ftp://site.test", "mailto:a@site.test", "u:p@site.test:80", "site.test:port",
		"site.test:0", "site.test:65536", "http://a b/", "http://site..test/", "http://" + strings.Repeat("a", 64) + ".test/", "http://127.1/", "http://::1/",
		"http://[fe80::1%25eth0]/", "http://[site.test]/", "http://%73ite.test/", "http://a\x00b/", "http://xn--.test/", "http://site.onion/", "http://straẞe.test/",
		"http://a\\b@site.test/", strings.Repeat("a", 9000),
	} {
		_, err := checker.Host(target)
		all = append(all, sentenceOf(t, err))
	}
	return all
}

// siteSentences has those of sites that misbehave, as a check finds them. In a bubble it
// is the year 2000.
func siteSentences(t *testing.T) (all []sentence) {
	ca := hostile.NewCA(t)
	site := []string{"site.test"}
	follow := []checker.Option{checker.WithRedirects(2)}
	location := func(to string) hostile.Handler {
		return hostile.Respond("HTTP/1.1 302 Found\r\nSet-Cookie: a=b\r\nLocation: " + to + "\r\n\r\n")
	}
	further := hostile.RespondTo(func(n int, head string) string {
		path, _, _ := strings.Cut(strings.TrimPrefix(head[strings.Index(head, "/"):], "/"), " ")
		return fmt.Sprintf("HTTP/1.1 302 Found\r\nLocation: /%sa\r\n\r\n", path)
	})
	strict := []checker.Option{checker.WithJudge(checker.StatusIn(200, 399))}
	picky := []checker.Option{checker.WithJudge(func(*http.Response) error { return errors.New("the word \"welcome\" is missing") })}
	old := func(v uint16) *tls.Config {
		conf := ca.Config(hostile.Cert{Names: site})
		conf.MaxVersion, conf.ClientAuth = v, tls.RequireAnyClientCert
		return conf
	}
	record := func(text string) hostile.Handler {
		return hostile.AfterHello(func(_ context.Context, conn net.Conn) { io.WriteString(conn, text) })
	}
	const hello10 = "\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01" // which 32 random bytes, no session, a suite and no compression follow
	cert := func(spec hostile.Cert) hostile.Handler {
		return hostile.TLS(ca.Config(spec), hostile.Respond(hostile.OK))
	}
	for _, row := range []struct {
		plain, secure hostile.Handler
		opts          []checker.Option
	}{
		{}, // nobody listens
		{plain: hostile.Respond("220 mail.site.test ESMTP\r\n")},
		{plain: hostile.Respond("\x00\x00\x12\x04\x00\x00\x00\x00\x00")},
		{plain: hostile.Respond("HTTP/1.1 abc\r\n\r\n")},
		{plain: hostile.Respond("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")},
		{plain: hostile.Respond("HTTP/1.1 200 OK\r\nA: " + strings.Repeat("a", 300<<10) + "\r\n\r\n")},
		{plain: hostile.CloseAfterRequest()},
		{plain: hostile.Respond("HTTP/1.1 20")},
		{secure: hostile.AfterHello(hostile.Close())},
		{plain: hostile.Silent()},
		{plain: hostile.Respond("HTTP/1.1 404 Not Found\r\n\r\n"), opts: strict},
		{plain: hostile.Respond(hostile.OK), opts: picky},
		{plain: hostile.Respond("HTTP/1.1 403 X\r\nCf-Mitigated: challenge\r\n\r\n"), opts: strict},
		{plain: location("/"), opts: follow},
		{plain: hostile.Respond("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"), opts: follow},
		{plain: further, opts: follow},
		{plain: location("ftp://site.test/"), opts: follow},
		{plain: location("http://:80/"), opts: follow},
		{plain: location("http://127.1/"), opts: follow},
		{plain: hostile.Respond("HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\n\r\n"), opts: follow},
		{secure: hostile.TLS(old(tls.VersionTLS12), hostile.Respond(hostile.OK))},
		{secure: hostile.TLS(old(tls.VersionTLS13), hostile.Respond(hostile.OK))},
		{secure: hostile.TLS(old(tls.VersionTLS11), hostile.Respond(hostile.OK))},
		{secure: record(hello10 + strings.Repeat("r", 32) + "\x00\xc0\x13\x00")},
		{secure: record("\x15\x03\x03\x00\x02\x02\x28")},
		{secure: record("\x15\x03\x03\x00\x02\x02\x70")},
		{secure: record("\x15\x03\x03\x00\x02\x02\x78")},
		{secure: record(hostile.OK)},
		{secure: record("SSH-2.0-OpenSSH_9.6\r\n")},
		{secure: hostile.TLS(hostile.SelfSigned(t, site...), hostile.Respond(hostile.OK))},
		{secure: cert(hostile.Cert{Names: site, NotAfter: time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)})},
		{secure: cert(hostile.Cert{Names: site, NotBefore: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)})},
		{secure: cert(hostile.Cert{Names: site, Via: ca.Intermediate(func(c *x509.Certificate) { c.NotAfter = c.NotBefore })})},
		{secure: cert(hostile.Cert{Names: []string{"www.site.test", "192.0.2.1"}})},
		{secure: cert(hostile.Cert{CommonName: "site.test"})},
		{secure: cert(hostile.Cert{Names: site, Via: ca.Intermediate(nil), Omit: true})},
		{secure: hostile.TLS(hostile.NewCA(t).Config(hostile.Cert{Names: site}), hostile.Respond(hostile.OK))},
		{secure: cert(hostile.Cert{Names: site, Algorithm: x509.ECDSAWithSHA1})},
		{secure: cert(hostile.Cert{Names: site, Change: func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} }})},
		{secure: cert(hostile.Cert{Names: site, Change: func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }})},
		{secure: hostile.TLS(&tls.Config{Certificates: []tls.Certificate{ca.Unparsable("site.test")["a negative serial"]}}, hostile.Respond(hostile.OK))},
	} {
		bubble.Test(t, func(t *testing.T) {
			target := "http://site.test/"
			if row.secure != nil {
				target = "https://site.test/"
			}
			opts := faults.On(faults.Site(t, row.plain, row.secure), checker.WithRetries(0), checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}))
			all = append(all, sentenceOf(t, faults.NewChecker(t, append(opts, row.opts...)...).Check(t.Context(), target).Err))
		})
	}
	return all
}

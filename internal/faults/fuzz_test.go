package faults_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"example.com/checker"
	"example.com/checker/internal/bubble"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// Whatever the other side sends, a check ends in time, with one of the reasons
// that the other side can cause, a printable text, and no connection left. Every
// input runs in a bubble over a network in memory.

// fuzzed checks one target and returns the result.
func fuzzed(t *testing.T, n *hostile.Net, target string, reasons []checker.Reason, opts ...checker.Option) (r checker.Result) {
	t.Helper()
	c := faults.NewChecker(t, append(faults.On(n, checker.WithTimeout(timeout), checker.WithRetries(0)), opts...)...)
	start := time.Now()
	r = c.Check(t.Context(), target)
	if took := time.Since(start); took > timeout {
		t.Errorf("%v after %v; want a verdict within %v", r, took, timeout)
	}
	if !slices.Contains(reasons, r.Reason()) || r.Online() != (r.Reason() == "") {
		t.Errorf("%v (%q); want one of %q", r, r.Reason(), reasons)
	}
	if text := r.String(); len(text) > 1024 || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("String() = %q", text)
	}
	synctest.Wait()
	if n.Open() != 0 {
		t.Errorf("%v left %d connections open", r, n.Open())
	}
	return r
}

// redirected are the reasons of a site that may lead anywhere, where nobody is.
var redirected = []checker.Reason{
	"", checker.ReasonRedirect, checker.ReasonMalformed, checker.ReasonNotFound, checker.ReasonRefused, checker.ReasonReset,
	checker.ReasonTLS,
}

// FuzzAnswer sends bytes in pieces, with a pause after each.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(hostile.OK), uint8(7), uint8(1))
	f.Add([]byte("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 302 Found\r\nLocation: //\r\n\r\n"), uint8(1), uint8(0))
	f.Add([]byte("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 302 Found\r\nLocation: //other\r\n\r\n"), uint8(44), uint8(73))
	f.Add([]byte("HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nTransfer-Encoding: chunked\r\n\r\nzz"), uint8(255), uint8(9))
	reasons := append([]checker.Reason{checker.ReasonTimeout, checker.ReasonRejected}, redirected...)
	f.Fuzz(func(t *testing.T, raw []byte, size, pause uint8) {
		bubble.Test(t, func(t *testing.T) {
			n := faults.Site(t, hostile.Trickle(string(raw), 1+int(size), time.Duration(pause)*time.Millisecond), nil)
			fuzzed(t, n, "http://site.test/", reasons, checker.WithRedirects(2), checker.WithJudge(func(resp *http.Response) error {
				io.Copy(io.Discard, resp.Body)
				return nil
			}))
		})
	})
}

// FuzzRedirect sends a Location and a Set-Cookie. Nobody but site.test is there to go
// to.
func FuzzRedirect(f *testing.F) {
	for _, s := range []string{"/", "//site.test/x", "http://site.test:80/y", "ftp://x", "//:80/", "http://10.0.0.1/", "\\\\x", "..", "?", "//other.test"} {
		f.Add(s, "a=b; Domain=site.test; Path=/; Max-Age=1")
	}
	f.Add("http://site.test:80/", "session=; Max-Age=0")
	f.Add("https://site.test/", "a[b]={\"c\": d}; Secure")
	reasons := append([]checker.Reason{checker.ReasonBlocked}, redirected...)
	f.Fuzz(func(t *testing.T, location, cookie string) {
		if strings.ContainsAny(location+cookie, "\r\n") || len(location+cookie) > 16<<10 || strings.Contains(cookie, "secret") {
			return // another field, too large a head, or the secret itself
		}
		bubble.Test(t, func(t *testing.T) {
			first := true
			n := faults.Site(t, hostile.RespondTo(func(_ int, head string) string {
				if strings.Contains(head, "secret") && !strings.Contains(head, "Host: site.test\r\n") {
					t.Errorf("credentials went to %q", head)
				}
				n := strings.Count(head, "\r\nCookie: ")
				if lines := 7 + n + strings.Count(head, "\r\nAuthorization: "); n > 1 || strings.Count(head, "\r\n") != lines {
					t.Errorf("%d Cookie fields, or lines too many, in %q", n, head)
				}
				if first {
					first = false
					return "HTTP/1.1 302 Found\r\nSet-Cookie: " + cookie + "\r\nLocation: " + location + "\r\n\r\n"
				}
				return hostile.OK
			}), nil)
			fuzzed(t, n, "http://site.test/", reasons, checker.WithRedirects(3), checker.WithHeader("Authorization", "secret"), checker.WithHeader("Cookie", "session=secret"), checker.WithAddrPolicy(notTen))
			for _, addr := range n.Dials() {
				if strings.HasPrefix(addr, "10.") {
					t.Errorf("Location %q led to %s", location, addr)
				}
			}
		})
	})
}

// FuzzTLSRecords changes a byte of what a server sends in a handshake, or cuts
// it off there.
func FuzzTLSRecords(f *testing.F) {
	f.Add(uint16(0), byte(0), false)
	f.Add(uint16(5), byte(0xff), false)
	f.Add(uint16(200), byte(1), false)
	f.Add(uint16(900), byte(0), true)
	ca := hostile.NewCA(f)
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
	reasons := []checker.Reason{"", checker.ReasonTLS, checker.ReasonCertificate, checker.ReasonReset, checker.ReasonTimeout, checker.ReasonMalformed}
	f.Fuzz(func(t *testing.T, at uint16, change byte, cut bool) {
		bubble.Test(t, func(t *testing.T) {
			site := hostile.TLS(conf, hostile.Respond(hostile.OK))
			n := faults.Site(t, nil, func(ctx context.Context, conn net.Conn) {
				site(ctx, &altered{Conn: conn, left: int(at), change: change, cut: cut})
			})
			fuzzed(t, n, "https://site.test/", reasons, checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()}))
		})
	})
}

// altered changes the byte that is written after left others.
type altered struct {
	net.Conn
	left   int
	change byte
	cut    bool
}

func (a *altered) Write(p []byte) (int, error) {
	if a.left >= len(p) {
		a.left -= len(p)
		return a.Conn.Write(p)
	}
	if at := a.left; at >= 0 {
		p = slices.Clone(p)
		p[at] ^= a.change
		if a.left = 1 << 30; a.cut {
			a.Conn.Write(p[:at])
			a.Conn.Close()
			return at, net.ErrClosed
		}
	}
	return a.Conn.Write(p)
}

// FuzzDNSReply (B13) answers every question with bytes behind the question's ID. It
// runs in real time, since Go's resolver shares its configuration between all
// goroutines, and so cannot run in a bubble.
func FuzzDNSReply(f *testing.F) {
	f.Add([]byte("\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\x04site\x04test\x00\x00\x01\x00\x01\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x09\x00\x04\xc0\x00\x02\x50"))
	f.Add([]byte("\x81\x83\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01"))
	reasons := []checker.Reason{checker.ReasonDNS, checker.ReasonNotFound, checker.ReasonRefused}
	f.Fuzz(func(t *testing.T, reply []byte) {
		if len(reply) > 60_000 {
			return
		}
		resolver := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			here, there := net.Pipe()
			go answerDNS(there, reply)
			return here, nil
		}}
		n := hostile.NewNet()
		c := faults.NewChecker(t, checker.WithResolver(resolver), checker.WithDialContext(n.DialContext), checker.WithTimeout(time.Second), checker.WithRetries(0))
		start := time.Now()
		r := c.Check(t.Context(), "http://site.test/")
		if took := time.Since(start); !slices.Contains(reasons, r.Reason()) || took > 2*time.Second {
			t.Errorf("%v (%q) after %v; want one of %q within a second", r, r.Reason(), took, reasons)
		}
	})
}

// answerDNS answers questions as over TCP (RFC 1035, section 4.2.2).
func answerDNS(conn net.Conn, reply []byte) {
	defer conn.Close()
	for {
		var head [4]byte // the length and the ID
		if _, err := io.ReadFull(conn, head[:]); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint16(head[:]))-2); err != nil {
			return
		}
		b := binary.BigEndian.AppendUint16(nil, uint16(len(reply)+2))
		if _, err := conn.Write(append(append(b, head[2:]...), reply...)); err != nil {
			return
		}
	}
}

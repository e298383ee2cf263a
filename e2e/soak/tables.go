package main

import (
	"context"
	"net"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// The weights are such that the sites that keep silent until the timeout are
// about one in a hundred, at one fault in five: as each of them holds a slot for
// all that time, more would make the run wait rather than work.

// liveKinds are the sites that are well.
func liveKinds() []*kind {
	k := func(weight int, name string, target func(site) string, raw string, code int) *kind {
		return &kind{name: name, weight: weight, target: target, serve: says(raw), code: code}
	}
	named := func(k *kind) *kind { k.dns = found; return k }
	schemeless := func(k *kind) *kind { k.bare = true; return k }
	kinds := []*kind{
		k(640, "by address", byAddr, hostile.OK, 200),
		schemeless(k(60, "A3 without a scheme", bare, hostile.OK, 200)),
		named(k(60, "by name", byName, hostile.OK, 200)),
		k(50, "hot host", hot, hostile.OK, 200),
		k(30, "F3 404", byAddr, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404),
		k(30, "F8 503", byAddr, "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1000000000\r\n\r\n", 503),
		k(30, "F4 HEAD is not allowed", byAddr, "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\n\r\n", 405),
		k(30, "G2 redirect", byAddr, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n\r\n", 302),
		k(10, "G2 redirect to nowhere", byAddr, "HTTP/1.1 301 Moved Permanently\r\n\r\n", 301),
		k(10, "E6 999", byAddr, "HTTP/1.1 999 Denied\r\n\r\n", 999),
		k(10, "E9 folded field, bare LF", byAddr, "HTTP/1.1 200 OK\nX: a\n b\n\n", 200),
		k(10, "E16 body too short", byAddr, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", 200),
		k(10, "E18 103 and then 200", byAddr, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"+hostile.OK, 200),
	}
	return append(kinds, named(&kind{name: "D0 https", weight: 20, target: secure, serve: secured("good"), code: 200}))
}

// badKinds are the faults. Some of them leave a site Online.
func badKinds() []*kind {
	at := func(weight int, name string, reason checker.Reason, serve func(*fleet) hostile.Handler) *kind {
		return &kind{name: name, weight: weight, target: byAddr, serve: serve, reason: reason}
	}
	lookup := func(weight int, name string, reason checker.Reason, dns func(site) []hostile.Answer) *kind {
		return &kind{name: name, weight: weight, target: byName, dns: dns, reason: reason}
	}
	tls := func(weight int, name string, reason checker.Reason, serve func(*fleet) hostile.Handler) *kind {
		return &kind{name: name, weight: weight, target: secure, dns: found, serve: serve, reason: reason}
	}
	online := func(k *kind) *kind { k.code = 200; return k }
	const (
		malformed, reset, timeout = checker.ReasonMalformed, checker.ReasonReset, checker.ReasonTimeout
		certificate, failed, none = checker.ReasonCertificate, checker.ReasonTLS, checker.ReasonNotFound
	)
	head := func(fields string) string { return "HTTP/1.1 200 OK\r\n" + fields + "\r\n\r\n" }
	return []*kind{
		{name: "A invalid target", weight: 80, target: invalid, reason: checker.ReasonInvalid},

		lookup(70, "B1 NXDOMAIN", none, answers(hostile.NXDomain())),
		lookup(60, "B2 no data", none, answers(hostile.NoData())),
		lookup(40, "B3 SERVFAIL", checker.ReasonDNS, answers(hostile.ServFail())),
		lookup(10, "B5 silent resolver", checker.ReasonDNS, answers(hostile.Drop())),
		online(served(lookup(20, "B9 A is fine, AAAA is silent", "", only4(hostile.Drop())))),
		online(served(lookup(20, "B10 A is fine, AAAA SERVFAIL", "", only4(hostile.ServFail())))),
		lookup(60, "B15 sinkhole", checker.ReasonDNS, answers(hostile.Addrs("0.0.0.0", "::"))),

		{name: "C1 refused", weight: 70, target: nobody, reason: checker.ReasonRefused},
		at(50, "C4 reset on accept", reset, raw(hostile.Reset())),
		at(50, "C5 closed on accept", reset, raw(hostile.Close())),
		at(10, "C6 silent after accept", timeout, raw(hostile.Silent())),
		at(30, "C13 SSH", malformed, raw(hostile.Banner("SSH-2.0-OpenSSH_9.2\r\n"))),
		at(20, "C14 HTTP/2 settings", malformed, raw(hostile.Banner("\x00\x00\x00\x04\x00\x00\x00\x00\x00"))),

		tls(10, "D1 expired", certificate, secured("expired")),
		tls(10, "D3 untrusted", certificate, secured("untrusted")),
		tls(10, "D4 wrong host", certificate, secured("wrong host")),
		tls(20, "D11 http on the https port", failed, raw(hostile.AfterHello(func(_ context.Context, c net.Conn) { write(c, hostile.OK) }))),
		tls(10, "D13 silent after the hello", timeout, raw(hostile.AfterHello(hostile.Silent()))),
		tls(15, "D15 closed after the hello", reset, raw(hostile.AfterHello(hostile.Close()))),
		tls(15, "D16 alert", failed, secured("alert")),

		at(40, "E1 closed after the request", reset, says("")),
		at(40, "E2 garbage", malformed, says("\x00\x9a\xfe\x01garbage")),
		online(at(30, "E3 ICY", "", says("ICY 200 OK\r\nicy-name: radio\r\n\r\n"))),
		at(40, "E5, E6 status line", malformed, saysOneOf(statusLines)),
		at(30, "E8 NUL in a field", malformed, says(head("X: a\x00b"))),
		at(15, "E10 field of 300 KiB", malformed, says(head("X: "+strings.Repeat("a", 300<<10)))),
		at(15, "E12 status cut off", reset, says("HTTP/1.1 20")),
		online(at(15, "E12 head cut off", "", says("HTTP/1.1 200 OK\r\nX: y\r\n"))),
		at(20, "E13 two lengths", malformed, says(head("Content-Length: 5\r\nContent-Length: 6"))),
		at(8, "E20 100 and then silence", timeout, raw(hostile.Banner("HTTP/1.1 100 Continue\r\n\r\n"))),

		online(at(15, "F5 HEAD hangs, GET is fine", "", byMethod(silence, say(hostile.OK)))),
		online(at(20, "F6 HEAD is reset, GET is fine", "", byMethod(hangUp, say(hostile.OK)))),
		at(4, "H1 trickle", timeout, trickle(hostile.OK, 100*time.Millisecond)),
		online(at(40, "H8 slow but good", "", slowly(slow, hostile.OK))),
	}
}

const slow = 100 * time.Millisecond // well below a third of the timeout, when GET would be tried as well

var statusLines = []string{
	"HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 abc OK",
	"HTTP/1.1 -12 OK", "HTTP/1.1", "HTTP/1.1 000 OK", "HTTP/1.1 099 OK", "HTTP/1.1 +12 OK",
}

// served makes a fault of the resolver one behind which the site is well.
func served(k *kind) *kind { k.serve = says(hostile.OK); return k }

// only4 answers with the IPv4 address and treats questions for IPv6 otherwise.
func only4(other hostile.Answer) func(site) []hostile.Answer {
	return func(s site) []hostile.Answer {
		return []hostile.Answer{hostile.Addrs(s.addr.String()).For(dnsmessage.TypeA), other.For(dnsmessage.TypeAAAA)}
	}
}

package faults_test

import (
	"fmt"
	"log"
	"os"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// malformed is a row for a site whose every answer is raw.
func malformed(name, raw string) fault {
	return fault{name: name, site: hostile.Respond(raw), reason: checker.ReasonMalformed, phase: checker.PhaseResponse}
}

func online(name, raw string, status int) fault {
	return fault{name: name, site: hostile.Respond(raw), status: status}
}

func cutOff(name string, h hostile.Handler) fault {
	return fault{name: name, site: h, reason: checker.ReasonReset, phase: checker.PhaseResponse}
}

func TestFaultsMalformed(t *testing.T) {
	head := func(fields string) string { return "HTTP/1.1 200 OK\r\n" + fields + "\r\n\r\n" }
	runFaults(t, []fault{
		cutOff("E1 closed after the request", hostile.CloseAfterRequest()),
		{
			name: "E1 closed after the request, and silent when asked again", upTo: timeout,
			site:   hostile.Sequence(hostile.CloseAfterRequest(), hostile.CloseAfterRequest(), hostile.Silent()),
			opts:   []checker.Option{checker.WithRetries(1)},
			reason: checker.ReasonReset, phase: checker.PhaseResponse,
		},
		malformed("E2 HTML without a head", "<html>hello</html>"),
		malformed("E2 random bytes", "\x00\x9a\xfe\x01random"),
		online("E3 ICY", "ICY 200 OK\r\nicy-name: radio\r\n\r\n", 200),
		online("E4 HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", 200),
		online("E4 HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", 200),
		online("E4 HTTP/1.100", "HTTP/1.100 200 OK\r\n\r\n", 200),
		malformed("E5 20", "HTTP/1.1 20 OK\r\n\r\n"),
		malformed("E5 2000", "HTTP/1.1 2000 OK\r\n\r\n"),
		malformed("E5 abc", "HTTP/1.1 abc OK\r\n\r\n"),
		malformed("E5 -12", "HTTP/1.1 -12 OK\r\n\r\n"),
		malformed("E5 none", "HTTP/1.1\r\n\r\n"),
		online("E6 999", "HTTP/1.1 999 Denied\r\n\r\n", 999),
		malformed("E6 000", "HTTP/1.1 000 OK\r\n\r\n"),
		malformed("E6 099", "HTTP/1.1 099 OK\r\n\r\n"),
		malformed("E6 +12", "HTTP/1.1 +12 OK\r\n\r\n"),
		online("E7 no reason phrase", "HTTP/1.1 200\r\n\r\n", 200),
		malformed("E7 reason phrase of 1 MiB", "HTTP/1.1 200 "+strings.Repeat("a", 1<<20)+"\r\n\r\n"),
		malformed("E8 NUL in a field", head("X: a\x00b")),
		online("E9 folded field", head("X: a\r\n b"), 200),
		online("E9 bare LF", "HTTP/1.1 200 OK\nX: y\n\n", 200),
		malformed("E10 a field of 300 KiB", head("X: "+strings.Repeat("a", 300<<10))),
		{
			name: "E10 fields without end", reason: checker.ReasonMalformed, phase: checker.PhaseResponse,
			site: hostile.Forever("HTTP/1.1 200 OK\r\n", func(i int) string { return fmt.Sprintf("X-%d: y\r\n", i) }, 0),
		},
		malformed("E11 a great many fields", head(strings.Repeat("a:b\r\n", 100_000)+"a:b")),
		online("E12 no blank line", "HTTP/1.1 200 OK\r\nX: y\r\n", 200),
		online("E12 not even a line", "HTTP/1.1 200 OK", 200),
		cutOff("E12 half a status", hostile.Respond("HTTP/1.1 20")),
		cutOff("E12 no final head", hostile.Respond("HTTP/1.1 103 Early Hints\r\n")),
		malformed("E13 two lengths", head("Content-Length: 5\r\nContent-Length: 6")),
		malformed("E13 two lengths beside one that is none", head("Content-Length: x\r\nContent-Length: 5\r\nContent-Length: 6")),
		online("E13 the same twice", head("Content-Length: 5\r\nContent-Length: 5"), 200),
		online("E14 length and coding", head("Content-Length: 5\r\nTransfer-Encoding: chunked"), 200),
		online("E15 bad chunk", head("Transfer-Encoding: chunked")+"zz\r\n", 200),
		online("E16 body too short", head("Content-Length: 100")+"short", 200),
		online("E17 body after HEAD", head("Content-Length: 4")+"body", 200),
		online("E17 body after 204", "HTTP/1.1 204 No Content\r\n\r\nbody", 204),
		{
			name: "E18 100 000 × 103", reason: checker.ReasonMalformed, phase: checker.PhaseResponse,
			site: hostile.Forever("", func(int) string { return "HTTP/1.1 103 Early Hints\r\n\r\n" }, 0),
		},
		{
			name: "E18 one 103 a second", reason: checker.ReasonTimeout, phase: checker.PhaseResponse, takes: timeout,
			site: hostile.Forever("", func(int) string { return "HTTP/1.1 103 Early Hints\r\n\r\n" }, time.Second),
		},
		online("E18 one 103 and then 200", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"+hostile.OK, 200),
		online("E19 101 unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", 101),
		{
			name: "E20 100 and then silence", reason: checker.ReasonTimeout, phase: checker.PhaseResponse, takes: timeout,
			site: hostile.Banner("HTTP/1.1 100 Continue\r\n\r\n"),
		},
		{name: "E21 answer before the request", site: hostile.Banner(hostile.OK), status: 200},
		online("E21 two answers", hostile.OK+hostile.OK, 200),
		online("E22 408 and closed", "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n", 408),
		online("E25 a cookie of 30 KiB that is no UTF-8", head("Set-Cookie: a=\xff\xfe"+strings.Repeat("b", 30<<10)), 200),
		malformed("I4 10 MiB of fields", head(strings.Repeat("X: "+strings.Repeat("a", 1000)+"\r\n", 10<<10)+"X: y")),
		malformed("I8 10 MiB of garbage on one line", strings.Repeat("\x1b[31mgarbage", 1<<20)),
	})
}

// E17, L13: bytes of a server never reach the program's own log.
func TestNothingIsLogged(t *testing.T) {
	var b strings.Builder
	log.SetOutput(&b)
	defer log.SetOutput(os.Stderr)
	runFaults(t, []fault{
		online("HEAD with a body", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbodyHTTP/1.1 200 OK\r\n\r\n", 200),
		malformed("garbage", "\x00\x01\x02\x03\x04garbage"),
	})
	if b.Len() > 0 {
		t.Errorf("the log got %q", b.String())
	}
}

package faults_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

func TestFaultsMeaning(t *testing.T) {
	strict := []checker.Option{checker.WithJudge(checker.StatusIn(200, 399))}
	answer := func(code int) hostile.Handler {
		return hostile.Respond(fmt.Sprintf("HTTP/1.1 %d X\r\n\r\n", code))
	}
	var rows []fault
	for _, code := range []int{200, 204, 299, 304} {
		rows = append(rows,
			fault{name: fmt.Sprintf("F1 %d", code), site: answer(code), status: code},
			fault{name: fmt.Sprintf("F1 %d, strict", code), site: answer(code), status: code, opts: strict})
	}
	for _, code := range []int{401, 403, 404, 407, 410, 451, 500, 502, 503, 520, 530} {
		rows = append(rows,
			fault{name: fmt.Sprintf("F2, F3, F8 %d", code), site: answer(code), status: code},
			fault{
				name: fmt.Sprintf("F2, F3, F8 %d, strict", code), site: answer(code), status: code, opts: strict,
				reason: checker.ReasonRejected, phase: checker.PhaseJudge, also: decidedBy("GET", "http://site.test/"),
			})
	}
	get := hostile.Respond(hostile.OK)
	head := func(h hostile.Handler) hostile.Handler {
		return hostile.ByMethod(map[string]hostile.Handler{"HEAD": h, "GET": get})
	}
	for _, code := range []int{405, 501, 403, 404} {
		rows = append(rows,
			fault{name: fmt.Sprintf("F4 HEAD %d", code), site: head(answer(code)), status: code, also: decidedBy("HEAD", "http://site.test/")},
			fault{name: fmt.Sprintf("F4 HEAD %d, strict", code), site: head(answer(code)), status: 200, opts: strict, also: decidedBy("GET", "http://site.test/")})
	}
	rows = append(rows,
		fault{
			name: "F4 HEAD 405 that the judge accepts: GET decides", site: head(answer(405)), status: 200,
			opts: []checker.Option{checker.WithJudge(checker.StatusIn(200, 499))},
		},
		fault{name: "F5 HEAD is silent", site: head(hostile.Silent()), status: 200, takes: timeout / 3, also: decidedBy("GET", "http://site.test/")},
		fault{
			name: "F5 HEAD answers after GET was begun, which is silent", status: 200, takes: time.Second,
			site: hostile.ByMethod(map[string]hostile.Handler{"HEAD": hostile.Trickle(hostile.OK, len(hostile.OK)-1, time.Second), "GET": hostile.Silent()}),
			also: decidedBy("HEAD", "http://site.test/"),
		},
		fault{name: "F6 HEAD is reset", site: head(hostile.ResetAfterRequest()), status: 200, also: decidedBy("GET", "http://site.test/")},
		fault{name: "F6 HEAD is closed", site: head(hostile.CloseAfterRequest()), status: 200},
		fault{name: "F6 HEAD is garbled", site: head(hostile.Respond("garbage")), status: 200},
		fault{name: "F7 429", site: hostile.Respond("HTTP/1.1 429 Too Many\r\nRetry-After: 1000000000\r\n\r\n"), status: 429},
		fault{name: "F7 429 with garbage", site: hostile.Respond("HTTP/1.1 429 Too Many\r\nRetry-After: soon\r\n\r\n"), status: 429},
		fault{
			name: "F14 a judge of its own refuses", site: hostile.Respond(hostile.OK), status: 200, reason: checker.ReasonRejected, phase: checker.PhaseJudge,
			opts: []checker.Option{checker.WithJudge(func(*http.Response) error { return errors.New("no") })},
		},
		fault{name: "F10 challenge", site: challenge(403, "Cf-Mitigated: challenge"), status: 403},
		fault{name: "F11 what is sent", status: 200, site: hostile.RespondTo(func(_ int, head string) string {
			const want = "HEAD / HTTP/1.1\r\nHost: site.test\r\nAccept: */*\r\nAccept-Encoding: identity\r\nUser-Agent: checker/"
			if !strings.HasPrefix(head, want) || !strings.HasSuffix(head, "\r\nConnection: close\r\n\r\n") {
				return "HTTP/1.1 400 " + strings.ReplaceAll(head, "\r\n", "|") + "\r\n\r\n"
			}
			return hostile.OK
		})},
	)
	runFaults(t, rows)
}

// marked is an answer with a field.
func marked(code int, field string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\n%s\r\n\r\n", code, field)
}

func challenge(code int, field string) hostile.Handler { return hostile.Respond(marked(code, field)) }

// led redirects to another page, which has an answer.
func led(there string) hostile.Handler {
	return hostile.RespondTo(func(_ int, head string) string {
		if strings.Contains(head, " /there ") {
			return there
		}
		return marked(302, "Location: /there")
	})
}

// R15: 511 is of a portal between the site and this machine, wherever it comes.
func TestFaultsPortal(t *testing.T) {
	const answer511 = "HTTP/1.1 511 Network Authentication Required\r\n\r\n"
	portal := hostile.Respond(answer511)
	ca := hostile.NewCA(t)
	conf := ca.Config(hostile.Cert{Names: []string{"site.test"}})
	roots := []checker.Option{checker.WithTLSConfig(&tls.Config{RootCAs: ca.Pool()})}
	ok := hostile.Respond(hostile.OK)
	all := []checker.Option{checker.WithJudge(func(*http.Response) error { return nil })}
	strict := []checker.Option{checker.WithJudge(checker.StatusIn(200, 399))}
	local := func(name string, site hostile.Handler, opts ...checker.Option) fault {
		return fault{name: name, site: site, opts: opts, status: 511, reason: checker.ReasonLocal, phase: checker.PhaseResponse}
	}
	runFaults(t, []fault{
		local("F9, R15 511", portal),
		local("R15 511, accepted", portal, all...),
		local("R15 511, refused", portal, strict...),
		local("R15 511 to GET", portal, checker.WithMethod("GET")),
		local("R15 511 to HEAD, and GET would do", hostile.ByMethod(map[string]hostile.Handler{"HEAD": portal, "GET": ok}), strict...),
		local("R15 511 to GET after HEAD was refused", hostile.ByMethod(map[string]hostile.Handler{
			"HEAD": challenge(405, "X: y"), "GET": portal,
		}), strict...),
		local("R15 511 behind a redirect", led(answer511), checker.WithRedirects(3)),
		{name: "R15 the port of https is not the portal's", target: "site.test", site: portal, secure: hostile.TLS(conf, ok), opts: roots, status: 200},
		{name: "R15 511 by http, and nobody by https", target: "site.test", site: portal, status: 511, reason: checker.ReasonLocal, phase: checker.PhaseResponse},
	})
}

// R16: an answer that says of itself that it is a challenge to bots is no word of the
// site, if a judge is to look at it.
func TestFaultsChallenge(t *testing.T) {
	ok := hostile.Respond(hostile.OK)
	var rows []fault
	for _, mark := range []struct {
		code  int
		field string
	}{
		{403, "cf-mitigated: challenge"}, {503, "CF-Mitigated: Challenge"}, {200, "cf-mitigated:challenge "},
		{202, "x-amzn-waf-action: challenge"}, {405, "x-amzn-waf-action: captcha"}, {403, "x: y\r\ncf-mitigated: x\r\ncf-mitigated: challenge"},
	} {
		for name, judge := range map[string]func(*http.Response) error{
			"accepted": func(*http.Response) error { return nil },
			"refused":  func(*http.Response) error { return errors.New("no") },
		} {
			opt := checker.WithJudge(judge)
			name = fmt.Sprintf("R16 %d %s, %s", mark.code, mark.field, name)
			rows = append(rows,
				fault{name: name, site: challenge(mark.code, mark.field), opts: []checker.Option{opt}, status: mark.code, reason: checker.ReasonChallenge, phase: checker.PhaseJudge},
				fault{name: name + ", redirected to", site: led(marked(mark.code, mark.field)), opts: []checker.Option{opt, checker.WithRedirects(3)}, status: mark.code, reason: checker.ReasonChallenge, phase: checker.PhaseJudge},
			)
		}
		rows = append(rows, fault{name: fmt.Sprintf("R16 %d %s, no judge", mark.code, mark.field), site: challenge(mark.code, mark.field), status: mark.code})
	}
	strict := []checker.Option{checker.WithJudge(checker.StatusIn(200, 399))}
	by := func(head, get hostile.Handler) hostile.Handler {
		return hostile.ByMethod(map[string]hostile.Handler{"HEAD": head, "GET": get})
	}
	bot := challenge(403, "cf-mitigated: challenge")
	for _, field := range []string{"cf-mitigated: block", "cf-mitigated: challenged", "x-amzn-waf-action: block", "server: cloudflare", "x-cf-mitigated: challenge", "x: cf-mitigated: challenge"} {
		rows = append(rows, fault{name: "R16 no mark: " + field, site: challenge(403, field), opts: strict, status: 403, reason: checker.ReasonRejected, phase: checker.PhaseJudge})
	}
	rows = append(rows,
		fault{name: "R16 HEAD alone", site: by(bot, ok), opts: strict, status: 200},
		fault{name: "R16 GET alone", site: by(challenge(405, "x: y"), bot), opts: strict, status: 403, reason: checker.ReasonChallenge, phase: checker.PhaseJudge},
		fault{name: "R16 HEAD, and GET is refused", site: by(bot, challenge(404, "x: y")), opts: strict, status: 404, reason: checker.ReasonRejected, phase: checker.PhaseJudge},
		fault{name: "R16 HEAD, and GET is closed", site: by(bot, hostile.CloseAfterRequest()), opts: append(strict, checker.WithRetries(0)), status: 403, reason: checker.ReasonChallenge, phase: checker.PhaseJudge},
	)
	runFaults(t, rows)
}

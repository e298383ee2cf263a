package faults_test

import (
	"fmt"
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
	for _, code := range []int{401, 403, 404, 407, 410, 451, 500, 502, 503, 511, 520, 530} {
		rows = append(rows,
			fault{name: fmt.Sprintf("F2, F3, F8, F9 %d", code), site: answer(code), status: code},
			fault{
				name: fmt.Sprintf("F2, F3, F8, F9 %d, strict", code), site: answer(code), status: code, opts: strict,
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
		fault{name: "F10 challenge", site: hostile.Respond("HTTP/1.1 403 Forbidden\r\nCf-Mitigated: challenge\r\n\r\n"), status: 403},
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

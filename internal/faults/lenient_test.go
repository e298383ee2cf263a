package faults_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// Heads that browsers read. HEAD and GET find the same, and a judge that reads the
// body gets it, whatever its framing.
func TestFaultsLenient(t *testing.T) {
	const page = "<p>here"
	const chunks = "7\r\n" + page + "\r\n0\r\n\r\n"
	head := func(fields string) string { return "HTTP/1.1 200 OK\r\n" + fields + "\r\n\r\n" }
	line := func(status string) string { return status + "\r\nServer: x\r\n\r\n" }
	var rows []fault
	for _, r := range []struct {
		name, head string
		status     int
		body       string
	}{
		{"N1 0x01 in a cookie", head("Set-Cookie: v=a\x01b; path=/"), 200, page},
		{"N1 0x0b", head("X: \x0b"), 200, page},
		{"N1 0x1b", head("X: a\x1b[2Jb"), 200, page},
		{"N1 DEL", head("X: \x7f"), 200, page},
		{"N1 a bare CR", head("X: a\rb"), 200, page},
		{"N2 a space in a name", head("X Y: z"), 200, page},
		{"N2 brackets in a name", head("X[0]: y"), 200, page},
		{"N2 no name", head(": y"), 200, page},
		{"N2 a space before the colon", head("X : y"), 200, page},
		{"N2 a tab before the colon", head("X\t: y"), 200, page},
		{"N2 the first field is indented", head(" X: y"), 200, page},
		{"N2 a name beyond ASCII", head("Ü: y"), 200, page},
		{"N2 a control byte in a name", head("X\x01: y"), 200, page},
		{"N3 = for the colon", head("Content-Disposition = inline"), 200, page},
		{"N3 a word", head("no colon here"), 200, page},
		{"N3 HTML of an interpreter", head("<br />\n<b>Warning</b>"), 200, page},
		{"N4 a list", head("Content-Length: 52, 52"), 200, page},
		{"N4 words", head("Content-Length: 52 bytes"), 200, page},
		{"N4 letters", head("Content-Length: 52abc"), 200, page},
		{"N4 empty", head("Content-Length:"), 200, page},
		{"N4 negative", head("Content-Length: -1"), 200, page},
		{"N4 plus", head("Content-Length: +52"), 200, page},
		{"N5 identity", head("Transfer-Encoding: identity"), 200, page},
		{"N5 empty", head("Transfer-Encoding:"), 200, page},
		{"N6 small letters", line("http/1.1 404 Not Found"), 404, page},
		{"N6 HTTP/2", line("HTTP/2 200"), 200, page},
		{"N6 nothing between status and phrase", line("HTTP/1.1 200OK"), 200, page},
		{"N6 tabs", line("HTTP/1.1\t200\tOK"), 200, page},
		{"N6 ICY", line("ICY 200 OK"), 200, page},
		{"N6 no version", line("HTTP 503 x"), 503, page},
		{"N7 a line end before", "\r\n" + head("X: y"), 200, page},
		{"N7 a bare one", "\n" + head("X: y"), 200, page},
		{"N7 two of them", "\r\n\r\n" + head("X: y"), 200, page},
		{"N8 a head of 70 KB", head("X: " + strings.Repeat("a", 70_000)), 200, page},
		{"N8 a head of 250 KB", head(strings.Repeat("X: "+strings.Repeat("a", 995)+"\r\n", 250) + "X: y"), 200, page},
		{"N8 1 500 fields", head(strings.Repeat("a:b\r\n", 1500) + "X: y"), 200, page},
		{"N8a an unknown coding", head("Transfer-Encoding: what"), 200, page},
		{"N8a a coding on HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, page},
		{"N8a over 2^63", head("Content-Length: 9223372036854775808"), 200, page},
		{"N5 chunked, chunked", head("Transfer-Encoding: chunked, chunked"), 200, chunks},
		{"N5 chunked twice", head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), 200, chunks},
		{"N8a gzip, chunked", head("Transfer-Encoding: gzip, chunked"), 200, chunks},
		{"N8a a coding on 204", "HTTP/1.1 204 x\r\nTransfer-Encoding: what\r\n\r\n", 204, ""},
		{"N8a a coding on 304", "HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n", 304, ""},
	} {
		want := page
		if r.body == "" {
			want = ""
		}
		get := online(r.name+", GET", r.head+r.body, r.status)
		get.opts = []checker.Option{checker.WithMethod(http.MethodGet), checker.WithJudge(func(resp *http.Response) error {
			body, err := io.ReadAll(resp.Body)
			if err == nil && string(body) != want {
				err = fmt.Errorf("the body is %q; want %q", body, want)
			}
			return err
		})}
		rows = append(rows, get, online(r.name+", HEAD", r.head, r.status))
	}
	runFaults(t, rows)
}

// N9: what nobody reads.
func TestFaultsRefused(t *testing.T) {
	head := func(fields string) string { return "HTTP/1.1 200 OK\r\n" + fields + "\r\n\r\n" }
	rows := []fault{
		malformed("N9 NUL in a value", head("X: \x00")),
		malformed("N9 NUL in a name", head("X\x00: y")),
		malformed("N9 NUL in the reason phrase", "HTTP/1.1 200 \x00\r\n\r\n"),
		malformed("N9 NUL in a line that is no field", head("\x00")),
		malformed("N9 NUL in an interim head", "HTTP/1.1 103 x\r\nX: \x00\r\n\r\n"+hostile.OK),
		malformed("N9 a status of letters", "HTTP/1.1 abc\r\n\r\n"),
		malformed("N9 letters before the status", "HTTP/1.1 OK 200\r\n\r\n"),
		malformed("N9 SMTP", "220 mail ESMTP\r\n"),
		malformed("N9 a greeting that speaks of HTTP", "220 HTTP gateway\r\n"),
		malformed("N9 two lengths", head("Content-Length: 5\r\nContent-Length: 6")),
		malformed("N9 two lengths apart", head("Content-Length: 5\r\nX: y\r\ncontent-length:6")),
		malformed("N9 256 KiB", head(strings.Repeat("X: "+strings.Repeat("a", 995)+"\r\n", 300))),
		cutOff("N9 nothing", hostile.Respond("")),
	}
	for _, f := range rows {
		f.name += ", GET"
		f.opts = []checker.Option{checker.WithMethod(http.MethodGet)}
		rows = append(rows, f)
	}
	runFaults(t, rows)
}

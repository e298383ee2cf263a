package faults_test

import (
	"testing"

	"example.com/checker"
	"example.com/checker/internal/hostile"
)

// Q4, Q5b: a Location leads where browsers go, and to the base's host only where
// they stay with it.
func TestFaultsLocations(t *testing.T) {
	// to is about a Location that "http://site.test/a/b?q" answers with; where is
	// the URL that is asked then, or "" if none may be.
	to := func(row, location, where string) fault {
		f := fault{
			name: row + " " + location, target: "http://site.test/a/b?q", opts: []checker.Option{checker.WithRedirects(10)},
			site: hostile.RespondTo(func(n int, _ string) string {
				if n == 0 || where == "" {
					return "HTTP/1.1 302 Found\r\nLocation: " + location + "\r\n\r\n"
				}
				return hostile.OK
			}),
			net: func(n *hostile.Net) {
				for _, name := range []string{"x.test", "xn--bcher-kva.test", "dest", "y"} {
					n.Name(name, siteAddr)
				}
			},
			status: 200, also: decidedBy("HEAD", where),
		}
		if where == "" {
			f.reason, f.phase, f.status, f.also = checker.ReasonRedirect, checker.PhaseJudge, 302, dials(siteAddr+":80", siteAddr+":80") // HEAD, and GET after it
		}
		return f
	}
	runFaults(t, []fault{
		to("Q4", "http:///x.test/p", "http://x.test/p"),
		to("Q4", "///x.test/p", "http://x.test/p"),
		to("Q4", "/c\td", "http://site.test/cd"),
		to("Q4", "/\t/x.test", "http://x.test/"),
		to("Q4", "\\dest", "http://site.test/dest"),
		to("Q4", "..\\dest", "http://site.test/dest"),
		to("Q4", "\\\\x.test\\p", "http://x.test/p"),
		to("Q4", "HTTP://u:p@X.test:080\\c\\..\\d%2e/%2E%2e/100%|?a'b#f", "http://x.test/100%|?a%27b"),
		to("Q4", "?r", "http://site.test/a/b?r"),
		to("Q4", "?", "http://site.test/a/b?"),
		to("Q4", "http:y", "http://site.test/a/y"),
		to("Q4", "http:/y", "http://site.test/y"),
		to("Q4", "1:2", "http://site.test/a/1:2"),
		to("Q4", "/ü/\xfc?\xfc", "http://site.test/%C3%BC/%FC?%FC"),
		to("Q4", "//bücher.test/", "http://xn--bcher-kva.test/"),
		to("Q4", "//b\xfccher.test/", ""),
		to("Q4", "localhost:80", ""),
		to("Q4", "http://", ""),
		to("Q4", "https:?y", ""),
		to("Q5b", "\\\\x.test\\", "http://x.test/"),
		to("Q5b", "/\\x.test", "http://x.test/"),
		to("Q5b", "\\/x.test", "http://x.test/"),
		to("Q5b", "http:/\\x.test\\..\\p", "http://x.test/p"),
		to("Q5b", "//x.test\\@site.test/", ""),
		to("Q5b", "\\\\site.xn--\\", ""),
	})
}

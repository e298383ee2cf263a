//go:build linux

package e2e_test

import "strings"

// An agreement is on a set-up and names for which package resolve and getaddrinfo
// differ, in the result or in the number of questions, and why they do.
type agreement struct{ setup, names, what, why string }

// The reasons.
const (
	whyFailure = "a failure on the way outweighs the word of others that there is no such name"
	whyWord    = "a server that fails, in whatever way, has not said that there is no such name"
	whyNext    = "FORMERR is a server's failure as the others are, and the next one is asked"
	whyTCP     = "SERVFAIL and its like send us to the next server over TCP too"
	whyOther   = "who fails for one family is asked again, or the next one is, while the other family has no address"
	whyFound   = "what one family has found is found, though the other is silent"
	whyEDNS    = "a server that cannot do EDNS is asked again without"
	whyBytes   = "a name is bytes, and whatever has the lengths of RFC 1035 is asked for"
	whyInvalid = "a name that DNS cannot carry is told from one that does not exist"
	whyLocal   = "localhost and the names below it are loopback, and nobody is asked (RFC 6761)"
	whySink    = "the unspecified address is a filter's answer, and none to connect to"
	whyCap     = "of many addresses eight are kept"
	whyLines   = "all lines of the hosts file count, whatever host.conf says"
	whyCRLF    = "the ends of lines of another system are no part of a name"
	whyLame    = "a server that neither knows nor asks others is lame, also if it says who might know"
)

var agreed = []agreement{
	{"a suffix is refused", "api svc", "result", whyFailure},
	{"a suffix is silent", "api svc", "result", whyFailure},
	{"a suffix is lame", "api", "result", whyFailure},
	{"a suffix fails after the name", "gone.test", "result", whyFailure},
	{"A fails, AAAA says nothing", "a.test.", "result", whyFailure},
	{"A says nothing, AAAA fails", "a.test.", "result", whyFailure},
	{"A does not exist, AAAA fails", "a.test.", "result", whyFailure},
	{"dns first, which fails", "a.test.", "result", whyFailure},
	{"dns, which decides unless it fails", "a.test.", "result", whyFailure},
	{"FORMERR", "a.test", "result", whyWord},
	{"another code", "a.test", "result", whyWord},
	{"records that end early", "a.test", "result", whyWord},
	{"FORMERR, then a good one", "a.test", "result questions", whyNext},
	{"A fails, AAAA says nothing, another knows", "a.test.", "result questions", whyOther},
	{"use-vc, SERVFAIL, then a good one", "a.test", "result questions", whyTCP},
	{"A is silent", "a.test", "result", whyFound},
	{"edns0 gets FORMERR", "a.test", "result questions", whyEDNS},
	{"edns0 gets silence", "a.test", "result questions", whyEDNS},
	{"letters", "-foo.test", "result questions", whyBytes},
	{"letters that getaddrinfo refuses", `a*b.test \xff.test a/b.test`, "result questions", whyBytes},
	{"empty labels", "a..test .a.test a.test.. .", "result", whyInvalid},
	{"lengths", dnsLong + "l.test " + strings.Repeat("a.", 126) + "ab", "result", whyInvalid},
	{"localhost in nobody's file", "localhost app.localhost localhost.", "result", whyLocal},
	{"a sinkhole", "a.test", "result", whySink},
	{"more addresses than are kept", "a.test", "result", whyCap},
	{"hosts without multi", "one.test", "result", whyLines},
	{"ends of lines of another system", "svc", "result", whyCRLF},
	{"lame with glue", "a.test", "result", whyLame},
}

// reason returns why a set-up's name may differ, or "".
func reason(setup, name, what string) string {
	for _, a := range agreed {
		if a.setup == setup && has(a.what, what) && has(a.names, name) {
			return a.why
		}
	}
	return ""
}

func has(words, word string) bool { return strings.Contains(" "+words+" ", " "+word+" ") }

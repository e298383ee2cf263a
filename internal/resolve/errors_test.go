package resolve

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"syscall"
	"testing"
)

// Every kind has a name and a sentence, and is of one sort at most.
func TestKinds(t *testing.T) {
	for k := NotFound; k <= Scarce; k++ {
		if int(k) >= len(kindNames) || kindNames[k] == "" {
			t.Errorf("kind %d has no name", k)
		}
		if k.Missing() && k.Failed() {
			t.Errorf("%v is missing and failed", k)
		}
		e := &Error{Kind: k, Name: "a.test", Family: IP4, Source: "mdns", Err: syscall.EMFILE}
		if k.Failed() {
			e.Failures = []Failure{{Kind: k, Server: netip.MustParseAddrPort("127.0.0.53:53"), Name: "a.test", Family: IP4, Err: io.EOF}}
		}
		if e.Error() == "" {
			t.Errorf("%v has no sentence", k)
		}
	}
	for _, k := range []Kind{0, Kind(len(kindNames)), 200} {
		if got, want := k.String(), fmt.Sprintf("kind %d", k); got != want {
			t.Errorf("Kind(%d).String() = %q; want %q", k, got, want)
		}
	}
}

// A nameserver's failure, or that of a resolver that is not ours, is told from its word and
// from what this machine lacks.
func TestKindFailed(t *testing.T) {
	for k := range Kind(len(kindNames)) {
		if got, want := k.Failed(), k != 0 && k != NotFound && k != NoAddress && k != Invalid && k != Sinkhole && k != Unsupported && k != Scarce; got != want {
			t.Errorf("%v.Failed() = %t; want %t", k, got, want)
		}
	}
}

func TestSentences(t *testing.T) {
	server := netip.MustParseAddrPort("127.0.0.53:53")
	failure := func(k Kind, err error) Failure {
		return Failure{Server: server, Name: "a.test", Family: IP4, Kind: k, Code: 9, Err: err}
	}
	for _, tt := range []struct {
		err  *Error
		want string
	}{
		{&Error{Kind: NotFound, Name: "a.test.", Asked: []string{"a.test"}}, "NXDOMAIN for a.test"},
		{&Error{Kind: NotFound, Name: "a.test"}, "no such host: a.test"},
		{&Error{Kind: NotFound, Name: "api", Asked: []string{"api.a.test", "api"}, Ndots: 5}, "NXDOMAIN for api.a.test, api (search list, ndots 5)"},
		{&Error{Kind: NoAddress, Name: "a.test", Family: IP6, Asked: []string{"a.test"}}, "no AAAA record for a.test"},
		{&Error{Kind: Sinkhole, Name: "a.test", Family: IP4}, "the answer is the unspecified address, as a filter's is, for A of a.test"},
		{&Error{Kind: Scarce, Name: "a.test", Err: syscall.EMFILE}, "look up a.test: too many open files"},
		{&Error{Kind: Scarce, Name: "a.test", Err: syscall.EMFILE, Failures: []Failure{failure(Silent, nil)}}, "look up a.test: too many open files"},
		{&Error{Kind: Unsupported, Name: "a.local", Source: "mdns", Err: io.EOF}, `the system's own resolver may not have been able to ask "mdns", and did not find a.local`},
		{&Error{Kind: Unsupported, Name: "a.local", Source: "mdns"}, `this program is built without the system's own resolver (cgo), which alone can ask "mdns" for a.local`},
		{&Error{Kind: Silent, Name: "api", Asked: []string{"api.a.test"}, Ndots: 5, Failures: []Failure{failure(Silent, nil)}}, "127.0.0.53 did not answer for A of a.test (search list, ndots 5)"},
		{&Error{Kind: ServFail, Failures: []Failure{failure(Silent, nil), failure(ServFail, nil)}}, "127.0.0.53 answered SERVFAIL for A of a.test; 127.0.0.53 did not answer for A of a.test"},
		{&Error{Kind: OtherCode, Failures: []Failure{failure(OtherCode, nil)}}, "127.0.0.53 answered code 9 for A of a.test"},
		{&Error{Kind: Unreachable, Failures: []Failure{failure(Unreachable, syscall.ECONNREFUSED)}}, "127.0.0.53 could not be reached (connection refused) for A of a.test"},
		{&Error{Kind: Unreachable, Failures: []Failure{failure(Unreachable, io.EOF)}}, "127.0.0.53 closed the connection without an answer for A of a.test"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%v: %q; want %q", tt.err.Kind, got, tt.want)
		}
	}
	if err := error(&Error{Kind: Scarce, Err: syscall.EMFILE}); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("%v does not wrap its errno", err)
	}
}

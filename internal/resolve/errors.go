package resolve

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// A Kind is why a family of a name has no addresses. The kinds are closed, and
// ordered: of several failures the largest kind is told. The zero Kind is that
// of no failure.
type Kind uint8

const (
	_         Kind = iota
	NotFound       // all that were to be asked say that there is no such name
	NoAddress      // the name exists, and has no address of the family

	Invalid // no name that DNS can carry: nobody was asked

	Silent         // a nameserver gave no answer in time
	Unreachable    // a nameserver could not be reached
	Malformed      // a nameserver's answer cannot be read
	Lame           // a nameserver does not do what a resolver's must: no answer, and no offer to look for one
	OtherCode      // a nameserver answered with a code that is none of these:
	FormatError    // FORMERR
	NotImplemented // NOTIMP
	Refused        // REFUSED
	ServFail       // SERVFAIL
	Foreign        // a resolver that is not ours failed, as Err says

	Sinkhole    // the answer is the unspecified address, as filters give it
	Unsupported // a source has to be asked that only the system's own resolver can ask, and that did not settle it
	Scarce      // this machine is short of descriptors, ports or memory
)

var kindNames = [...]string{
	NotFound: "not found", NoAddress: "no address", Invalid: "invalid name", Silent: "silent", Unreachable: "unreachable",
	Malformed: "malformed answer", Lame: "lame", OtherCode: "other code", FormatError: "FORMERR", NotImplemented: "NOTIMP",
	Refused: "REFUSED", ServFail: "SERVFAIL", Foreign: "foreign", Sinkhole: "sinkhole", Unsupported: "unsupported source", Scarce: "scarce",
}

func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", k)
}

// Missing reports whether k is the word of all who were to be asked that there
// is no such address. Every other kind leaves open whether there is one.
func (k Kind) Missing() bool { return k == NotFound || k == NoAddress }

// Failed reports whether k is the failure of a nameserver, or of a resolver that is
// not ours.
func (k Kind) Failed() bool { return Silent <= k && k <= Foreign }

// A Failure is what a nameserver did instead of answering a question.
type Failure struct {
	Server netip.AddrPort
	Name   string // as it was asked for, without the last dot
	Family Family
	Kind   Kind             // one for which Failed holds
	Code   dnsmessage.RCode // of an OtherCode
	Err    error            // of the system or of the context, if that has more to say
}

// String returns what happened as a clause, such as "127.0.0.53 answered SERVFAIL
// for A of example.com".
func (f Failure) String() string {
	server := f.Server.String()
	if f.Server.Port() == 53 {
		server = f.Server.Addr().String()
	}
	question := f.Family.record() + " of " + f.Name
	switch f.Kind {
	case Silent:
		return server + " did not answer for " + question
	case Unreachable:
		if errors.Is(f.Err, io.EOF) {
			return server + " closed the connection without an answer for " + question
		}
		return fmt.Sprintf("%s could not be reached (%v) for %s", server, f.Err, question)
	case Malformed:
		return server + " gave an answer that cannot be read for " + question
	case Lame:
		return server + " is no resolver: it neither knows nor asks others for " + question
	case OtherCode:
		return fmt.Sprintf("%s answered code %d for %s", server, f.Code, question)
	}
	return fmt.Sprintf("%s answered %v for %s", server, f.Kind, question)
}

// An Error says why a family of a name has no addresses.
type Error struct {
	Kind   Kind
	Name   string // as the caller wrote it
	Family Family
	Source string // of an Unsupported, as nsswitch.conf names it, or "mdns" for a name of multicast DNS if it names no such source

	// Asked are the names that were asked for in DNS, in order, and Failures what
	// went wrong on the way, up to eight of both families, also where another server
	// did better. Where Asked has more than Name, the search list of resolv.conf and
	// Ndots are the reason.
	Asked    []string
	Ndots    int
	Failures []Failure

	// Err is the errno of a Scarce, the error of the system's own resolver for an
	// Unsupported, or that of a resolver that is not ours, or why the context ended;
	// else nil.
	Err error
}

// Unwrap returns what lies below: an errno, the end of a context, the error of a
// resolver that is not ours, or nothing.
func (e *Error) Unwrap() error { return e.Err }

// Told reports whether Error has more to say than that the lookup failed.
func (e *Error) Told() bool {
	return len(e.Failures) > 0 || len(e.Asked) > 0 || e.Kind == Sinkhole || e.Kind == Unsupported
}

// Error says what happened first, and to which name last: a name may have 253 bytes, and
// texts are cut.
func (e *Error) Error() string {
	switch e.Kind {
	case NotFound:
		if len(e.Asked) == 0 {
			return "no such host: " + e.Name
		}
		return "NXDOMAIN for " + e.where()
	case NoAddress:
		return "no " + e.Family.record() + " record for " + e.where()
	case Invalid:
		return fmt.Sprintf("%q is no name that DNS can carry", e.Name)
	case Sinkhole:
		return "the answer is the unspecified address, as a filter's is, for " + e.Family.record() + " of " + e.Name
	case Unsupported:
		if e.Err != nil {
			return fmt.Sprintf("the system's own resolver may not have been able to ask %q, and did not find %s", e.Source, e.Name)
		}
		return fmt.Sprintf("this program is built without the system's own resolver (cgo), which alone can ask %q for %s", e.Source, e.Name)
	}
	if len(e.Failures) == 0 || e.Kind == Scarce { // or the context had ended before anybody was asked
		return fmt.Sprintf("look up %s: %v", e.Name, e.Err)
	}
	return strings.Join(e.clauses(), "; ")
}

// clauses returns what the failures were, of which there is one, the worst first and each once.
func (e *Error) clauses() (clauses []string) {
	worst := slices.SortedStableFunc(slices.Values(e.Failures), func(a, b Failure) int { return cmp.Compare(b.Kind, a.Kind) })
	for _, f := range worst {
		if clause := f.String(); !slices.Contains(clauses, clause) {
			clauses = append(clauses, clause)
		}
	}
	clauses[len(clauses)-1] += e.search()
	return clauses
}

// where returns the name, and those that the search list made of it.
func (e *Error) where() string {
	if len(e.Asked) == 0 {
		return e.Name
	}
	return strings.Join(e.Asked, ", ") + e.search()
}

// search says that the search list mattered, if it did.
func (e *Error) search() string {
	if len(e.Asked) > 1 || len(e.Asked) == 1 && e.Asked[0] != strings.TrimSuffix(e.Name, ".") {
		return fmt.Sprintf(" (search list, ndots %d)", e.Ndots)
	}
	return ""
}

package checker

import (
	"errors"
	"net"
	"strings"
	"syscall"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/errno"
	"example.com/checker/internal/hook"
	"example.com/checker/internal/resolve"
)

// words is detail, cut to what can be shown of it. An error that panics when it is
// asked for its text has none.
func words(reason Reason, err error) (text string) {
	var panicked error
	defer hook.Recovered(&panicked)
	text = detail(reason, err)
	return strings.Clone(text[:min(len(text), 2*maxShown)])
}

// detail returns what may be told to a stranger beyond the reason's sentence. The
// causes of connect and policy failures name addresses of the inside, so of those
// only the bare errno is shown. Of a lookup that failed it tells what this machine's
// nameservers said, also where it is not to blame.
func detail(reason Reason, err error) string {
	many, ok := err.(*dial.AddrsError)
	if !ok { // also one beside a hint, which says more than the addresses
		return detailOf(reason, err)
	}
	text := detailOf(reason, many.Errs[0])
	for _, err := range many.Errs[1:] {
		if e, ok := errors.AsType[*resolve.Error](err); ok && isMoot(err) && e.Err == nil {
			text = strings.TrimPrefix(text+"; of further addresses nothing is known, since "+e.Error(), "; ")
		}
	}
	return text
}

// detailOf is detail of one address's error.
func detailOf(reason Reason, err error) string {
	switch {
	case err == nil:
		return ""
	case reason == ReasonLocal:
		return localDetail(err)
	case reason == ReasonDNS:
		return lookupDetail(err)
	case reason == ReasonNotFound:
		return missingDetail(err)
	case reason == ReasonUnreachable:
		return unreachableDetail(err)
	case !reasons[reason].tell:
		return ""
	case reason == ReasonTLS:
		return tlsDetail(err)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		return op.Err.Error() // without the two addresses
	}
	switch {
	case reason == ReasonCertificate:
		return certificateDetail(err)
	case reason == ReasonMalformed && !isMalformed(err):
		return "" // a transport's own words
	}
	return err.Error()
}

func localDetail(err error) string {
	if text, ok := toMend(err); ok {
		return text
	}
	return "the wrapped error says why"
}

// lookupDetail says who failed in a lookup. What a caller's resolver says of itself
// is not told.
func lookupDetail(err error) string {
	if text, ok := toMend(err); ok {
		return text
	}
	e, ok := errors.AsType[*resolve.Error](err)
	if ok && e.Kind != resolve.Foreign && e.Told() {
		return e.Error()
	}
	if isTimeout(err) {
		return "it did not answer in time; look at this machine's resolver and network"
	}
	return "the domain's name servers, this machine's resolver or the network may be at fault"
}

// missingDetail says how it is known that a name has no address.
func missingDetail(err error) string {
	e, ok := errors.AsType[*resolve.Error](err)
	if !ok || !e.Told() {
		return ""
	}
	return e.Error()
}

// unreachableDetail says why nobody was reached, but not who said so.
func unreachableDetail(err error) string {
	if e, ok := errors.AsType[*dial.ICMPError](err); ok {
		return e.Text
	}
	if _, ok := errors.AsType[*dial.AbsentError](err); ok {
		return "nobody on this machine's network answers to the address"
	}
	return ""
}

// toMend says what err gives this machine's owner to mend, if anything.
func toMend(err error) (text string, ok bool) {
	if h, ok := errors.AsType[hint](err); ok {
		return h.Error(), true
	}
	if r, ok := errors.AsType[*dial.RouteError](err); ok {
		return r.Why, true
	}
	if number, ok := errno.In(err); ok {
		return advice(number), true
	}
	return "", false
}

// advice says in words what a number means for this machine and what to mend.
func advice(number syscall.Errno) string {
	text := number.Error()
	switch errno.Of(number) {
	case errno.Descriptors:
		return text + "; raise the limit of open files"
	case errno.Memory:
		return text + "; check fewer sites at once"
	case errno.Ports:
		return text + "; the local ports may be used up: check fewer sites at once, or more slowly"
	case errno.NoNetwork, errno.NoFamily:
		return text + "; there is no route to the site's addresses: look at the network, and at IPv6 if the site has no IPv4 address"
	case errno.Down:
		return text + "; look at the network interface"
	case errno.Forbidden:
		return text + "; a firewall, a security policy or a route of this machine forbids the connection"
	}
	return text
}

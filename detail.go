package checker

import (
	"crypto/x509"
	"errors"
	"net"
	"strings"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/errno"
	"example.com/checker/internal/hook"
	"example.com/checker/internal/resolve"
	"example.com/checker/internal/wire"
)

// The functions here and in the next two files look at an error once and return both:
// the Cause that it is and, in words, what may be told of it.

// words is fault, with what is to be mended, and cut to what can be shown. An error that
// panics when it is asked for its text has none.
func words(phase Phase, reason Reason, err error) (cause Cause, text string) {
	var panicked error
	defer hook.Recovered(&panicked)
	if reason == ReasonRejected {
		cause = CauseJudge // whatever becomes of what it says
	}
	if err == nil {
		return "", ""
	}
	cause, text = fault(phase, reason, err)
	return cause, strings.Clone(text[:min(len(text), 2*maxShown)])
}

// fault returns the Cause of an error, and what may be told to a stranger beyond the
// sentence of Reason and Cause. The errors of connects and policies name addresses of the
// inside, so of those only the bare errno is shown. Of a lookup that failed it tells what
// this machine's nameservers said, also where it is not to blame.
func fault(phase Phase, reason Reason, err error) (Cause, string) {
	many, ok := err.(*dial.AddrsError)
	if !ok { // also one beside a hint, which says more than the addresses
		return faultOf(phase, reason, err)
	}
	cause, text := faultOf(phase, reason, many.Errs[0])
	for _, err := range many.Errs[1:] {
		if e, ok := errors.AsType[*resolve.Error](err); ok && isMoot(err) && e.Err == nil {
			text = strings.TrimPrefix(text+"; of further addresses nothing is known, since "+e.Error(), "; ")
		}
	}
	return cause, text
}

// faultOf is fault of one address's error.
func faultOf(phase Phase, reason Reason, err error) (cause Cause, text string) {
	switch reason {
	case ReasonLocal, ReasonDNS, ReasonRedirect, ReasonCanceled:
		if h, ok := errors.AsType[hint](err); ok {
			return h.cause, h.text
		}
	}
	switch reason {
	case ReasonLocal:
		cause, text = localFault(err)
		return cause, causes[cause].advise(text)
	case ReasonDNS:
		cause, text = lookupFault(err)
		return cause, causes[cause].advise(text)
	case ReasonNotFound:
		return missingFault(err)
	case ReasonUnreachable:
		return "", unreachableDetail(err)
	case ReasonReset:
		return resetCause(phase, err), ""
	case ReasonCertificate:
		return certificateFault(err)
	case ReasonTLS:
		return handshakeFault(err)
	case ReasonMalformed:
		return malformedFault(err)
	case ReasonRedirect:
		return CauseBadLocation, "the Location names no site: " + plain(err)
	case ReasonRejected:
		if has[*statusError](err) {
			return CauseStatus, err.Error()
		}
		return CauseJudge, plain(err)
	case ReasonInvalid:
		return "", plain(err)
	}
	return "", ""
}

// localFault says what this machine lacks.
func localFault(err error) (Cause, string) {
	if r, ok := errors.AsType[*dial.RouteError](err); ok {
		return routeCauses[r.Kind], r.Why
	}
	if number, ok := errno.In(err); ok {
		cause, text := errnoCauses[errno.Of(number)], number.Error()
		if cause == CauseNoRoute {
			text += ", so there is no route to the site's addresses"
		}
		return cause, text
	}
	if has[x509.SystemRootsError](err) {
		return CauseNoRoots, "the system's root certificates cannot be loaded"
	}
	return "", "the wrapped error says why"
}

var routeCauses = map[dial.RouteKind]Cause{
	dial.NoRoute: CauseNoRoute, dial.Filtered: CauseFirewall, dial.NoGateway: CauseGateway, dial.NoLink: CauseNetwork,
}

// errnoCauses has the kinds of numbers that say what this machine lacks. Of the others no
// more is known.
var errnoCauses = map[errno.Kind]Cause{
	errno.Descriptors: CauseDescriptors, errno.Memory: CauseMemory, errno.Ports: CausePorts,
	errno.NoNetwork: CauseNoRoute, errno.NoFamily: CauseNoRoute, errno.Down: CauseNetwork, errno.Forbidden: CauseFirewall,
}

// lookupFault says who failed in a lookup. What a caller's resolver says of itself is not
// told.
func lookupFault(err error) (Cause, string) {
	e, ok := errors.AsType[*resolve.Error](err)
	if ok && e.Kind != resolve.Foreign {
		if e.Told() {
			return lookupCauses[e.Kind], e.Error()
		}
		return lookupCauses[e.Kind], ""
	}
	if number, ok := errno.In(err); ok {
		return CauseUnreachable, number.Error()
	}
	if isTimeout(err) {
		return CauseSilent, ""
	}
	return "", "the domain's name servers, this machine's resolver or the network may be at fault"
}

var lookupCauses = map[resolve.Kind]Cause{
	resolve.Silent: CauseSilent, resolve.Unreachable: CauseUnreachable, resolve.Malformed: CauseMalformed,
	resolve.Lame: CauseRefused, resolve.Refused: CauseRefused, resolve.NotImplemented: CauseRefused,
	resolve.ServFail: CauseServFail, resolve.FormatError: CauseServFail, resolve.OtherCode: CauseServFail,
	resolve.Sinkhole: CauseSinkhole, resolve.Unsupported: CauseUnsupportedSource,
}

// missingFault says how it is known that a name has no address. Package net does not tell
// the two causes apart.
func missingFault(err error) (cause Cause, text string) {
	e, ok := errors.AsType[*resolve.Error](err)
	if !ok || has[*net.DNSError](e.Err) {
		return "", ""
	}
	if cause = CauseNXDomain; e.Kind == resolve.NoAddress {
		cause = CauseNoAddress
	}
	if !e.Told() {
		return cause, ""
	}
	return cause, e.Error()
}

// unreachableDetail says why nobody was reached, but not who said so.
func unreachableDetail(err error) string {
	if e, ok := errors.AsType[*dial.ICMPError](err); ok {
		return e.Text
	}
	if has[*dial.AbsentError](err) {
		return "nobody on this machine's network answers to the address"
	}
	return ""
}

// resetCause says when a connection ended. Where the phase is a guess, at a caller's
// transport, that is all that is known.
func resetCause(phase Phase, err error) Cause {
	switch {
	case phase == PhaseTLS:
		return CauseInHandshake
	case has[*wire.CutError](err):
		return CauseInAnswer
	}
	return CauseBeforeAnswer
}

// malformedFault says what was read in place of a response. What a transport says of that
// in its own words is not told.
func malformedFault(err error) (Cause, string) {
	e, ok := errors.AsType[*wire.HeadError](err)
	switch {
	case ok:
		return headCauses[e.Kind], e.Error()
	case has[*wire.HTTP2Error](err):
		return CauseHTTP2, ""
	case isMalformed(err):
		return CauseNotHTTP, plain(err)
	}
	return "", ""
}

var headCauses = map[wire.HeadKind]Cause{wire.NotHTTP: CauseNotHTTP, wire.TooLarge: CauseHeadTooLarge, wire.NotHTTP2: CauseHTTP2}

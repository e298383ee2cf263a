package checker

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"slices"
	"syscall"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/errno"
	"example.com/checker/internal/hook"
	"example.com/checker/internal/resolve"
)

// newError makes an Error whole: which Cause err is, and what may be told of it, is found
// out here, once, and nothing looks at err again.
func newError(phase Phase, reason Reason, u string, err error) *Error {
	e := &Error{Phase: phase, Reason: reason, URL: u, Err: err}
	e.Cause, e.detail = words(phase, reason, err)
	return e
}

// classified makes the Error of err, which ended a check in a phase. Of the errors
// of several addresses the one that says most comes first, and is told.
func classified(phase Phase, u string, err error) *Error {
	if many, ok := errors.AsType[*dial.AddrsError](err); ok {
		err = &dial.AddrsError{Errs: ranked(phase, many.Errs)}
	}
	return newError(phase, classify(phase, err), u, err)
}

// classify says what an error means that ended a check in a phase. It looks at
// types and values only, never at text, which changes from release to release.
// It is total: whatever is not known is put down to the phase, and to this side
// where the phase leaves it open.
func classify(phase Phase, err error) Reason {
	if many, ok := errors.AsType[*dial.AddrsError](err); ok {
		first := ranked(phase, many.Errs)[0]
		return classify(phaseAmong(phase, first), first)
	}
	switch {
	case err == nil:
		return ""
	case has[*hook.PanicError](err):
		return ReasonInternal
	case has[*dial.BlockedError](err):
		return ReasonBlocked
	case phase == PhaseJudge: // whatever the judge's error wraps, it is the judge's
		return ReasonRejected
	case has[*resolve.Error](err): // also that of a resolver that was canceled, though nobody canceled the check
		return classifyLookup(err)
	case errors.Is(err, context.Canceled):
		return ReasonCanceled
	case phase == PhaseWait, isProxy(err): // a limit or a proxy of our own is no verdict on the site
		return ReasonLocal
	case phase == PhaseDNS, has[*dial.LookupError](err), has[*net.DNSError](err):
		return classifyLookup(err)
	case has[x509.SystemRootsError](err), has[*dial.RouteError](err), has[*hook.Error](err):
		return ReasonLocal
	case has[*dial.ICMPError](err), has[*dial.AbsentError](err):
		return ReasonUnreachable
	case isCertificate(err):
		return ReasonCertificate
	}
	if number, ok := errno.In(err); ok {
		return classifyErrno(phase, number)
	}
	switch {
	case isTimeout(err):
		return ReasonTimeout
	case isTLS(err):
		return ReasonTLS
	case isMalformed(err):
		return ReasonMalformed
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, net.ErrClosed):
		return ReasonReset
	}
	return phaseReason(phase)
}

// phaseReason is what an error of unknown kind stands for. An unknown error of
// a connect is a dial function's, which need not speak of the site.
func phaseReason(phase Phase) Reason {
	switch phase {
	case PhaseTarget:
		return ReasonInvalid
	case PhaseTLS:
		return ReasonTLS
	case PhaseResponse:
		return ReasonMalformed
	}
	return ReasonLocal
}

// classifyLookup tells a name that does not exist from a resolver that failed.
func classifyLookup(err error) Reason {
	if errno.Scarce(err) { // first, since what was not asked was not found either
		return ReasonLocal
	}
	// A resolver's own error comes before what it wraps: the system's "not found" need
	// not be the word of all who could know.
	e, _ := errors.AsType[*resolve.Error](err)
	d, _ := errors.AsType[*net.DNSError](err) // of a transport
	switch {
	case e == nil && d != nil && d.IsNotFound, e != nil && e.Kind.Missing():
		return ReasonNotFound
	case e != nil && e.Kind == resolve.Invalid:
		return ReasonInvalid
	}
	return ReasonDNS
}

// ranked returns the errors of several addresses of one host, the one that says
// most about the host first. A shortage of this machine comes before all else,
// since it left an address untried, as a lookup that failed may have; a missing
// route comes late, since a machine without IPv6 meets it with every host that
// has both, and a lookup that left nothing untried comes last.
func ranked(phase Phase, errs []error) []error {
	rank := func(err error) int {
		if isMoot(err) {
			return -2
		}
		reason := classify(phaseAmong(phase, err), err)
		if reason == ReasonLocal && noRoute(err) {
			return -1
		}
		return reasons[reason].rank
	}
	errs = slices.Clone(errs)
	slices.SortStableFunc(errs, func(a, b error) int { return cmp.Compare(rank(b), rank(a)) })
	return errs
}

// phaseAmong returns the phase of one of several errors that ended a check in phase:
// where a lookup did, connects to what it had found may have failed before.
func phaseAmong(phase Phase, err error) Phase {
	if phase == PhaseDNS && !has[*dial.LookupError](err) {
		return PhaseConnect
	}
	return phase
}

// guessPhase says in which phase a transport failed that does not tell. An error
// of unknown type comes from before there was an answer, such as from a proxy's
// quota, and says nothing of the site.
func guessPhase(err error) Phase {
	op, _ := errors.AsType[*net.OpError](err)
	switch {
	case isProxy(err):
		return PhaseConnect
	case has[*net.DNSError](err):
		return PhaseDNS
	case isCertificate(err) || has[x509.SystemRootsError](err) || isTLS(err):
		return PhaseTLS
	case op != nil && op.Op == "dial", has[*dial.RouteError](err), has[*dial.AbsentError](err):
		return PhaseConnect
	case classify(PhaseRequest, err) == ReasonLocal:
		return PhaseRequest
	}
	return PhaseResponse
}

// classifyErrno says what a system call's error means. It is total; what is not
// listed speaks of this machine (EPERM and EACCES of a firewall, EINVAL of a
// blackhole route), and so does a missing route when connecting, which the
// kernel reports before anything is sent.
func classifyErrno(phase Phase, number syscall.Errno) Reason {
	switch errno.Of(number) {
	case errno.Refused:
		return ReasonRefused
	case errno.Reset:
		return ReasonReset
	case errno.TimedOut:
		return ReasonTimeout
	case errno.Unreachable:
		return ReasonUnreachable
	case errno.NoNetwork:
		if phase != PhaseConnect {
			return ReasonUnreachable
		}
	}
	return ReasonLocal
}

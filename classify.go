package checker

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"slices"
	"strings"
	"syscall"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/errno"
	"example.com/checker/internal/hook"
	"example.com/checker/internal/resolve"
	"example.com/checker/internal/wire"
)

// newError makes an Error whole: what may be told of err is put into words here,
// once, and nothing looks at err again.
func newError(phase Phase, reason Reason, u string, err error) *Error {
	return &Error{Phase: phase, Reason: reason, URL: u, Err: err, detail: words(reason, err)}
}

// classified makes the Error of err, which ended a check in a phase. Of the errors
// of several addresses the one that says most comes first, and is told.
func classified(phase Phase, u string, err error) *Error {
	if many, ok := errors.AsType[*dial.AddrsError](err); ok {
		err = &dial.AddrsError{Errs: ranked(phase, many.Errs)}
	}
	return newError(phase, classify(phase, err), u, err)
}

// words is detail, cut to what can be shown of it. An error that panics when it is
// asked for its text has none.
func words(reason Reason, err error) (text string) {
	var panicked error
	defer hook.Recovered(&panicked)
	text = detail(reason, err)
	return strings.Clone(text[:min(len(text), 2*maxShown)])
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

// isMoot reports whether err is of a lookup that failed for one family, which is no
// reason to expect addresses in it.
func isMoot(err error) bool {
	l, ok := errors.AsType[*dial.LookupError](err)
	return ok && l.Moot
}

// isProxy reports whether err is net/http's, of a proxy that cannot be reached.
// The proxy is the caller's, whatever is wrong with it.
func isProxy(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "proxyconnect"
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
	case op != nil && op.Op == "dial":
		return PhaseConnect
	case classify(PhaseRequest, err) == ReasonLocal:
		return PhaseRequest
	}
	return PhaseResponse
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err)
	return ok && t.Timeout()
}

// isTemporary reports whether err is a judge's that says of itself that it may pass.
// The method, like Timeout, is one of net.Error, and its text is the judge's.
func isTemporary(err error) bool {
	t, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err)
	return ok && temporary(t)
}

// temporary asks a caller's error, which may panic.
func temporary(err interface{ Temporary() bool }) (yes bool) {
	var panicked error
	defer hook.Recovered(&panicked)
	return err.Temporary()
}

func isCertificate(err error) bool {
	return has[*tls.CertificateVerificationError](err) || has[*wire.UnparsableError](err) ||
		has[x509.UnknownAuthorityError](err) || has[x509.CertificateInvalidError](err) ||
		has[x509.HostnameError](err) || has[x509.InsecureAlgorithmError](err) ||
		has[x509.ConstraintViolationError](err) || has[x509.UnhandledCriticalExtension](err)
}

// isUntrusted reports whether err is of a certificate that nobody known vouches
// for.
func isUntrusted(err error) bool { return has[x509.UnknownAuthorityError](err) }

// isTLS reports whether err is of the TLS layer: a record that is none, or an
// alert, which crypto/tls reports as an operation of that name. With TLS 1.3
// the alert for a missing client certificate comes with the first read.
func isTLS(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "remote error" || op.Op == "local error") ||
		has[*wire.TLSError](err) || has[tls.RecordHeaderError](err) || has[tls.AlertError](err) || has[*tls.ECHRejectionError](err)
}

// isNoTLS reports whether err says that the server speaks something else.
func isNoTLS(err error) bool { return has[tls.RecordHeaderError](err) }

func isMalformed(err error) bool {
	return has[*wire.HeadError](err) || has[textproto.ProtocolError](err) || errors.Is(err, http.ErrSchemeMismatch)
}

func has[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
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

// scarce reports whether there is no verdict because this machine is short of
// something that other checks may give back.
func scarce(r *Result) bool { return reasonOf(r.Err) == ReasonLocal && errno.Scarce(r.Err) }

// noRoute reports whether err says that this machine has no way to an address.
func noRoute(err error) bool { return has[*dial.RouteError](err) || errno.NoRoute(err) }

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

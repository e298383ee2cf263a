package checker

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/errno"
)

// A Reason says why a site is not Online. It is one closed vocabulary for
// switch statements, JSON, logs and metric labels, and it is an error, so that
//
//	errors.Is(result.Err, checker.ReasonRefused)
//
// asks for one of them. Each Reason belongs to one [Status]. The values are
// text and never change once released. The zero Reason is that of a site that
// is Online.
type Reason string

const (
	// Offline: the site's side failed.

	ReasonNotFound    Reason = "not_found"   // the name has no address, and the resolver said so for both address families
	ReasonRefused     Reason = "refused"     // the host refused the connection
	ReasonUnreachable Reason = "unreachable" // a router reported the host unreachable
	ReasonReset       Reason = "reset"       // the peer closed or reset the connection before a whole response head
	ReasonTimeout     Reason = "timeout"     // no verdict within the timeout; Phase says where it stalled
	ReasonCertificate Reason = "certificate" // expired, not yet valid, for another host, untrusted or too weak
	ReasonTLS         Reason = "tls"         // the TLS handshake failed otherwise
	ReasonMalformed   Reason = "malformed"   // bytes came back that are not an HTTP response, or its head is over 64 KiB
	ReasonRedirect    Reason = "redirect"    // only with WithRedirects: a loop, too many, or no usable Location
	ReasonRejected    Reason = "rejected"    // the judge refused the answer

	// Unknown: there is no verdict on the site.

	ReasonInvalid  Reason = "invalid"  // the target names no site: empty, foreign scheme, bad host or port
	ReasonBlocked  Reason = "blocked"  // the address policy refused every address
	ReasonDNS      Reason = "dns"      // the resolver failed: an error, silence, nonsense
	ReasonLocal    Reason = "local"    // this machine's fault: descriptors, buffers, ports, memory, no route, no roots, local policy
	ReasonCanceled Reason = "canceled" // the caller's context ended, by its deadline or otherwise
	ReasonInternal Reason = "internal" // a caller's hook panicked; the Error wraps the value and the stack
)

// sentences has every Reason with its verdict and its meaning in words.
var sentences = map[Reason]struct {
	status Status
	text   string
}{
	ReasonNotFound:    {Offline, "the name has no address"},
	ReasonRefused:     {Offline, "the host refused the connection"},
	ReasonUnreachable: {Offline, "the network reported the host unreachable"},
	ReasonReset:       {Offline, "the connection was closed before a whole answer"},
	ReasonTimeout:     {Offline, "no answer within the timeout"},
	ReasonCertificate: {Offline, "the certificate was refused"},
	ReasonTLS:         {Offline, "the TLS handshake failed"},
	ReasonMalformed:   {Offline, "the answer is not HTTP"},
	ReasonRedirect:    {Offline, "the redirects lead nowhere"},
	ReasonRejected:    {Offline, "the answer was not accepted"},
	ReasonInvalid:     {Unknown, "not a site to check"},
	ReasonBlocked:     {Unknown, "the address policy refused it"},
	ReasonDNS:         {Unknown, "the resolver failed"},
	ReasonLocal:       {Unknown, "this machine could not check"},
	ReasonCanceled:    {Unknown, "the check was canceled"},
	ReasonInternal:    {Unknown, "a hook panicked"},
}

// Status returns the verdict that r stands for. It is Unknown for the empty
// Reason and for text that is no Reason of this package.
func (r Reason) Status() Status {
	if s, ok := sentences[r]; ok {
		return s.status
	}
	return Unknown
}

// Error returns the Reason's own text, such as "refused", so that printing a
// Reason gives its value.
func (r Reason) Error() string { return string(r) }

// A Phase is the step of a check. Its values are text and never change once
// released. The zero Phase is that of a check that did not fail.
type Phase string

const (
	PhaseTarget   Phase = "target"   // reading what the caller wrote
	PhaseWait     Phase = "wait"     // waiting for a turn
	PhaseDNS      Phase = "dns"      // looking the name up
	PhaseConnect  Phase = "connect"  // opening a TCP connection
	PhaseTLS      Phase = "tls"      // the TLS handshake
	PhaseRequest  Phase = "request"  // sending the request
	PhaseResponse Phase = "response" // reading the head of the answer
	PhaseJudge    Phase = "judge"    // deciding whether the answer is acceptable, redirects included
)

// phases has the phases in their order.
var phases = []Phase{
	PhaseTarget, PhaseWait, PhaseDNS, PhaseConnect, PhaseTLS, PhaseRequest, PhaseResponse, PhaseJudge,
}

// An Error says why a check did not end with Online, in which phase it ended
// and for which URL. It wraps the underlying error, if there is one.
//
// Its text is one printable line of at most 512 bytes. It names the class of
// the failure and what the site itself published, such as the URL of a redirect
// or the names in a certificate. It holds no userinfo, and no other address or
// host name than those and the target's, so it can be shown to whoever asked for
// the check. What the operator needs beyond that (the address that the policy
// refused, the resolver's name) is in Err.
//
// An Error is immutable; it may be shared between goroutines. The zero Error has
// no reason, and stands for none.
type Error struct {
	Phase  Phase  // where the check ended
	Reason Reason // why
	URL    string // without userinfo; "" if the target names none
	Err    error  // the cause; may be nil
}

const (
	maxShown    = 512 // bytes of an error's text
	maxShownURL = 200 // bytes of a URL in it

	maxShownPhase = 20 // bytes of a phase, which a caller may have made up
)

// Error describes the failure in one line. The wording may change.
func (e *Error) Error() string {
	if d, ok := e.Err.(decoded); ok {
		return clean(string(d), maxShown)
	}
	var b strings.Builder
	b.WriteString(e.prefix())
	b.WriteString(e.message(maxShown - b.Len()))
	return b.String()
}

// Message is Error without the URL, for where that is shown already.
func (e *Error) Message() string {
	if d, ok := e.Err.(decoded); ok {
		return strings.TrimPrefix(clean(string(d), maxShown), e.prefix())
	}
	return e.message(maxShown)
}

// prefix is what Error begins with.
func (e *Error) prefix() string {
	if e.URL == "" {
		return ""
	}
	return clean(e.URL, maxShownURL) + ": "
}

func (e *Error) message(limit int) string {
	var b strings.Builder
	s, ok := sentences[e.Reason]
	if !ok {
		s.text = fmt.Sprintf("unknown reason %q", string(e.Reason))
	}
	b.WriteString(s.text)
	if e.Reason == ReasonTimeout {
		fmt.Fprintf(&b, " (%s)", clean(string(e.Phase), maxShownPhase))
	}
	if d := e.detail(); d != "" {
		b.WriteString(": ")
		b.WriteString(clean(d, limit-b.Len()))
	}
	return b.String()
}

// detail returns what may be told to a stranger beyond the reason's sentence.
// The causes of dns, connect and policy failures name addresses and resolvers
// of the inside, so of those only the bare errno is shown.
func (e *Error) detail() string {
	switch e.Reason {
	case ReasonCertificate, ReasonTLS, ReasonMalformed, ReasonRedirect, ReasonRejected, ReasonInvalid:
		if op, ok := errors.AsType[*net.OpError](e.Err); ok && op.Err != nil {
			return op.Err.Error() // a TLS alert, without the two addresses
		}
		if bad, ok := errors.AsType[*tls.CertificateVerificationError](e.Err); ok {
			return bad.Err.Error() // without the sentence that stands before it here
		}
		if e.Err != nil && (e.Reason != ReasonMalformed || isMalformed(e.Err)) { // or a transport's own words
			return e.Err.Error()
		}
	case ReasonDNS, ReasonLocal:
		if h, ok := errors.AsType[hint](e.Err); ok {
			return h.Error()
		}
		if r, ok := errors.AsType[*dial.RouteError](e.Err); ok {
			return r.Why
		}
		if number, ok := errno.In(e.Err); ok {
			return advice(number)
		}
	}
	switch {
	case e.Reason == ReasonLocal && e.Err != nil:
		return "the error that this one wraps says why"
	case e.Reason != ReasonDNS:
		return ""
	}
	if d, ok := errors.AsType[*net.DNSError](e.Err); ok && d.IsTimeout || isTimeout(e.Err) {
		return "it did not answer in time; look at this machine's resolver and network"
	}
	return "the domain's name servers, this machine's resolver or the network may be at fault"
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is e's Reason.
func (e *Error) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r == e.Reason
}

// Timeout reports whether the site did not answer in time, as the method of
// the same name of [net.Error] does.
func (e *Error) Timeout() bool { return e.Reason == ReasonTimeout }

// hint is a cause that tells the user what to mend.
type hint string

func (h hint) Error() string { return string(h) }

// decoded is the text of an Error that came out of JSON.
type decoded string

func (d decoded) Error() string { return string(d) }

// clean returns s as at most limit printable bytes: what is not printable is
// escaped as in a Go string, and what is too long ends in "…". Text from a
// server must not reach a terminal or a log as it is.
func clean(s string, limit int) string {
	if len(s) <= limit && printable(s) {
		return s
	}
	const ellipsis = "…"
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		piece := s[:n]
		if !unicode.IsPrint(r) || r == utf8.RuneError && n == 1 {
			q := strconv.QuoteToASCII(piece)
			piece = q[1 : len(q)-1]
		}
		if b.Len()+len(piece)+len(ellipsis) > limit {
			b.WriteString(ellipsis)
			break
		}
		b.WriteString(piece)
		s = s[n:]
	}
	return b.String()
}

func printable(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

package checker

// A Status is the verdict on a site. Its values are text, never change once
// released, and are safe to store, log and use as metric labels. The zero Status
// is none of them.
type Status string

const (
	Online  Status = "online"  // the site's origin answered; see the package comment for what counts
	Offline Status = "offline" // the site's side failed
	Unknown Status = "unknown" // neither can be said: this side failed, or the caller stopped
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

	ReasonNotFound    Reason = "not_found"   // the name has no address: all who were to be asked said so, for both address families
	ReasonRefused     Reason = "refused"     // the host refused the connection
	ReasonUnreachable Reason = "unreachable" // a router or the site turned it away by ICMP, or nobody has an address of this machine's own network
	ReasonReset       Reason = "reset"       // the peer closed the connection before the status of a response, or reset it before the end of the head
	ReasonTimeout     Reason = "timeout"     // no answer within the timeout; Phase says where it stalled, while this machine was well
	ReasonCertificate Reason = "certificate" // expired, not yet valid, for another host or use, untrusted, too weak or not to be parsed
	ReasonTLS         Reason = "tls"         // the TLS handshake failed otherwise
	ReasonMalformed   Reason = "malformed"   // bytes came back that are not an HTTP response, or its head is over 256 KiB
	ReasonRedirect    Reason = "redirect"    // only with WithRedirects: too many, a loop among them, or a Location that leads to no site
	ReasonRejected    Reason = "rejected"    // the judge refused the answer

	// Unknown: nothing is known of the site.

	ReasonChallenge Reason = "challenge" // only with a judge: the answer is marked by its sender as a challenge to bots, whatever the judge says
	ReasonInvalid   Reason = "invalid"   // the target names no site: empty, foreign scheme, bad host or port
	ReasonBlocked   Reason = "blocked"   // the address policy refused every address
	ReasonDNS       Reason = "dns"       // the resolver failed: an error, silence, nonsense, 0.0.0.0 as filters give it, or more than half of the timeout gone
	ReasonLocal     Reason = "local"     // this machine's fault: descriptors, buffers, ports, memory, no route, no roots, a firewall, a network that wants a login (511), a wrong clock, a process that was starved of CPU
	ReasonCanceled  Reason = "canceled"  // the caller's context ended, by its deadline or otherwise
	ReasonInternal  Reason = "internal"  // a caller's hook panicked or ended its goroutine; the Error wraps what it panicked with
)

// A meaning is what follows from a Reason.
type meaning struct {
	status    Status
	text      string // its sentence
	transient bool   // it may pass in a moment: the check is tried again
	tryGET    bool   // where HEAD met it, GET may do better
	confirm   bool   // this machine's network may be at fault: canaries are asked
	rank      int    // among the failures of several addresses the highest explains
}

// reasons has a row for every Reason. Among addresses a shortage of this machine comes
// before all else, since it left an address untried, as a lookup that failed may
// have; what cannot happen to an address has no rank.
var reasons = map[Reason]meaning{
	//                 status, sentence, transient, tryGET, confirm, rank
	ReasonNotFound:    {Offline, "the name has no address", no, no, yes, 0},
	ReasonRefused:     {Offline, "the host refused the connection", yes, no, yes, 3},
	ReasonUnreachable: {Offline, "the network reported the host unreachable", no, no, yes, 2},
	ReasonReset:       {Offline, "the connection was closed before a whole answer", yes, yes, yes, 4},
	ReasonTimeout:     {Offline, "no answer within the timeout", no, no, yes, 5},
	ReasonCertificate: {Offline, "the certificate was refused", no, no, yes, 0},
	ReasonTLS:         {Offline, "the TLS handshake failed", no, no, yes, 0},
	ReasonMalformed:   {Offline, "the answer is not HTTP", no, yes, yes, 0},
	ReasonRedirect:    {Offline, "the redirects lead nowhere", no, no, no, 0},
	ReasonRejected:    {Offline, "the answer was not accepted", no, yes, no, 0},
	ReasonChallenge:   {Unknown, "the answer is a challenge to bots", no, yes, no, 0},
	ReasonInvalid:     {Unknown, "not a site to check", no, no, no, 0},
	ReasonBlocked:     {Unknown, "the address policy refused it", no, no, no, 1},
	ReasonDNS:         {Unknown, "the resolver failed", yes, no, no, 6},
	ReasonLocal:       {Unknown, "this machine could not check", no, no, no, 8},
	ReasonCanceled:    {Unknown, "the check was canceled", no, no, no, 7},
	ReasonInternal:    {Unknown, "a hook panicked or ended its goroutine", no, no, no, 9},
}

const yes, no = true, false

// Status returns the verdict that r stands for. It is Unknown for the empty
// Reason and for text that is no Reason of this package.
func (r Reason) Status() Status {
	if p, ok := reasons[r]; ok {
		return p.status
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

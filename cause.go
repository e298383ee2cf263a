package checker

// A Cause says which of a [Reason]'s faults it was, as finely as whoever mends it has to
// know: a certificate that has expired is renewed, one without its intermediate is a
// matter of the server's configuration. Like Reason it is a closed vocabulary and an
// error, so that
//
//	errors.Is(result.Err, checker.CauseExpired)
//
// asks for one of them, also of a [Result] that was read back from JSON. Each Cause belongs
// to one Reason. A Cause is derived from what a check sees anyway, and costs no request.
// The values are text and never change once released. The zero Cause is that of a
// Reason that says all, of a fault that is rare and has none of its own, and of one of
// which no more is known.
type Cause string

const (
	// Of ReasonNotFound.

	CauseNXDomain  Cause = "nxdomain"   // there is no such name
	CauseNoAddress Cause = "no_address" // the name exists, and has no address

	// Of ReasonReset.

	CauseInHandshake  Cause = "in_handshake"  // during the TLS handshake
	CauseBeforeAnswer Cause = "before_answer" // before the first byte of an answer
	CauseInAnswer     Cause = "in_answer"     // within the head of the answer

	// Of ReasonCertificate. Where several hold, the certificate's own dates are told first,
	// then the host, then what is wrong above it or who vouches for it.

	CauseExpired          Cause = "expired"           // the certificate, or one above it, has expired
	CauseNotYetValid      Cause = "not_yet_valid"     // the certificate, or one above it, is not valid yet
	CauseWrongHost        Cause = "wrong_host"        // it is for other hosts
	CauseSelfSigned       Cause = "self_signed"       // it vouches for itself
	CauseUnknownAuthority Cause = "unknown_authority" // the chain leads to an authority that is not trusted here
	CauseIncompleteChain  Cause = "incomplete_chain"  // the server did not send the certificate of the issuer
	CauseWeak             Cause = "weak"              // its key, or a signature of the chain, can be forged
	CauseUnparsable       Cause = "unparsable"        // a certificate cannot be read

	// Of ReasonTLS.

	CauseNoCipher          Cause = "no_cipher"          // no cipher suite, curve or signature in common
	CauseNoVersion         Cause = "no_version"         // no version of TLS in common
	CauseNoProtocol        Cause = "no_protocol"        // no application protocol in common (ALPN)
	CauseUnknownName       Cause = "unknown_name"       // the server has no site of this name
	CauseClientCertificate Cause = "client_certificate" // the server wants a client certificate, or another one
	CauseNotTLS            Cause = "not_tls"            // the port speaks something else, such as plain HTTP

	// Of ReasonMalformed.

	CauseNotHTTP      Cause = "not_http"       // the bytes are not the head of an HTTP response
	CauseHeadTooLarge Cause = "head_too_large" // the head is over 256 KiB
	CauseHTTP2        Cause = "http2"          // a breach of HTTP/2, or HTTP/2 where HTTP/1 is spoken

	// Of ReasonRedirect.

	CauseLoop         Cause = "loop"          // they go round in a loop
	CauseTooMany      Cause = "too_many"      // there are more than WithRedirects allows
	CauseBadLocation  Cause = "bad_location"  // a Location leads to no site
	CauseWantsCookies Cause = "wants_cookies" // they go round in a loop in which each sets a cookie

	// Of ReasonRejected.

	CauseStatus Cause = "status" // a judge of StatusIn refused the status
	CauseJudge  Cause = "judge"  // another judge refused the answer

	// Of ReasonDNS.

	CauseServFail          Cause = "servfail"           // a nameserver failed: SERVFAIL, or a code that is rarer
	CauseRefused           Cause = "refused"            // a nameserver does not look names up for this machine: REFUSED, NOTIMP, no recursion
	CauseSilent            Cause = "silent"             // a nameserver did not answer, or not soon enough
	CauseUnreachable       Cause = "unreachable"        // a nameserver could not be reached
	CauseMalformed         Cause = "malformed"          // a nameserver's answer cannot be read
	CauseSinkhole          Cause = "sinkhole"           // the answer is 0.0.0.0 or ::, as filters give it
	CauseUnsupportedSource Cause = "unsupported_source" // the name is in a source that cannot be asked, such as multicast DNS

	// Of ReasonLocal.

	CauseDescriptors Cause = "descriptors" // no file descriptors are left
	CausePorts       Cause = "ports"       // no local ports are left
	CauseMemory      Cause = "memory"      // no memory or buffers are left
	CauseNoRoute     Cause = "no_route"    // there is no route to the site
	CauseGateway     Cause = "gateway"     // the gateway does not answer
	CauseFirewall    Cause = "firewall"    // a filter, a security policy or a route of this machine forbids it
	CauseNoRoots     Cause = "no_roots"    // there are no root certificates
	CauseClock       Cause = "clock"       // the clock is wrong
	CauseStarved     Cause = "starved"     // the process did not get to run
	CauseNetwork     Cause = "network"     // the network is down, not known to work, or wants a login
	CauseRateLimit   Cause = "rate_limit"  // the caller's limits left no token in time
)

// A causeMeaning is what follows from a Cause.
type causeMeaning struct {
	reason Reason
	text   string // in place of the Reason's sentence; "" where that will do
	detail string // follows the sentence where nothing more is known
	mend   string // what to do about it, where it is on this side
}

// causes has a row for every Cause.
var causes = map[Cause]causeMeaning{
	CauseNXDomain:          {ReasonNotFound, "the name does not exist", "", ""},
	CauseNoAddress:         {ReasonNotFound, "", "it exists all the same", ""},
	CauseInHandshake:       {ReasonReset, "the connection was closed during the TLS handshake", "", ""},
	CauseBeforeAnswer:      {ReasonReset, "", "", ""},
	CauseInAnswer:          {ReasonReset, "the connection was closed in the middle of the answer's head", "", ""},
	CauseExpired:           {ReasonCertificate, "", "it has expired", ""},
	CauseNotYetValid:       {ReasonCertificate, "", "it is not valid yet", ""},
	CauseWrongHost:         {ReasonCertificate, "", "it is for another host", ""},
	CauseSelfSigned:        {ReasonCertificate, "", "it is self-signed", ""},
	CauseUnknownAuthority:  {ReasonCertificate, "", "its authority is not trusted here", ""},
	CauseIncompleteChain:   {ReasonCertificate, "", "the server did not send the certificate of its issuer", ""},
	CauseWeak:              {ReasonCertificate, "", "it is too weak", ""},
	CauseUnparsable:        {ReasonCertificate, "", "it cannot be parsed", ""},
	CauseNoCipher:          {ReasonTLS, "", "there is no cipher suite in common", ""},
	CauseNoVersion:         {ReasonTLS, "", "there is no version in common", ""},
	CauseNoProtocol:        {ReasonTLS, "", "there is no protocol in common", ""},
	CauseUnknownName:       {ReasonTLS, "", "the server has no site of this name", ""},
	CauseClientCertificate: {ReasonTLS, "", "the server wants a client certificate", ""},
	CauseNotTLS:            {ReasonTLS, "", "the port does not speak TLS", ""},
	CauseNotHTTP:           {ReasonMalformed, "", "", ""},
	CauseHeadTooLarge:      {ReasonMalformed, "", "its head is over 256 KiB", ""},
	CauseHTTP2:             {ReasonMalformed, "", "it breaks the rules of HTTP/2", ""},
	CauseLoop:              {ReasonRedirect, "", "they go round in a loop", ""},
	CauseTooMany:           {ReasonRedirect, "", "there are too many", ""},
	CauseBadLocation:       {ReasonRedirect, "", "a Location is no URL", ""},
	CauseWantsCookies:      {ReasonRedirect, "", "they go round in a loop, and the site wants cookies", ""},
	CauseStatus:            {ReasonRejected, "", "its status is not among those wanted", ""},
	CauseJudge:             {ReasonRejected, "", "", ""},
	CauseServFail:          {ReasonDNS, "", "a nameserver answered with an error", "ask another nameserver: if that finds the name, mend this one, else the domain"},
	CauseRefused:           {ReasonDNS, "", "a nameserver refused to look names up", "let it serve this machine, or name another one in resolv.conf"},
	CauseSilent:            {ReasonDNS, "", "it did not answer in time", "look at this machine's resolver and network"},
	CauseUnreachable:       {ReasonDNS, "", "a nameserver could not be reached", "is it running, and is its address in resolv.conf right?"},
	CauseMalformed:         {ReasonDNS, "", "a nameserver's answer cannot be read", "mend it, or name another one in resolv.conf"},
	CauseSinkhole:          {ReasonDNS, "", "the answer is the unspecified address, as a filter's is", "allow the name in the filter of this network"},
	CauseUnsupportedSource: {ReasonDNS, "", "the name is in a source that cannot be asked", "build with cgo, or look at nsswitch.conf"},
	CauseDescriptors:       {ReasonLocal, "", "no file descriptors are left", "raise the limit of open files"},
	CausePorts:             {ReasonLocal, "", "no local ports are left", "the local ports may be used up: check fewer sites at once, or more slowly"},
	CauseMemory:            {ReasonLocal, "", "no memory or buffers are left", "check fewer sites at once"},
	CauseNoRoute:           {ReasonLocal, "", "there is no route to the site's addresses", "look at the network, and at IPv6 if the site has no IPv4 address"},
	CauseGateway:           {ReasonLocal, "", "the gateway does not answer", "look at the gateway, and at this machine's link to it"},
	CauseFirewall:          {ReasonLocal, "", "a filter, a security policy or a route forbids the connection", "look at this machine's firewall, security policy and routes"},
	CauseNoRoots:           {ReasonLocal, "", "there are no root certificates", "install the system's or set them by WithTLSConfig"},
	CauseClock:             {ReasonLocal, "", "the clock is wrong", "set the clock"},
	CauseStarved:           {ReasonLocal, "", "the process did not get to run", "check fewer sites at once, or give it more CPU"},
	CauseNetwork:           {ReasonLocal, "", "the network is not known to work", "look at this machine's network interface and its link"},
	CauseRateLimit:         {ReasonLocal, "", "the rate limits left no token in time", "raise the limits or the timeout"},
}

// Error returns the Cause's own text, such as "expired", so that printing a Cause gives
// its value.
func (c Cause) Error() string { return string(c) }

// Is reports whether target is the Reason of c.
func (c Cause) Is(target error) bool {
	r, ok := target.(Reason)
	return ok && r != "" && r == causes[c].reason
}

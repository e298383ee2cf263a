// Package checker answers, for one site or for millions: is it online, and if
// not, why?
//
//	c, err := checker.New(checker.WithTimeout(5 * time.Second))
//	…
//	r := c.Check(ctx, "example.org")
//	fmt.Println(r.Status(), r.Reason())
//
// Package watch checks sites again and again and tells their changes of state. Package
// checkertest is for the tests of programs that use this one.
//
// # Targets
//
// A target is a URL with the scheme http or https, or a host with or without a
// port, path and query ("example.org", "localhost:8080/health", "[::1]:80"). A
// target without a scheme is tried as http, and as https as well once http has
// failed or has taken 300 ms; the first answer wins, so such a site may be Online by
// http alone. Write https:// where the certificate is to count. If such a target names
// a port, and that speaks TLS, https decides: what a server says there to plain HTTP,
// most often a 400, is no answer of the site.
//
// Spaces and byte order marks around a target, userinfo and the fragment are
// dropped. The rest is read and written as browsers do it (WHATWG URL): dot
// segments are removed, a backslash in a path is a slash, and what is not
// percent-encoded and has to be is, while a percent sign that begins no escape
// stays as it is. A name beyond ASCII is mapped to ASCII (UTS #46); one in ASCII is
// asked for as it is, "xn--" labels, hyphens and underscores included.
//
// Refused as ReasonInvalid, without anything being sent, are targets that name no
// site, or could name different ones to different programs:
//   - an empty one, or one over 8 KiB
//   - another scheme than http and https; none, one or three slashes behind the
//     scheme, or slashes without one
//   - without a scheme, what may be one all the same: a word and a colon with no
//     port behind it ("mailto:a@b", "user:password@host", "host:/path")
//   - control characters, tabs and line breaks among them
//   - an empty host, an empty label, a label of more than 63 bytes or a name of
//     more than 253, a label that is "xn--" and nothing else
//   - a percent sign, a backslash, a space or another sign in the host, that is,
//     anything in ASCII but letters, digits, hyphens, underscores and dots
//   - a backslash behind the host, or one in userinfo, as well as %2F, %5C, %3F
//     and %23 there
//   - a number in place of a dotted quad ("127.1", "0x7f.1", "2130706433",
//     "127.0.0.1."), and any host that ends in one
//   - an IPv6 address without brackets or with a zone, and brackets around
//     something else
//   - a port outside of 1–65535, or of more than five digits
//   - a name beyond ASCII that UTS #46 does not allow, or that has a character
//     which Unicode 15 does not know or which later versions map differently
//     ("ẞ"): what is asked for is the same with every release of Go
//   - a name of Tor (.onion, RFC 7686)
//
// For hosts that a redirect leads to the same holds, and they end in
// ReasonRedirect. A Location as such is for browsers, and is resolved as they do
// it, with any number of slashes and backslashes before a host; bytes that are not
// UTF-8 are percent-encoded as they are. It may have up to 32 KiB.
//
// # Names
//
// A name is looked up as the system's own programs do it: by the hosts file, by the
// nameservers and the search list of resolv.conf, in the order of nsswitch.conf, read
// again when they change. "Not found" takes the word of all who were to be asked, for
// both address families; where one of them failed instead, the verdict is Unknown with
// [ReasonDNS], and the error says which server said what. If one family has addresses
// and all of them fail, an error for the other does not change the verdict. Silence
// for the other makes it Unknown, unless this machine has no address of that family.
// Localhost and the names below it are loopback, and nobody is asked (RFC 6761), unless
// there is a [WithResolver].
// Where a source is beyond this package, as multicast DNS is for printer.local, the C
// library's resolver is asked, if the program is built with cgo; if it is not, or if
// that does not find the name, the verdict is Unknown with [ReasonDNS].
//
// A name with fewer dots than the option ndots of resolv.conf goes through the search
// list before it is asked for as it is. In a Kubernetes pod ndots is 5, and example.org
// costs up to 12 questions in place of 2. A trailing dot ("example.org.") keeps a name
// out of the search list, and so does ndots 1 in the pod's dnsConfig.
//
// Within one CheckAll or Stream, addresses are used again for as long as their TTL
// says, and for 30 seconds at most; those of a resolver given by [WithResolver], which
// tells no TTL, for 30 seconds. Failures are never used again. On systems without
// these files, such as Windows, package net looks names up.
//
// # Verdicts
//
// A site is Online if its origin returned the head of an HTTP response with a
// final status, over a verified certificate where the scheme is https, within the
// timeout. Any such status will do, 101 included, which ends HTTP on a connection: a
// site that says 404 or 503 has answered, and so has one that redirects, unless
// [WithRedirects] follows it as a browser would. [Result.StatusCode] says what.
// [WithJudge] is stricter. An open port alone is not Online, and 511 is not the site's
// answer: it is a login that this machine's network wants (RFC 6585, section 6).
//
// A head is what Chromium or curl read as one, and they overlook much: a judge sees
// what there is, without the lines that are no fields, and a body whose end is not
// clear ends with the connection. Refused are NUL, a status that is no number from 100
// to 999, lengths of one body that differ, more than four bytes of anything before the status
// line, and a head of more than 256 KiB.
//
// A site is Offline if its own side failed, and Unknown if neither can be said:
// because this machine could not check (no descriptors, no route, a resolver
// that fails), because the address policy forbade it, or because the caller's
// context ended. The [Reason] says which, as a value of a closed vocabulary, and the
// [Cause] what of it: whether a certificate has expired or its intermediate is missing,
// whether a nameserver failed or was silent. [Error.Message] says it in a sentence, with
// the facts and, where this side is to blame, with what to mend.
//
// What this machine can tell to be its own fault is never reported as Offline. On
// Linux the kernel says who made a connect fail: the site and the routers on the way
// (refused, unreachable), or this machine's routes, its filters, a gateway that does not
// answer, an interface that has no link or an address that this machine no longer has
// (local). Elsewhere the errno has to do, and what a router says of a whole network is
// local. Nobody can tell a filter of this machine that drops what goes out or
// comes back from a site that is silent, one that answers with a TCP reset in the site's
// place from a site that refuses, or a network that is down beyond this machine's gateway,
// or at the far end of a tunnel, from a site that is. It takes the kernel up to a minute to
// notice that a gateway is gone with which it has just spoken, and it does not say which way
// a connect went that a filter of this machine had marked for another. See [WithCanaries].
//
// A clock that is wrong makes certificates expired, or not yet valid. Where it is before
// the day on which this program was made, or more than a day off from what the Date
// fields of other sites' answers say (two of them, if it is ahead), and the certificate
// would be good by those, the verdict is Unknown with [ReasonLocal]. Nobody is asked for
// that. A clock in [WithTLSConfig] is taken at its word.
//
// # What others call it
//
// Beside each Reason and Cause stands what is nearest to it: a type of W3C Network Error
// Logging, a net error of Chromium (behind ERR_), the exit status of curl (22 with
// --fail), the result of telegraf's http_response, and an error.type for OpenTelemetry,
// where STATUS is the status code of the answer. A dash is nothing, as in the first row
// of a Reason, which is for what has no Cause.
//
//	Reason       Cause               Network Error Logging           Chromium                            curl  telegraf                       error.type
//	not_found    -                   dns.name_not_resolved           NAME_NOT_RESOLVED               6     dns_error                      not_found
//	not_found    nxdomain            dns.name_not_resolved           NAME_NOT_RESOLVED               6     dns_error                      not_found
//	not_found    no_address          dns.name_not_resolved           NAME_NOT_RESOLVED               6     dns_error                      not_found
//	refused      -                   tcp.refused                     CONNECTION_REFUSED              7     connection_failed              refused
//	unreachable  -                   tcp.address_unreachable         ADDRESS_UNREACHABLE             7     connection_failed              unreachable
//	reset        -                   tcp.reset                       CONNECTION_RESET                56    connection_failed              reset
//	reset        in_handshake        tcp.closed                      CONNECTION_CLOSED               35    connection_failed              reset
//	reset        before_answer       http.response.invalid           EMPTY_RESPONSE                  52    connection_failed              reset
//	reset        in_answer           tcp.reset                       CONNECTION_RESET                56    connection_failed              reset
//	timeout      -                   tcp.timed_out                   TIMED_OUT                       28    timeout                        timeout
//	certificate  -                   tls.cert.invalid                CERT_INVALID                    60    connection_failed              certificate
//	certificate  expired             tls.cert.date_invalid           CERT_DATE_INVALID               60    connection_failed              certificate
//	certificate  not_yet_valid       tls.cert.date_invalid           CERT_DATE_INVALID               60    connection_failed              certificate
//	certificate  wrong_host          tls.cert.name_invalid           CERT_COMMON_NAME_INVALID        60    connection_failed              certificate
//	certificate  self_signed         tls.cert.authority_invalid      CERT_AUTHORITY_INVALID          60    connection_failed              certificate
//	certificate  unknown_authority   tls.cert.authority_invalid      CERT_AUTHORITY_INVALID          60    connection_failed              certificate
//	certificate  incomplete_chain    tls.cert.authority_invalid      CERT_AUTHORITY_INVALID          60    connection_failed              certificate
//	certificate  weak                tls.cert.invalid                CERT_WEAK_SIGNATURE_ALGORITHM   60    connection_failed              certificate
//	certificate  unparsable          tls.cert.invalid                SSL_SERVER_CERT_BAD_FORMAT      60    connection_failed              certificate
//	tls          -                   tls.protocol.error              SSL_PROTOCOL_ERROR              35    connection_failed              tls
//	tls          no_cipher           tls.version_or_cipher_mismatch  SSL_VERSION_OR_CIPHER_MISMATCH  35    connection_failed              tls
//	tls          no_version          tls.version_or_cipher_mismatch  SSL_VERSION_OR_CIPHER_MISMATCH  35    connection_failed              tls
//	tls          no_protocol         tls.protocol.error              SSL_PROTOCOL_ERROR              35    connection_failed              tls
//	tls          unknown_name        tls.protocol.error              SSL_UNRECOGNIZED_NAME_ALERT     35    connection_failed              tls
//	tls          client_certificate  tls.bad_client_auth_cert        BAD_SSL_CLIENT_AUTH_CERT        56    connection_failed              tls
//	tls          not_tls             tls.protocol.error              SSL_PROTOCOL_ERROR              35    connection_failed              tls
//	malformed    -                   http.response.invalid           INVALID_HTTP_RESPONSE           8     connection_failed              malformed
//	malformed    not_http            http.response.invalid           INVALID_HTTP_RESPONSE           1     connection_failed              malformed
//	malformed    head_too_large      http.response.invalid           RESPONSE_HEADERS_TOO_BIG        56    connection_failed              malformed
//	malformed    http2               http.protocol.error             HTTP2_PROTOCOL_ERROR            92    connection_failed              malformed
//	redirect     -                   http.failed                     TOO_MANY_REDIRECTS              47    connection_failed              redirect
//	redirect     loop                http.response.redirect_loop     TOO_MANY_REDIRECTS              47    connection_failed              redirect
//	redirect     too_many            http.response.redirect_loop     TOO_MANY_REDIRECTS              47    connection_failed              redirect
//	redirect     bad_location        http.response.invalid           INVALID_REDIRECT                3     connection_failed              redirect
//	redirect     wants_cookies       http.response.redirect_loop     TOO_MANY_REDIRECTS              47    connection_failed              redirect
//	rejected     -                   http.error                      HTTP_RESPONSE_CODE_FAILURE      22    response_status_code_mismatch  rejected
//	rejected     status              http.error                      HTTP_RESPONSE_CODE_FAILURE      22    response_status_code_mismatch  STATUS
//	rejected     judge               -                               -                                   -     response_string_mismatch       rejected
//	challenge    -                   http.error                      HTTP_RESPONSE_CODE_FAILURE      22    response_status_code_mismatch  challenge
//	invalid      -                   -                               INVALID_URL                     3     connection_failed              invalid
//	blocked      -                   -                               BLOCKED_BY_CLIENT               -     -                              blocked
//	dns          -                   dns.failed                      NAME_NOT_RESOLVED               6     dns_error                      dns
//	dns          servfail            dns.failed                      DNS_SERVER_FAILURE              6     dns_error                      dns
//	dns          refused             dns.failed                      DNS_REFUSED                     6     dns_error                      dns
//	dns          silent              dns.unreachable                 DNS_TIMED_OUT                   6     dns_error                      dns
//	dns          unreachable         dns.unreachable                 NAME_NOT_RESOLVED               6     dns_error                      dns
//	dns          malformed           dns.failed                      DNS_MALFORMED_RESPONSE          6     dns_error                      dns
//	dns          sinkhole            tcp.address_invalid             ADDRESS_INVALID                 7     connection_failed              dns
//	dns          unsupported_source  dns.name_not_resolved           NAME_NOT_RESOLVED               6     dns_error                      dns
//	local        -                   -                               FAILED                          7     connection_failed              local
//	local        descriptors         -                               INSUFFICIENT_RESOURCES          7     connection_failed              local
//	local        ports               -                               ADDRESS_INVALID                 7     connection_failed              local
//	local        memory              -                               OUT_OF_MEMORY                   27    connection_failed              local
//	local        no_route            -                               INTERNET_DISCONNECTED           7     connection_failed              local
//	local        gateway             -                               ADDRESS_UNREACHABLE             7     connection_failed              local
//	local        firewall            -                               NETWORK_ACCESS_DENIED           7     connection_failed              local
//	local        no_roots            -                               CERT_AUTHORITY_INVALID          60    connection_failed              local
//	local        clock               -                               CERT_DATE_INVALID               60    connection_failed              local
//	local        starved             -                               TIMED_OUT                       28    timeout                        local
//	local        network             -                               INTERNET_DISCONNECTED           28    timeout                        local
//	local        rate_limit          -                               -                                   -     -                              local
//	canceled     -                   abandoned                       ABORTED                         -     -                              canceled
//	internal     -                   -                               UNEXPECTED                      -     -                              internal
//
// # Timeouts
//
// [WithTimeout] bounds a whole check: every attempt, redirect and fallback
// together. It begins when the check gets its turn; waiting for that, and for
// descriptors, memory or ports, comes before. [WithCanaries] may ask again beyond it.
// It holds whatever the caller's context says of its deadline, which may have passed by the
// wall clock while the context goes on.
// The end of the caller's context, its deadline included, is not the site's fault: the
// verdict is then Unknown with [ReasonCanceled].
//
// Once that context has ended, a call returns within 100 ms, with all that it had opened
// released, unless a hook is waited for ([Option]). This holds for a list of 100 000
// targets or a Stream of any length, for 10 000 checks that wait for their turn in as many
// calls of Check, and for 1 000 connections that are open at once, on two processors that
// have nothing else to do. Beyond that each connection takes some 0.1 ms more, and each
// target of a list and each check that waits some microseconds. "go run ./bench -run
// cancel" measures it.
//
// # Concurrency and politeness
//
// Every limit is the Checker's, over all calls on it and on those that
// [Checker.With] made of it. As many checks run at once as [WithConcurrency] says. A
// check whose host has enough of them ([WithHostConcurrency]) or whose token bucket is
// empty ([WithRateLimit], [WithHostRateLimit]) is parked without holding a slot, and the
// next one runs. What becomes free goes to the call that has waited for it longest: calls
// share a host, a rate and the slots evenly, and single checks start in the order in
// which they came. Up to 10 000 targets are parked per call; when there is no room for
// more, no further target is pulled until one of them starts, so memory does not grow
// with the length of the list.
//
// A site that answers 429 or 503 with a Retry-After field is Online, unless a
// judge refuses the answer, and its origin (scheme, host and port) is left alone: none
// of its checks starts for as long as it says, or as [WithRetryAfter] allows, and after
// that they start one by one, at first no faster than the host took them before. A
// target without a scheme waits for both its origins. Other ports of the host are
// checked as ever. Redirects to it from elsewhere are followed all the same, within its
// rate.
//
// Every request is made on a connection of its own. That is on purpose: a check
// is to tell whether a new visitor would get through, and a pooled connection
// may have outlived what it once showed.
//
// # Side effects
//
// There are none: no logging, no global state, no goroutine or connection that
// outlives a call, no change to the process's settings, and no reading of
// environment variables for proxies.
//
// With one exception: servers that speak HTTP/2 only are asked through net/http,
// which has a line for the standard logger when such a server breaks certain
// rules of the protocol. The line holds nothing that the server sent.
package checker

package checkertest

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"example.com/checker"
	"example.com/checker/internal/target"
)

// ends has the phases in which checks end, with the status of the answer if there was one,
// and the Reasons and Causes that they end with, in their order.
var ends = []struct {
	phase checker.Phase
	code  int
	whys  []error
}{
	{"", http.StatusOK, []error{nil}},
	{checker.PhaseDNS, 0, []error{checker.ReasonNotFound, checker.CauseNXDomain, checker.CauseNoAddress}},
	{checker.PhaseConnect, 0, []error{checker.ReasonRefused, checker.ReasonUnreachable}},
	{checker.PhaseResponse, 0, []error{checker.ReasonReset, checker.CauseBeforeAnswer, checker.CauseInAnswer}},
	{checker.PhaseTLS, 0, []error{checker.CauseInHandshake}},
	{checker.PhaseConnect, 0, []error{checker.ReasonTimeout}},
	{checker.PhaseTLS, 0, []error{
		checker.ReasonCertificate, checker.CauseExpired, checker.CauseNotYetValid, checker.CauseWrongHost, checker.CauseSelfSigned,
		checker.CauseUnknownAuthority, checker.CauseIncompleteChain, checker.CauseWeak, checker.CauseUnparsable,
		checker.ReasonTLS, checker.CauseNoCipher, checker.CauseNoVersion, checker.CauseNoProtocol, checker.CauseUnknownName,
		checker.CauseClientCertificate, checker.CauseNotTLS,
	}},
	{checker.PhaseResponse, 0, []error{checker.ReasonMalformed, checker.CauseNotHTTP, checker.CauseHeadTooLarge, checker.CauseHTTP2}},
	{checker.PhaseJudge, http.StatusFound, []error{
		checker.ReasonRedirect, checker.CauseLoop, checker.CauseTooMany, checker.CauseBadLocation, checker.CauseWantsCookies,
	}},
	{checker.PhaseJudge, http.StatusServiceUnavailable, []error{checker.ReasonRejected, checker.CauseStatus}},
	{checker.PhaseJudge, http.StatusOK, []error{checker.CauseJudge}},
	{checker.PhaseJudge, http.StatusForbidden, []error{checker.ReasonChallenge}},
	{checker.PhaseTarget, 0, []error{checker.ReasonInvalid}},
	{checker.PhaseConnect, 0, []error{checker.ReasonBlocked}},
	{checker.PhaseDNS, 0, []error{
		checker.ReasonDNS, checker.CauseServFail, checker.CauseRefused, checker.CauseSilent, checker.CauseUnreachable,
		checker.CauseMalformed, checker.CauseSinkhole, checker.CauseUnsupportedSource,
	}},
	{checker.PhaseConnect, 0, []error{
		checker.ReasonLocal, checker.CauseDescriptors, checker.CausePorts, checker.CauseMemory, checker.CauseNoRoute,
		checker.CauseGateway, checker.CauseFirewall, checker.CauseNetwork,
	}},
	{checker.PhaseTLS, 0, []error{checker.CauseNoRoots, checker.CauseClock}},
	{checker.PhaseResponse, 0, []error{checker.CauseStarved}},
	{checker.PhaseWait, 0, []error{checker.CauseRateLimit, checker.ReasonCanceled}},
	{checker.PhaseJudge, http.StatusOK, []error{checker.ReasonInternal}},
}

// order has the phases that take time, in their order.
var order = []checker.Phase{checker.PhaseDNS, checker.PhaseConnect, checker.PhaseTLS, checker.PhaseResponse, checker.PhaseJudge}

// Results returns a Result that is Online, one for each Reason by itself, and one for each
// Cause, so that a test can hold a program to all that may happen:
//
//	for _, r := range checkertest.Results() {
//		if icon(r) == "" { … }
//	}
//
// They are those of [Result], for targets that say what is the matter, such as
// "https://expired.certificate.test/"; Index counts them from 0. A later version of
// package checker that has more of them returns more.
func Results() []checker.Result {
	var all []checker.Result
	for _, end := range ends {
		for _, why := range end.whys {
			r := checker.Result{Err: why}
			name := cmp.Or(string(r.Reason()), "online")
			if cause := r.Cause(); cause != "" {
				name = string(cause) + "." + name
			}
			all = append(all, Result("https://"+strings.ReplaceAll(name, "_", "-")+".test/", why))
		}
	}
	for i := range all {
		all[i].Index = i
	}
	return all
}

// Result returns what a check of a target finds that began just now and ended for why: a
// [checker.Reason], one of its Causes, or nil for a site that is Online.
//
// It is what a Checker's would be: a Phase, an error whose text is the package's own, the
// answer, the peer and the certificate, as far as such a check gets; so is what comes of it
// in JSON and logs. A lookup takes 5 ms, a connect 10, a handshake 20 and an answer 40, and
// what times out 10 s. It is that of one attempt, and its error wraps nothing. Change what a
// test wants otherwise: all of it is the caller's.
//
// Result panics if why is anything else, and if target names no site, which is all right
// with ReasonInvalid alone.
func Result(target string, why error) checker.Result {
	for _, end := range ends {
		if slices.Contains(end.whys, why) {
			return result(target, why, end.phase, end.code)
		}
	}
	panic(fmt.Sprintf("checkertest: %q is no reason for a check to end", why))
}

func result(text string, why error, phase checker.Phase, code int) checker.Result {
	r := checker.Result{Target: text, Err: why}
	e := &checker.Error{Phase: phase, Reason: r.Reason(), Cause: r.Cause()}
	if why != nil {
		r.Err = e
	} else {
		phase = checker.PhaseJudge // it went all the way
	}
	if phase == checker.PhaseTarget {
		return r
	}
	parsed, err := target.Parse(text)
	if err != nil {
		panic(fmt.Sprintf("checkertest: %v", err))
	}
	if phase == checker.PhaseWait {
		return r
	}
	u := parsed.URLs[len(parsed.URLs)-1] // of one without a scheme that of https
	secure := u.Scheme == "https"
	r.URL, r.Method, r.Attempts, r.Start = u.String(), http.MethodHead, 1, time.Now()
	e.URL = r.URL
	if code != 0 {
		r.StatusCode, r.Proto = code, "HTTP/1.1"
	}
	host, port := target.Host(u)
	r.Timing = timing(phase, secure, e.Reason)
	if past(phase, checker.PhaseConnect) {
		r.Addr = netip.AddrPortFrom(peer(host), port)
	}
	if e.Reason == checker.ReasonCertificate || secure && past(phase, checker.PhaseTLS) {
		r.TLS = session(host, e.Cause, r.Start)
	}
	return r
}

// past reports whether a check that ended in a phase had completed another.
func past(phase, other checker.Phase) bool {
	return slices.Index(order, phase) > slices.Index(order, other)
}

// peer returns the address that a host has.
func peer(host string) netip.Addr {
	ip, err := netip.ParseAddr(host)
	if err != nil {
		ip = firstAddr
	}
	return ip
}

// timing says where the time went of a check that ended in a phase.
func timing(phase checker.Phase, secure bool, reason checker.Reason) (t checker.Timing) {
	for _, step := range []struct {
		phase checker.Phase
		field *time.Duration
		takes time.Duration
	}{
		{checker.PhaseDNS, &t.DNS, 5 * time.Millisecond},
		{checker.PhaseConnect, &t.Connect, 10 * time.Millisecond},
		{checker.PhaseTLS, &t.TLS, 20 * time.Millisecond},
		{checker.PhaseResponse, &t.FirstByte, 40 * time.Millisecond},
	} {
		if step.phase == checker.PhaseTLS && !secure {
			continue
		}
		if t.Total += step.takes; !past(phase, step.phase) {
			break // it failed meanwhile
		}
		*step.field = step.takes
	}
	if reason == checker.ReasonTimeout {
		t.Total = 10 * time.Second // by default
	}
	return t
}

// session returns what a server showed of itself, with what is wrong of its certificate.
func session(host string, cause checker.Cause, now time.Time) *checker.TLS {
	const root, middle = "CN=test root", "CN=test intermediate"
	leaf := checker.Cert{Subject: "CN=" + host, Issuer: middle, NotBefore: now.AddDate(0, 0, -30), NotAfter: now.AddDate(0, 0, 60)}
	chain := []checker.Cert{leaf, {Subject: middle, Issuer: root, NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(5, 0, 0)}}
	names := []string{host}
	switch cause {
	case checker.CauseExpired:
		chain[0].NotAfter = now.AddDate(0, 0, -1)
	case checker.CauseNotYetValid:
		chain[0].NotBefore = now.AddDate(0, 0, 1)
	case checker.CauseWrongHost:
		names, chain[0].Subject = []string{elsewhere}, "CN="+elsewhere
	case checker.CauseSelfSigned:
		chain[0].Issuer, chain = leaf.Subject, chain[:1]
	case checker.CauseIncompleteChain:
		chain = chain[:1]
	}
	leaf = chain[0]
	return &checker.TLS{
		Version: tls.VersionName(tls.VersionTLS13), CipherSuite: tls.CipherSuiteName(tls.TLS_AES_128_GCM_SHA256),
		Subject: leaf.Subject, Issuer: leaf.Issuer, DNSNames: names, NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, Chain: chain,
	}
}

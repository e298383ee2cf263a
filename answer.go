package checker

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/target"
	"example.com/checker/internal/uplink"
	"example.com/checker/internal/wire"
)

// An answer is what one way to a site gave.
type answer struct {
	Result
	began    time.Time // when its exchange did
	trace    wire.Trace
	redirect *redirect // nil unless the answer is one, and they are followed
	paused   *url.URL  // whose origin asked for a pause; nil for none
	wantsTLS bool      // the answer may come from a port of TLS, to plain HTTP
}

// A redirect is what a visitor takes along from an answer that leads elsewhere.
type redirect struct {
	to      *url.URL // nil if that is no URL to go to, as the answer's Err says
	cookies []string // Set-Cookie fields
	date    string   // what time the server says it is
}

// newRedirect returns what the fields of an answer from u, which has such a status,
// say. Without a Location they lead nowhere, and it returns nil: the answer is one
// like any other, as browsers have it. Two that differ are refused, as by browsers,
// since somebody may have smuggled one in.
func newRedirect(u *url.URL, h http.Header) (r *redirect, err error) {
	all := h["Location"]
	if !slices.ContainsFunc(all, func(s string) bool { return strings.Trim(s, " \t") != "" }) {
		return nil, nil
	}
	r = &redirect{cookies: h["Set-Cookie"], date: h.Get("Date")}
	if slices.ContainsFunc(all, func(s string) bool { return s != all[0] }) {
		return r, hint{CauseBadLocation, "there is more than one Location, and they differ"}
	}
	r.to, err = target.Resolve(u, all[0])
	return r, err
}

// statusPlain is what nginx calls a request of plain HTTP to a port of TLS.
const statusPlain = 497

// wantsTLS reports whether an answer over plain HTTP may come from a port of TLS:
// such answers are a 400 most often, 426 (RFC 9110, section 15.5.22), a redirect
// to the same port by https, under whatever name, or any error of https's own port.
func wantsTLS(u *url.URL, resp *http.Response) bool {
	_, port := target.Host(u)
	switch {
	case u.Scheme != "http":
		return false
	case resp.StatusCode == http.StatusBadRequest, resp.StatusCode == http.StatusUpgradeRequired, resp.StatusCode == statusPlain:
		return true
	case port == 443 && resp.StatusCode >= 400:
		return true
	case u.Port() == "" || !isRedirect(resp.StatusCode):
		return false
	}
	r, err := newRedirect(u, resp.Header)
	if err != nil || r == nil || r.to.Scheme != "https" {
		return false
	}
	_, to := target.Host(r.to)
	return to == port
}

// hintPortal is of a 511, which no origin should send (RFC 6585, section 6): it is from
// who stands between this machine and all sites, until somebody logs in.
var hintPortal = hint{CauseNetwork, "this machine's network wants a login (511); open a page in a browser there, and check an https site as a canary"}

// isChallenge reports whether an answer says of itself that it is a challenge to bots,
// by a field that its sender documents: Cloudflare's, and that of Amazon's firewall.
// What a page looks like proves nothing.
func isChallenge(h http.Header) bool {
	marked := func(name string, marks ...string) bool {
		return slices.ContainsFunc(h.Values(name), func(v string) bool {
			return slices.Contains(marks, strings.ToLower(strings.Trim(v, " \t")))
		})
	}
	return marked("Cf-Mitigated", "challenge") || marked("X-Amzn-Waf-Action", "challenge", "captcha")
}

// up reports whether the answer is Online. Unlike Result's method it does not
// copy: stacks that hold copies of Results are most of what a check in flight
// costs.
func (a *answer) up() bool { return a.Err == nil && a.StatusCode != 0 }

// came returns when the answer came.
func (a *answer) came() time.Time { return a.trace.Sent.Add(a.trace.First) }

// signOf returns what an answer shows that came at a moment, of an exchange that began at
// another: the times in between do not tell how long this process did not get to run. A
// captive portal's own, 511, shows nothing (RFC 6585, section 6).
func signOf(r *Result, began, came time.Time) (s uplink.Sign, ok bool) {
	u, err := url.Parse(r.URL)
	if err != nil || !r.fromSite() {
		return s, false
	}
	return uplink.Sign{Host: hostOf(u), Proof: shown(u), From: began, To: came}, true
}

// shown returns what an answer from u shows.
func shown(u *url.URL) (p uplink.Proof) {
	if u.Scheme == "https" {
		p |= uplink.OverTLS
	}
	host, _ := target.Host(u)
	if _, err := netip.ParseAddr(host); err != nil {
		p |= uplink.ByName
	}
	return p
}

// spokeTLS reports whether the server showed that it speaks TLS, even if nothing
// came of it.
func (a *answer) spokeTLS() bool {
	if a.TLS != nil {
		return true
	}
	e := errorOf(a.Err)
	return e != nil && e.Phase == PhaseTLS && (e.Reason == ReasonTLS || e.Reason == ReasonCertificate) && !isNoTLS(e.Err)
}

// transient reports whether what failed may be well a moment later. Of what a judge
// refused, the judge knows, and the host if it asked for a pause.
func (a *answer) transient() bool {
	reason := reasonOf(a.Err)
	if reason == ReasonRejected {
		return a.paused != nil || isTemporary(a.Err)
	}
	return reasons[reason].transient
}

// furthest returns the failed answer that explains the failure: one that leaves
// open what the site would have said, if there is one, and otherwise the one
// that got furthest.
func furthest(a, b *answer) *answer {
	rank := func(a *answer) int {
		e := errorOf(a.Err)
		switch {
		case e == nil, e.Reason == ReasonBlocked: // which says nothing of the site
			return -1
		case e.Reason.Status() == Unknown:
			return len(phases)
		}
		return slices.Index(phases, e.Phase)
	}
	if cmp.Compare(rank(b), rank(a)) > 0 {
		return b
	}
	return a
}

// failure returns err as an *Error. If the context has ended, the context knows
// best why whatever failed has failed: the caller's end is no verdict on the
// site, a judge's error speaks of the timeout only if the time is over, and a
// connection's deadline may fire a moment before the context's.
func (e *engine) failure(ctx context.Context, phase Phase, u *url.URL, err error) *Error {
	if d, ok := ctx.Deadline(); ok && !time.Now().Before(d) {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		if !timedOut(ctx) {
			return newError(phase, ReasonCanceled, u.String(), context.Cause(ctx))
		}
		if phase == PhaseJudge && isTimeout(err) {
			return e.excused(ctx, newError(phase, ReasonTimeout, u.String(), err))
		}
	}
	made := classified(phase, u.String(), err)
	switch made.Reason {
	case ReasonTimeout:
		return e.excused(ctx, made)
	case ReasonCertificate:
		return e.trusted(u, made)
	}
	return made
}

// timedOut reports whether the time of the check is over that ctx is of. Its deadline tells
// that from the time of another check, whose judge wanted this one.
func timedOut(ctx context.Context) bool {
	end, ok := ctx.Deadline()
	return ok && !time.Now().Before(end) && context.Cause(ctx) == errTimeout
}

// excused returns a timeout, or what became of it where this process did not get to run.
func (e *engine) excused(ctx context.Context, made *Error) *Error {
	end, _ := ctx.Deadline()
	if !timedOut(ctx) {
		return made
	}
	if late, ok := errors.AsType[*dial.LateError](made.Err); ok && late.Took > e.conf.timeout/2 {
		return newError(made.Phase, ReasonLocal, made.URL, errors.Join(hintStarved(late.Took, e.conf.timeout), made.Err))
	}
	// It was this process's turn if what the site had sent was not read, or if the request,
	// which always fits into the buffer of a socket, was not written.
	turn, ok := errors.AsType[*dial.TurnError](made.Err)
	var idle time.Duration
	if ok {
		idle = turn.Idle
	}
	if lag := e.pulse.lag(end, e.conf.timeout, ok || made.Phase == PhaseRequest, idle); lag > 0 {
		return newError(made.Phase, ReasonLocal, made.URL, errors.Join(hintStarved(lag, e.conf.timeout), made.Err))
	}
	return made
}

// trusted returns the error of a certificate, or what became of it where this machine is
// the one that errs: it has no roots, or its clock is wrong. A clock in the caller's TLS
// configuration is the caller's.
func (e *engine) trusted(u *url.URL, made *Error) *Error {
	conf := e.tls
	var why hint
	switch pool, err := conf.RootCAs, error(nil); {
	case isUntrusted(made.Err) && pool == nil && e.roots.none():
		why = hintRoots
	case conf.Time == nil:
		if pool == nil {
			if pool, err = e.roots.load(); err != nil {
				return made
			}
		}
		why = e.dates.doubt(made.Err, hostOf(u), cmp.Or(conf.ServerName, hostOf(u)), pool)
	}
	if why == (hint{}) {
		return made
	}
	return newError(made.Phase, ReasonLocal, made.URL, errors.Join(why, made.Err))
}

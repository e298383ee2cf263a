package checker

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"net/url"
	"slices"
	"time"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/wire"
)

// An answer is what one way to a site gave.
type answer struct {
	Result
	trace  wire.Trace
	next   *url.URL // where the answer redirects to, if that is to be followed
	paused *url.URL // whose host asked to be left alone for a while; nil for none
}

// up reports whether the answer is Online. Unlike Result's method it does not
// copy: stacks that hold copies of Results are most of what a check in flight
// costs.
func (a *answer) up() bool { return a.Err == nil && a.StatusCode != 0 }

// furthest returns the failed answer that explains the failure: one that leaves
// open what the site would have said, if there is one, and otherwise the one
// that got furthest.
func furthest(a, b *answer) *answer {
	rank := func(a *answer) int {
		e, _ := errors.AsType[*Error](a.Err)
		switch {
		case e == nil, e.Reason == ReasonBlocked: // which says nothing of the site
			return -1
		case e.Reason == ReasonLocal, e.Reason == ReasonDNS, e.Reason == ReasonCanceled, e.Reason == ReasonInternal:
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
func (p *probe) failure(ctx context.Context, phase Phase, u *url.URL, err error) *Error {
	if d, ok := ctx.Deadline(); ok && !time.Now().Before(d) {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		cause := context.Cause(ctx)
		if cause != errTimeout {
			return &Error{Phase: phase, Reason: ReasonCanceled, URL: u.String(), Err: cause}
		}
		if phase == PhaseJudge && isTimeout(err) {
			return &Error{Phase: phase, Reason: ReasonTimeout, URL: u.String(), Err: err}
		}
	}
	if many, ok := errors.AsType[*dial.AttemptsError](err); ok {
		err = &dial.AttemptsError{Errs: ranked(phase, many.Errs)}
	}
	reason := classify(phase, err)
	if reason == ReasonCertificate && has[x509.UnknownAuthorityError](err) && p.tls.RootCAs == nil && p.roots.none() {
		reason, err = ReasonLocal, errors.Join(hintRoots, err)
	}
	return &Error{Phase: phase, Reason: reason, URL: u.String(), Err: err}
}

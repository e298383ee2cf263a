package checker

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"example.com/checker/internal/cookie"
)

// A walk is the way of one visitor, who comes for the first time, from a URL along
// its redirects.
type walk struct {
	probe    *probe
	start    *url.URL // whose origin gets the caller's header fields
	method   string   // GET, or HEAD with GET beside it
	freshDNS bool
}

// run asks the URL and, if the options say so, whatever it redirects to.
func (w walk) run(ctx context.Context) *answer {
	a := w.request(w.start).ask(ctx)
	switch {
	case a.redirect == nil:
		return a
	case w.method == http.MethodGet:
		return w.trail().follow(ctx, a)
	}
	return new(hedge).run(ctx, &headGetWalk{walk: w, began: a})
}

func (w walk) request(u *url.URL) *request {
	return &request{probe: w.probe, url: u, getOnly: w.method == http.MethodGet, sameOrigin: w.atHome(u), freshDNS: w.freshDNS}
}

// atHome reports whether u is of the origin that the caller named.
func (w walk) atHome(u *url.URL) bool { return u.Scheme == w.start.Scheme && u.Host == w.start.Host }

func (w walk) trail() *trail { return &trail{walk: w, at: w.start} }

// headGetWalk follows redirects that HEAD has met and, beside or after it, walks the
// same way with GET from the beginning: some servers send HEAD elsewhere, and a
// visitor comes with GET.
type headGetWalk struct {
	walk
	began  *answer // the first redirect
	byHEAD bool    // some redirect was an answer to HEAD; set by first
}

func (w *headGetWalk) first(ctx context.Context, h *hedge) *answer {
	t := w.trail()
	t.hedge = h
	a := t.follow(ctx, w.began)
	w.byHEAD = t.byHEAD
	return a
}

func (w *headGetWalk) second(ctx context.Context) *answer {
	return w.probe.withToken(ctx, w.start, func(ctx context.Context) *answer {
		return walk{probe: w.probe, start: w.start, method: http.MethodGet}.run(ctx)
	})
}

// wanted implements ways. A host that asked for a pause gets it, and where this side
// failed GET would fail as well.
func (w *headGetWalk) wanted(head *answer) bool {
	if head.Err == nil || head.paused != nil || !w.byHEAD {
		return false
	}
	switch reasonOf(head.Err) {
	case ReasonLocal, ReasonCanceled, ReasonInternal:
		return false
	}
	return true
}

func (*headGetWalk) settles(get *answer) bool { return get.up() }

// choose implements ways. GET decides, unless it was kept from coming to an end.
func (*headGetWalk) choose(head, get *answer) *answer {
	switch e := errorOf(get.Err); {
	case e != nil && e.Phase == PhaseWait:
		return head
	case e != nil && e.Reason == ReasonTimeout:
		return furthest(head, get)
	}
	return get
}

// A trail is a walk under way.
type trail struct {
	walk
	at      *url.URL // where the last answer came from
	hops    []Hop    // the redirects that were followed
	jar     *cookie.Jar
	setters int           // redirects that set a cookie
	hedge   *hedge        // GET from the beginning beside HEAD; nil for GET
	waited  time.Duration // for tokens
	looked  time.Duration // what the lookups took
	byHEAD  bool          // some redirect was an answer to HEAD
}

// follow follows the redirect that a is, and those that come after it.
func (t *trail) follow(ctx context.Context, a *answer) *answer {
	p := t.probe
	for {
		a.Hops = t.hops
		t.looked += a.Timing.DNS
		if a.redirect == nil {
			return p.excuseLookup(a, t.looked)
		}
		if a.Method == http.MethodHead {
			t.byHEAD = true
		}
		u := a.redirect.to
		if u == nil {
			return a // its error says why
		}
		t.keep(a)
		if why := t.deadEnd(a); why != (hint{}) {
			a.Err = newError(PhaseJudge, ReasonRedirect, a.URL, why)
			return a
		}
		t.at, t.hops = u, append(t.hops, Hop{URL: a.URL, StatusCode: a.StatusCode})
		begun := time.Now()
		if end, ok := ctx.Deadline(); ok && !begun.Before(end) {
			a.Err = p.engine.failure(ctx, PhaseResponse, u, errTimeout) // the site came too late
			return p.excuseLookup(a, t.looked)
		}
		if err := p.token(ctx, u); err != nil {
			none := p.noToken(ctx, u, err)
			none.Hops = t.hops
			return none
		}
		t.waited += time.Since(begun)
		a = p.excuse(t.ask(ctx, u), t.waited)
	}
}

// ask asks where a redirect leads. If that is silent for a part of the timeout and HEAD
// was led there, GET begins anew beside it: a visitor may not be led there at all. What
// tokens took is no silence.
func (t *trail) ask(ctx context.Context, u *url.URL) *answer {
	if t.byHEAD && !t.hedge.begun {
		t.hedge.arm(t.probe.conf.timeout / silentShare)
		defer t.hedge.disarm()
	}
	return t.next(u).ask(ctx)
}

// keep takes in the cookies of a redirect. Most walks have none and make no jar.
func (t *trail) keep(a *answer) {
	if len(a.redirect.cookies) == 0 {
		return
	}
	if t.jar == nil {
		t.jar = cookie.New(t.probe.conf.header.Get("Cookie"))
	}
	t.setters++
	t.jar.Take(t.at, a.redirect.cookies, a.redirect.date, t.atHome(t.at))
}

// next returns the request for where a redirect leads.
func (t *trail) next(u *url.URL) *request {
	r := t.request(u)
	if t.jar != nil {
		r.fields = t.probe.engine.fieldsWith(r.sameOrigin, t.jar.Field(u, r.sameOrigin))
	}
	return r
}

// deadEnd says why a redirect is not followed, if it is not. A loop is walked for
// as long as the number of redirects allows, since a site may answer the second
// time, or when its cookie comes back: of one that sets cookies it is known that it is
// a loop once it has led back to where it had led before. GET alone does so where there
// are no cookies: HEAD is not what decides.
func (t *trail) deadEnd(a *answer) hint {
	to := a.redirect.to.String()
	asked := func(u string) func(Hop) bool { return func(h Hop) bool { return h.URL == u } }
	loop := to == a.URL || slices.ContainsFunc(t.hops, asked(to))
	again := slices.ContainsFunc(t.hops, asked(a.URL))
	over := len(t.hops) == t.probe.conf.redirects
	switch {
	case loop && over && again && t.setters > len(t.hops):
		return hint{CauseWantsCookies, "the site wants cookies: they go round in a loop, each sets one, and it leads back to " + to}
	case loop && (over && (again || t.setters == 0) || t.setters == 0 && a.Method == http.MethodHead):
		return hint{CauseLoop, "they go round in a loop, back to " + to}
	case over:
		return hint{CauseTooMany, fmt.Sprintf("there are too many: more than %d, and the next one leads to %s", t.probe.conf.redirects, to)}
	}
	return hint{}
}

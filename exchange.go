package checker

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"example.com/checker/internal/hook"
	"example.com/checker/internal/wire"
)

const silentShare = 3 // GET begins beside a HEAD that was silent for 1/silentShare of the timeout

// A request asks one URL.
type request struct {
	probe      *probe
	url        *url.URL
	fields     *wire.Fields // with cookies; nil for those of the options
	getOnly    bool
	sameOrigin bool // as the target, whose header fields it gets
	freshDNS   bool // look the host up anew

	hedge hedge // GET beside HEAD; not used where GET alone is asked
}

// ask asks one URL, with HEAD unless it is to be GET only, and with GET where HEAD
// gave no usable answer: where it was cut off or garbled, was silent for a third of
// the timeout, or met an answer that a judge should see from GET.
func (r *request) ask(ctx context.Context) *answer {
	if r.getOnly {
		return r.exchange(ctx, http.MethodGet)
	}
	return r.hedge.run(ctx, headGet{r})
}

// headGet asks with HEAD and, beside or after it, with GET.
type headGet struct{ *request }

func (w headGet) first(ctx context.Context, _ *hedge) *answer {
	return w.exchange(ctx, http.MethodHead)
}

// second asks with GET. The host was looked up for HEAD just now.
func (w headGet) second(ctx context.Context) *answer {
	get := &request{probe: w.probe, url: w.url, fields: w.fields, getOnly: true, sameOrigin: w.sameOrigin}
	return w.probe.withToken(ctx, w.url, func(ctx context.Context) *answer { return get.exchange(ctx, http.MethodGet) })
}

// wanted implements ways.
func (w headGet) wanted(head *answer) bool {
	if head.Err == nil {
		return w.probe.conf.judge != nil && (head.StatusCode == http.StatusMethodNotAllowed || head.StatusCode == http.StatusNotImplemented)
	}
	e := errorOf(head.Err)
	switch {
	case head.paused != nil: // a host that asked for a pause is not asked again at once
		return false
	case e.Phase == PhaseTLS: // the server has not heard of a method yet
		return false
	}
	return reasons[e.Reason].tryGET
}

func (headGet) settles(get *answer) bool { return get.up() }

// choose implements ways. Where HEAD was answered, GET decides, but not by silence where
// HEAD was answered by somebody else than the site.
func (headGet) choose(head, get *answer) *answer {
	if e := errorOf(head.Err); e != nil && e.Reason == ReasonTimeout && e.Phase == PhaseResponse && noRoute(get.Err) {
		return head // it had found its way to the site, whose silence came before the way was lost
	}
	if head.StatusCode == 0 || get.StatusCode == 0 && reasonOf(head.Err).Status() == Unknown && head.Err != nil {
		return furthest(head, get)
	}
	return get
}

// Sent implements [wire.Watcher]: GET begins if HEAD is not answered within a part of
// the timeout from now, even while the server is asked again over HTTP/2.
func (r *request) Sent() {
	if r.hedge.start != nil {
		r.hedge.arm(r.probe.conf.timeout / silentShare)
	}
}

// Again implements [wire.Watcher]: each request takes a token.
func (r *request) Again(ctx context.Context) error { return r.probe.token(ctx, r.url) }

// exchange makes one request and judges the answer.
func (r *request) exchange(ctx context.Context, method string) *answer {
	p, u := r.probe, r.url
	a := &answer{Result: Result{URL: u.String(), Method: method}, began: time.Now()}
	tr := &a.trace
	tr.FreshDNS, tr.Watcher = r.freshDNS, r
	resp, err := r.roundTrip(ctx, method, tr)
	r.hedge.disarm() // what a judge takes is no silence
	a.Addr, a.TLS = tr.Peer, newTLS(tr.State)
	a.Timing = Timing{DNS: tr.Times.DNS, Connect: tr.Times.Connect, TLS: tr.TLS, FirstByte: tr.First}
	if err != nil {
		a.Err = p.engine.failure(ctx, phaseOf(tr.Stage, err), u, err)
		return p.excuseLookup(a, a.Timing.DNS)
	}
	defer func() {
		if err := finish(resp); err != nil {
			a.Err, a.redirect = p.engine.failure(ctx, PhaseResponse, u, err), nil
		}
	}()
	a.StatusCode, a.Proto = resp.StatusCode, resp.Proto
	if p.engine.dates.wants() {
		p.engine.dates.note(hostOf(u), a.Addr.Addr(), resp.Header)
	}
	if r.pause(resp, tr.Sent) {
		a.paused = u
	}
	a.wantsTLS = wantsTLS(u, resp)
	if a.TLS == nil {
		a.TLS = newTLS(resp.TLS)
	}
	if p.conf.redirects > 0 && isRedirect(resp.StatusCode) {
		if a.redirect, err = newRedirect(u, resp.Header); err != nil {
			a.Err = newError(PhaseJudge, ReasonRedirect, a.URL, err)
		}
		if a.redirect != nil {
			return a
		}
	}
	switch {
	case resp.StatusCode == http.StatusNetworkAuthenticationRequired:
		a.Err = newError(PhaseResponse, ReasonLocal, a.URL, hintPortal)
	case p.conf.judge != nil && isChallenge(resp.Header):
		a.Err = newError(PhaseJudge, ReasonChallenge, a.URL, nil)
	default:
		if err := judge(p.conf.judge, resp); err != nil {
			a.Err = p.engine.failure(ctx, PhaseJudge, u, err)
		}
	}
	return a
}

// roundTrip makes the exchange. A panic in it is a caller's: of a transport, or
// of a function in a TLS configuration.
func (r *request) roundTrip(ctx context.Context, method string, tr *wire.Trace) (resp *http.Response, err error) {
	defer hook.Recovered(&err)
	p := r.probe
	req := wire.Request{Method: method, URL: r.url, Fields: p.engine.plain}
	if r.sameOrigin {
		req.Host, req.Fields = p.conf.host, p.engine.fields
	}
	if r.fields != nil {
		req.Fields = r.fields
	}
	resp, err = p.wire.Exchange(ctx, req, tr)
	if err == nil && p.conf.judge != nil && resp.Request == nil {
		resp.Request = req.HTTP(ctx)
	}
	return resp, err
}

// finish closes the body. Only a panic of a caller's counts: there is an answer,
// however badly the connection ends.
func finish(resp *http.Response) (err error) {
	defer hook.Recovered(&err)
	err = hook.Checked(resp.Body.Close())
	if !has[*hook.PanicError](err) {
		err = nil
	}
	return err
}

// judge asks the caller's judge, if there is one.
func judge(f func(*http.Response) error, resp *http.Response) (err error) {
	if f == nil {
		return nil
	}
	defer hook.Recovered(&err)
	return hook.Checked(f(resp))
}

// phaseOf says in which phase an exchange failed.
func phaseOf(stage wire.Stage, err error) Phase {
	switch {
	case errors.Is(err, hintToken):
		return PhaseWait
	case stage == wire.Untold:
		return guessPhase(err)
	}
	return [...]Phase{
		wire.Lookup:  PhaseDNS,
		wire.Connect: PhaseConnect,
		wire.TLS:     PhaseTLS,
		wire.Send:    PhaseRequest,
		wire.Receive: PhaseResponse,
	}[stage]
}

// pause notes that the origin asked for a pause, if it did: no further check of it
// starts for as long as it says, or as the options allow if that is less. It reports
// whether there is a pause.
func (r *request) pause(resp *http.Response, sent time.Time) bool {
	e := r.probe.engine
	d := min(retryAfter(resp), e.conf.retryAfter)
	if d <= 0 {
		return false
	}
	if key, err := e.key(r.url); err == nil {
		e.pacer.Pause(key, originOf(r.url), sent, d, resp.StatusCode)
	}
	return true
}

// retryAfter returns for how long an answer asks not to be asked again: 0
// unless its status says so too (RFC 9110, section 15.6.4; RFC 6585, section 4)
// and its Retry-After is a number of seconds or a date to come (RFC 9110,
// section 10.2.3).
func retryAfter(resp *http.Response) time.Duration {
	if !isPause(resp.StatusCode) {
		return 0
	}
	const most = 1 << 32 // seconds, which no timeout has
	text := resp.Header.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return time.Duration(min(n, most)) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	// The server's clock made the date, so if it tells its time, that counts.
	now := time.Now()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		now = date
	}
	return min(max(0, at.Sub(now)), most*time.Second)
}

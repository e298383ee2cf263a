package checker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/hook"
	"example.com/checker/internal/target"
	"example.com/checker/internal/wire"
)

const silentShare = 3 // HEAD may be silent for this part of the timeout

// probe returns what one call checks with: the caller's transport, or one of
// our own that asks l for addresses.
func (c *Checker) probe(l *dial.Lookups) *probe {
	if c.transport != nil {
		return &probe{c, nil}
	}
	t := &wire.Transport{
		Dialer: dial.Dialer{Lookups: l, Policy: c.policy, DialContext: c.dial},
		Config: c.tls,
		Roots:  c.roots.load,
	}
	if c.judge == nil { // who might look at all
		t.Keep = lookedAt
	}
	return &probe{c, t}
}

// lookedAt returns the fields that a check looks at by itself in an answer.
func lookedAt(code int) []string {
	switch {
	case isRedirect(code):
		return []string{"Location"}
	case isPause(code):
		return []string{"Date", "Retry-After"}
	}
	return nil
}

// ask asks one URL, with HEAD unless the options say GET, and with GET where
// HEAD does not do: where it was cut off or garbled, was silent for a third of
// the timeout, or met an answer that a judge should see from GET.
func (p *probe) ask(ctx context.Context, u *url.URL, home, fresh bool) *answer {
	if p.method == http.MethodGet {
		return p.exchange(ctx, http.MethodGet, u, home, fresh, nil)
	}
	r := &race{second: func(ctx context.Context) *answer {
		return p.further(ctx, u, func() *answer { return p.exchange(ctx, http.MethodGet, u, home, false, nil) })
	}}
	defer r.end()
	a := p.exchange(ctx, http.MethodHead, u, home, fresh, r)
	return r.settle(ctx, a, p.wantsGet(a), afterGet)
}

// wantsGet reports whether GET is to be asked after HEAD.
func (p *probe) wantsGet(a *answer) bool {
	if a.Err == nil {
		return p.judge != nil && (a.StatusCode == http.StatusMethodNotAllowed || a.StatusCode == http.StatusNotImplemented)
	}
	return reasons[reasonOf(a.Err)].tryGET && a.paused == nil // else GET is asked too much as well
}

// afterGet chooses between a HEAD and a GET of which neither settles it. Where
// HEAD was answered, GET decides.
func afterGet(head, get *answer) *answer {
	if head.StatusCode != 0 {
		return get
	}
	return furthest(head, get)
}

// exchange makes one request and judges the answer. home says that u is at the
// target's origin. Once the request is under way, GET may begin beside it if r
// is not nil.
func (p *probe) exchange(ctx context.Context, method string, u *url.URL, home, fresh bool, r *race) *answer {
	a := &answer{Result: Result{URL: u.String(), Method: method}}
	tr := &a.trace
	tr.Fresh = fresh
	switch delay := p.timeout / silentShare; {
	case r == nil:
	case p.transport != nil: // it would not tell us
		within, cancel := context.WithCancel(ctx)
		defer cancel()
		r.arm(ctx, delay, interrupt(cancel))
		ctx = within
	default:
		tr.Patience, tr.Slow = delay, func(in wire.Interrupter) { r.begin(ctx, in) }
	}
	resp, err := p.roundTrip(ctx, method, u, home, tr)
	if r != nil {
		r.disarm() // what a judge takes is no silence
	}
	a.Addr, a.TLS = tr.Peer, newTLS(tr.State)
	a.Timing = Timing{DNS: tr.Times.DNS, Connect: tr.Times.Connect, TLS: tr.TLS, FirstByte: tr.First}
	if err != nil {
		a.Err = p.failure(ctx, p.phase(tr, err), u, err)
		return a
	}
	defer func() {
		if err := finish(resp); err != nil {
			a.Err, a.next = p.failure(ctx, PhaseResponse, u, err), nil
		}
	}()
	a.StatusCode, a.Proto = resp.StatusCode, resp.Proto
	if p.pause(u, resp, tr.Sent) {
		a.paused = u
	}
	if a.TLS == nil {
		a.TLS = newTLS(resp.TLS)
	}
	if p.redirects > 0 && isRedirect(resp.StatusCode) {
		if a.next, err = location(u, resp.Header); err != nil {
			a.Err = newError(PhaseJudge, ReasonRedirect, a.URL, err)
		}
		return a
	}
	if err := p.verdict(resp); err != nil {
		a.Err = p.failure(ctx, PhaseJudge, u, err)
	}
	return a
}

// roundTrip makes the exchange. A panic in it is a caller's: of a transport, or
// of a function in a TLS configuration.
func (p *probe) roundTrip(ctx context.Context, method string, u *url.URL, home bool, tr *wire.Trace) (resp *http.Response, err error) {
	defer hook.Recovered(&err)
	req := wire.Request{Method: method, URL: u, Fields: p.foreign}
	if home {
		req.Host, req.Fields = p.host, p.own
	}
	if p.transport != nil {
		tr.Sent = time.Now()
		if resp, err = p.transport.RoundTrip(req.HTTP(ctx)); err != nil {
			return nil, err
		}
		tr.First = time.Since(tr.Sent)
		return resp, p.checkForeign(resp)
	}
	if resp, err = p.wired(ctx, &req, tr); err == nil && p.judge != nil {
		resp.Request = req.HTTP(ctx)
	}
	return resp, err
}

// wired makes the exchange with the package's own transport, again over HTTP/2 if
// the server speaks nothing else.
func (p *probe) wired(ctx context.Context, req *wire.Request, tr *wire.Trace) (*http.Response, error) {
	resp, err := p.wire.Exchange(ctx, req, tr)
	if !has[*wire.HTTP2Error](err) {
		return resp, err
	}
	before := *tr
	resp, err2 := p.wired2(ctx, req, tr)
	if errors.Is(err2, wire.ErrNoHTTP2) {
		*tr = before
		return nil, err
	}
	return resp, err2
}

// wired2 makes the exchange over HTTP/2.
func (p *probe) wired2(ctx context.Context, req *wire.Request, tr *wire.Trace) (resp *http.Response, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer func() {
		if err != nil {
			cancel()
		} // else the body still has use for ctx
	}()
	if tr.Late() { // so GET is under way, and may be first before there is a connection again
		tr.Slow(interrupt(cancel))
	}
	if err := p.token(ctx, req.URL); err != nil {
		return nil, err
	}
	return p.wire.Exchange2(ctx, req, tr)
}

// checkForeign checks what a caller's transport returned, and bounds the body
// that a judge may read.
func (p *probe) checkForeign(resp *http.Response) error {
	if resp == nil || resp.Body == nil {
		return errors.New("the transport returned neither a response nor an error")
	}
	if code := resp.StatusCode; code < 200 && code != http.StatusSwitchingProtocols || code > 999 {
		resp.Body.Close()
		return fmt.Errorf("the transport returned the status %d", code)
	}
	if p.judge != nil {
		body := resp.Body
		resp.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(body, wire.MaxBody), body}
	}
	return nil
}

// finish closes the body. Only a panic of a caller's counts: there is an answer,
// however badly the connection ends.
func finish(resp *http.Response) (err error) {
	defer hook.Recovered(&err)
	_ = resp.Body.Close()
	return nil
}

// verdict asks the judge.
func (p *probe) verdict(resp *http.Response) (err error) {
	if p.judge == nil {
		return nil
	}
	defer hook.Recovered(&err)
	return p.judge(resp)
}

// phase says in which phase an exchange failed.
func (p *probe) phase(tr *wire.Trace, err error) Phase {
	switch {
	case errors.Is(err, hintTurn):
		return PhaseWait
	case p.transport != nil:
		return guessPhase(err)
	case isTLS(err): // with TLS 1.3 an alert may come later than the handshake
		return PhaseTLS
	}
	return [...]Phase{
		wire.Lookup:  PhaseDNS,
		wire.Connect: PhaseConnect,
		wire.TLS:     PhaseTLS,
		wire.Send:    PhaseRequest,
		wire.Receive: PhaseResponse,
	}[tr.Stage]
}

func isRedirect(code int) bool {
	switch code {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// location returns where a redirect from u leads.
func location(u *url.URL, h http.Header) (*url.URL, error) {
	all := slices.Compact(slices.Sorted(slices.Values(h["Location"])))
	switch {
	case len(all) == 0 || all[0] == "":
		return nil, errors.New("there is no Location")
	case len(all) > 1:
		return nil, errors.New("there is more than one Location")
	}
	return target.Resolve(u, all[0])
}

// pause heeds a host that is asked too much: no further check of it starts for
// as long as it says, or for the timeout if that is less. It reports whether
// the host asked for a pause.
func (p *probe) pause(u *url.URL, resp *http.Response, sent time.Time) bool {
	d := retryAfter(resp)
	if d <= 0 {
		return false
	}
	key, err := p.key(u)
	if err == nil {
		p.pacer.Pause(key, sent, min(d, p.timeout))
	}
	return true
}

func isPause(code int) bool {
	return code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable
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

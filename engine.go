package checker

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/hook"
	"example.com/checker/internal/pace"
	"example.com/checker/internal/target"
	"example.com/checker/internal/wire"
)

// An engine is what the calls on a Checker share. Nothing in it changes but what
// the parts themselves keep, each of which is safe for concurrent use.
type engine struct {
	conf    *config
	tls     *tls.Config // the base of every connection's
	pacer   *pace.Pacer[*task]
	free    bool          // further requests take no tokens
	names   dial.Names    // keeps nothing between calls
	lookups *dial.Lookups // shares what is under way between calls of Check
	fields  *wire.Fields  // header fields for the origin of a target
	plain   *wire.Fields  // header fields for all other origins
	roots   *roots
	pulse   *pulse
	dates   *calendar
	keep    func(code int) []string // as wire.Transport has it: lookedAt; nil where a judge may look at any field
}

func newEngine(conf *config) *engine {
	names := conf.names()
	e := &engine{
		conf:    conf,
		tls:     conf.tlsConfig(),
		pacer:   pace.New[*task](conf.limits),
		names:   names,
		lookups: dial.NewLookups(names, 0),
		fields:  wire.NewFields(conf.header),
		plain:   wire.NewFields(defaults().header),
		roots:   new(roots),
		pulse:   new(pulse),
		dates:   &calendar{began: time.Now()},
	}
	if conf.judge == nil {
		e.keep = e.lookedAt
	}
	return e
}

// with returns the engine of a Checker that shares with e's what With says, and what is
// known of this machine.
func (e *engine) with(conf *config) *engine {
	own := newEngine(conf)
	own.pacer, own.roots, own.pulse, own.dates = e.pacer, e.roots, e.pulse, e.dates
	return own
}

// lookedAt returns the fields that a check looks at by itself in an answer.
func (e *engine) lookedAt(code int) (names []string) {
	switch {
	case isRedirect(code):
		names = []string{"Date", "Location", "Set-Cookie"}
	case isPause(code):
		names = []string{"Date", "Retry-After"}
	}
	if e.dates.wants() {
		names = append(names, "Date", "Age")
	}
	return names
}

// isRedirect reports whether a status is one that browsers follow (Fetch standard,
// "redirect status").
func isRedirect(code int) bool {
	switch code {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

func isPause(code int) bool {
	return code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable
}

// fieldsWith returns the header fields of a request with cookies, to the origin of a
// target or to another.
func (e *engine) fieldsWith(sameOrigin bool, cookies string) *wire.Fields {
	header := defaults().header
	if sameOrigin {
		header = e.conf.header.Clone()
	}
	if header.Del("Cookie"); cookies != "" {
		header.Set("Cookie", cookies)
	}
	return wire.NewFields(header)
}

// A probe checks targets for one call. It is shared by that call's workers.
type probe struct {
	engine *engine
	conf   *config // the engine's
	wire   wire.Exchanger
}

// A task is one target on its way to its Result.
type task struct {
	index  int
	target string
	urls   []*url.URL // the candidates
	err    *Error     // why there are none
	key    string     // what the host limits count it under; "" without candidates

	asked    time.Time
	began    time.Duration         // from asked until the exchange began that decided
	came     time.Duration         // and until its answer came, if one did
	shortage *pace.Shortage[*task] // nil unless this machine was short of something for it
}

// newTask reads a target.
func (e *engine) newTask(index int, text string) *task {
	t := &task{index: index, target: text, asked: time.Now()}
	parsed, err := target.Parse(text)
	if err != nil {
		t.err = newError(PhaseTarget, ReasonInvalid, "", err)
		return t
	}
	t.urls = parsed.URLs
	if t.key, err = e.key(t.urls[0]); err != nil {
		t.err = newError(PhaseTarget, ReasonInternal, t.urls[0].String(), err)
	}
	return t
}

// key returns what the host limits count u under. The hook gets a copy.
func (e *engine) key(u *url.URL) (key string, err error) {
	if e.conf.hostKey != nil {
		defer hook.Recovered(&err)
		copied := *u
		if key = e.conf.hostKey(&copied); key != "" {
			return key, nil
		}
	}
	return hostOf(u), nil
}

// Host implements [pace.Item].
func (t *task) Host() string { return t.key }

// Origins implements [pace.Item].
func (t *task) Origins() (all [2]pace.Origin) {
	for i, u := range t.urls {
		all[i] = originOf(u)
	}
	return all
}

func originOf(u *url.URL) pace.Origin { return pace.Origin{Scheme: u.Scheme, Host: u.Host} }

// short returns the shortage of t, which this machine was just short of something for. From
// the first one on t is tried again for as long as the timeout, and then until others have
// ended in vain.
func (t *task) short(timeout time.Duration) *pace.Shortage[*task] {
	if t.shortage == nil {
		t.shortage = &pace.Shortage[*task]{Until: time.Now().Add(timeout)}
	}
	return t.shortage
}

// unstarted returns the Result of a task that got no turn.
func (e *engine) unstarted(t *task, cause error) Result {
	return Result{
		Index:  t.index,
		Target: t.target,
		Err:    errUnstarted(e.whyWaited(t, cause)),
		Timing: Timing{Wait: time.Since(t.asked)},
	}
}

// errUnstarted returns the error of a check that got no turn because of cause.
func errUnstarted(cause error) *Error { return newError(PhaseWait, ReasonCanceled, "", cause) }

// whyWaited joins to an error that ended a wait what the task was waiting for, if an
// origin of its asked for that.
func (e *engine) whyWaited(t *task, err error) error {
	origins := t.Origins()
	p := e.pacer.Paused(origins[:]...)
	if p == (pace.Pause{}) {
		return err
	}
	until := p.Until.Add(time.Second - 1).Truncate(time.Second).UTC() // no earlier
	return errors.Join(hint{text: fmt.Sprintf("the host asked to be left alone until %s; its last answer was %d",
		until.Format("2006-01-02 15:04:05 UTC"), p.Status)}, err)
}

// exited returns the Result of a task whose goroutine a hook has ended in a phase.
func (t *task) exited(phase Phase) *Result {
	return &Result{Index: t.index, Target: t.target, Err: errExited(phase)}
}

// errExited returns the error of a check whose goroutine a hook has ended.
func errExited(phase Phase) *Error {
	return newError(phase, ReasonInternal, "", hook.Exited("a hook"))
}

// errTimeout is the cause of a check's own end, to tell it from the caller's.
var errTimeout = wire.ErrTimeout

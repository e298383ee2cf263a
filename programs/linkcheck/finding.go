package main

import (
	"errors"
	"net/http"
	"slices"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

// A state is what is known of a link.
type state string

const (
	good      state = "ok"
	moved     state = "moved"     // for good, to a new place
	misplaced state = "fragment"  // the page is there, and has no place of that name
	doubtful  state = "doubtful"  // an answer that is not wanted, and says nothing for certain about the page
	unknown   state = "unknown"   // no verdict, as where a site challenges bots
	dead      state = "dead"      // for certain
	known     state = "known"     // dead, and in the baseline
	skipped   state = "skipped"   // left out
	unchecked state = "unchecked" // not asked for before the end
)

// A finding is a link and what is known of it.
type finding struct {
	link
	State  state
	Text   string          // what is wrong
	Moved  string          // where it has moved for good
	Result *checker.Result // nil for what was not checked
}

// findings returns one for each link, in the order of the files.
func (r *linkRun) findings() []finding {
	all := make([]finding, len(r.links))
	for i, l := range r.links {
		all[i] = r.finding(l)
	}
	return all
}

func (r *linkRun) finding(l link) finding {
	f := finding{link: l}
	target, fragment := l.target()
	result, ok := r.results[target]
	switch {
	case r.skipped(l):
		f.State = skipped
		return f
	case !ok:
		f.State = unchecked
		return f
	}
	f.Result, f.Text = &result, why(result)
	if f.Moved = cli.Moved(result); f.Moved != "" && fragment != "" {
		f.Moved += "#" + fragment
	}
	switch {
	case result.Status() == checker.Unknown:
		f.State = unknown
	case result.Status() == checker.Offline && isDoubtful(result):
		f.State = doubtful
	case result.Status() == checker.Offline && r.known.has(f):
		f.State = known
	case result.Status() == checker.Offline:
		f.State = dead
	case r.pages.missing(result, fragment):
		f.State, f.Text = misplaced, "the page has no place #"+fragment
	case f.Moved != "":
		f.State, f.Text = moved, "moved for good to "+checker.Redact(f.Moved)
	default:
		f.State = good
	}
	return f
}

// why returns what is wrong with a link, as its reason and a sentence.
func why(r checker.Result) string {
	if e, ok := errors.AsType[*checker.Error](r.Err); ok {
		return string(r.Reason()) + ": " + e.Message()
	}
	return ""
}

// whoAsks are the statuses of answers that are about who asks, and how often: behind them
// may well be a page. 999 is what LinkedIn says to programs.
var whoAsks = []int{
	http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusProxyAuthRequired,
	http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusUnavailableForLegalReasons, 999,
}

// isDoubtful reports whether an answer that is not wanted says nothing for certain about
// the page. Those that begin with 5 are about the server and may pass, Cloudflare's 520 to
// 530 too, but for those with which a server says what it never does.
func isDoubtful(r checker.Result) bool {
	code := r.StatusCode
	mayPass := code/100 == 5 && code != http.StatusNotImplemented && code != http.StatusHTTPVersionNotSupported
	return r.Reason() == checker.ReasonRejected && (mayPass || slices.Contains(whoAsks, code))
}

// count returns how many links are in each state.
func count(findings []finding) map[state]int {
	n := make(map[state]int)
	for _, f := range findings {
		n[f.State]++
	}
	return n
}

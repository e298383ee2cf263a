package main

import (
	"net/http"
	"sync"
	"time"

	"example.com/checker"
)

// A finding is what is told of a site. The zero finding is that of one that has not been
// checked.
type finding struct {
	checker.Result
	answer
}

// An answer is what a Result does not have of one.
type answer struct {
	length   int64     // of its body, as it says; -1 if it does not
	modified time.Time // zero if it does not say when
}

// answers judge answers, and keep the newest of each URL until a Result of it is there.
// They may be used concurrently.
type answers struct {
	accept func(*http.Response) error

	mu            sync.Mutex
	recent, older map[string]answer // by URL
}

// keep is how many answers are recent, at the least. Some come from URLs that are another
// for each visitor, or from the slower of http and https: nobody asks for them.
const keep = 10_000

func newAnswers(accept func(*http.Response) error) *answers {
	return &answers{accept: accept, recent: make(map[string]answer)}
}

func (a *answers) judge(resp *http.Response) error {
	modified, _ := http.ParseTime(resp.Header.Get("Last-Modified"))
	a.mu.Lock()
	if len(a.recent) >= keep {
		a.recent, a.older = make(map[string]answer), a.recent
	}
	a.recent[resp.Request.URL.String()] = answer{resp.ContentLength, modified}
	a.mu.Unlock()
	return a.accept(resp)
}

// finding returns a Result with its answer, if that was judged.
func (a *answers) finding(r checker.Result) finding {
	f := finding{Result: r}
	if r.StatusCode == 0 {
		return f
	}
	f.length = -1
	if !r.Online() && r.Reason() != checker.ReasonRejected {
		return f
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, known := range []map[string]answer{a.older, a.recent} {
		if found, ok := known[r.URL]; ok {
			f.answer = found
		}
	}
	return f
}

package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tmaxmax/go-sse"
)

const (
	breath = 250 * time.Millisecond // between two looks at the board: what falls meanwhile goes together
	pulse  = 10 * time.Second       // at least one look, or the page thinks that we are gone
	again  = 2 * time.Second        // after which a page that lost us asks again
	limit  = 10 * time.Second       // for what is sent after one look
)

// events streams to one page what changes: after each look at the board the
// HTML of the rows that are new since the one before, and of the summary.
//
// It asks the board rather than being told by it: a reader that is slow gets
// the newest state later, and neither holds up the others nor grows a queue.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	session, err := sse.Upgrade(w, r)
	if err != nil {
		http.Error(w, "this connection cannot stream", http.StatusInternalServerError)
		return
	}
	hello := &sse.Message{Type: sse.Type("hello"), Retry: again}
	hello.AppendData(s.build)
	if session.Send(hello) != nil {
		return
	}
	since := s.resume(cmp.Or(session.LastEventID.String(), r.FormValue("since")))
	control := http.NewResponseController(w)
	for {
		_ = control.SetWriteDeadline(time.Now().Add(limit)) // fails only where there is no network, in tests
		l := s.board.look(since, time.Now())
		if s.send(session, l) != nil {
			return
		}
		since = l.version
		if !waitFor(r.Context(), nil, breath) || !waitFor(r.Context(), l.news, pulse) {
			return
		}
	}
}

// send writes rows and summary as an event each, since HTML with both could not
// be parsed by itself. The ID is that of the last one: a page that is cut off
// between them asks for both again.
func (s *server) send(session *sse.Session, l look) error {
	if len(l.rows) > 0 {
		if err := sendHTML(session, &sse.Message{}, "rows", l.rows); err != nil {
			return err
		}
	}
	id := sse.ID(eventID(s.boot, l.version))
	if err := sendHTML(session, &sse.Message{ID: id}, "summary", l.summary); err != nil {
		return err
	}
	return session.Flush()
}

func sendHTML(session *sse.Session, msg *sse.Message, name string, data any) error {
	var html strings.Builder
	if err := pages.ExecuteTemplate(&html, name, data); err != nil {
		return err
	}
	msg.AppendData(html.String())
	return session.Send(msg)
}

// waitFor waits for news, but no longer than d, and reports whether it ended before
// ctx did.
func waitFor(ctx context.Context, news <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-news:
	case <-timer.C:
	}
	return true
}

func eventID(boot string, version uint64) string { return fmt.Sprintf("%s.%d", boot, version) }

// resume returns the version that a page has seen last, 0 if it was not of this
// run: then it gets all rows.
func (s *server) resume(id string) uint64 {
	boot, version, _ := strings.Cut(id, ".")
	n, err := strconv.ParseUint(version, 10, 64)
	if err != nil || boot != s.boot {
		return 0
	}
	return n
}

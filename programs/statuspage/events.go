package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
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
// HTML of the rows that are new since the one before, and of the summary; or, to the
// page of a site, of all that it shows.
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
	v := viewer{session: session, site: r.FormValue("site")}
	since := s.resume(cmp.Or(session.LastEventID.String(), r.FormValue("since")))
	control := http.NewResponseController(w)
	for {
		_ = control.SetWriteDeadline(time.Now().Add(limit)) // fails only where there is no network, in tests
		l := s.board.look(since, time.Now())
		if s.tell(&v, l) != nil {
			return
		}
		since = l.version
		if !waitFor(r.Context(), nil, breath) || !waitFor(r.Context(), l.news, pulse-time.Since(v.told)) {
			return
		}
	}
}

// A viewer is a page that is told what changes.
type viewer struct {
	session *sse.Session
	site    string // the key of the one that it shows; "" for all
	summary string // as it was told last
	told    time.Time
}

// tell sends to a page what it does not have of a look, as an event for each part of
// it, since HTML with all of them could not be parsed by itself. The ID is that of the
// last one: a page that is cut off between them asks for all of them again. If there is
// nothing for long, that last one is sent alone, for a sign.
func (s *server) tell(v *viewer, l look) error {
	parts, err := v.parts(s.board, l)
	if err != nil || len(parts) == 0 && time.Since(v.told) < pulse {
		return err
	}
	ended, err := render("ended", l.summary)
	if err != nil {
		return err
	}
	for _, html := range parts {
		if err := send(v.session, &sse.Message{}, html); err != nil {
			return err
		}
	}
	v.told = time.Now()
	if err := send(v.session, &sse.Message{ID: sse.ID(eventID(s.boot, l.version))}, ended); err != nil {
		return err
	}
	return v.session.Flush()
}

// parts returns the HTML of what is new to a page.
func (v *viewer) parts(b *board, l look) (parts []string, err error) {
	if v.site != "" {
		if !slices.ContainsFunc(l.rows, func(r row) bool { return r.Key == v.site }) {
			return nil, nil
		}
		d, _ := b.detail(v.site, time.Now())
		html, err := render("detail", d)
		return []string{html}, err
	}
	if len(l.rows) > 0 {
		html, err := render("rows", l.rows)
		if err != nil {
			return nil, err
		}
		parts = append(parts, html)
	}
	html, err := render("summary", l.summary)
	if html != v.summary {
		parts, v.summary = append(parts, html), html
	}
	return parts, err
}

func render(name string, data any) (string, error) {
	var html strings.Builder
	err := pages.ExecuteTemplate(&html, name, data)
	return html.String(), err
}

func send(session *sse.Session, msg *sse.Message, html string) error {
	msg.AppendData(html)
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

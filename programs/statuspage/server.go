package main

import (
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"time"
)

//go:embed assets
var assets embed.FS

var pages = template.Must(template.ParseFS(assets, "assets/*.html"))

// policy lets the page load its own files and nothing else: no inline script or
// style is run, wherever it came from.
const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"

// A server shows a board. It is safe for concurrent use.
type server struct {
	http.Handler
	board *board
	title string
	every time.Duration
	late  time.Duration // without a verdict for so long, something is wrong
	build string        // tells pages that are open whether they are still good
	boot  string        // tells event IDs of this run from those of another
	began time.Time
}

func newServer(o options, b *board) *server {
	s := &server{
		board: b,
		title: o.title,
		every: o.every,
		late:  2*o.every + o.checks.Timeout,
		build: fingerprint(o, b),
		boot:  rand.Text()[:8],
		began: time.Now(),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /sites/{key}", s.site)
	mux.HandleFunc("GET /sites/{key}/badge.svg", s.badge)
	mux.HandleFunc("GET /badge.svg", s.badge)
	mux.HandleFunc("GET /feed.atom", s.feed)
	mux.HandleFunc("GET /events", s.events)
	mux.HandleFunc("GET /api/status.json", s.api)
	mux.HandleFunc("GET /healthz", s.healthz)
	files := http.FileServerFS(assets)
	for _, name := range []string{"style.css", "page.js", "online.svg", "offline.svg", "unknown.svg", "waiting.svg"} {
		mux.Handle("GET /assets/"+name, forever(files))
	}
	s.Handler = guarded(compressed(mux))
	return s
}

// guarded adds the fields that keep a browser from doing what we did not mean.
func guarded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		h.ServeHTTP(w, r)
	})
}

// forever lets a file be cached: the page asks for it with its fingerprint.
func forever(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		h.ServeHTTP(w, r)
	})
}

// fingerprint names what a page is made of but for the verdicts: our files, the
// title and the list of sites. A page with another one must be loaded anew.
func fingerprint(o options, b *board) string {
	h := sha256.New()
	files, _ := assets.ReadDir("assets") // they are part of the program
	for _, f := range files {
		data, _ := assets.ReadFile("assets/" + f.Name())
		h.Write(data)
	}
	fmt.Fprintf(h, "%q %v", o.title, o.every)
	for _, s := range b.sites {
		fmt.Fprintf(h, "%q %q %q", s.target, s.name, s.heading)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// folded is how many sites are too many for a phone to show all of them at once.
const folded = 12

// page serves the page. With ?show= and a state it shows only the sites in that, and
// with ?q= only those that have this text in their name, URL or group.
func (s *server) page(w http.ResponseWriter, r *http.Request) {
	l := s.board.look(0, time.Now())
	show, query := r.FormValue("show"), r.FormValue("q")
	for i := range l.rows {
		l.rows[i].Hidden = !l.rows[i].found(query, s.board.groups[l.rows[i].Group])
	}
	if show != "online" && show != "offline" && show != "unknown" {
		show = "all"
	}
	serveHTML(w, "page.html", map[string]any{
		"Title":    s.title,
		"Headline": l.summary.Headline,
		"Class":    l.summary.Class,
		"Every":    ago(s.every),
		"Refresh":  s.refresh(),
		"Build":    s.build,
		"Now":      stamp(time.Now()),
		"Events":   "/events?since=" + eventID(s.boot, l.version),
		"Show":     show,
		"Query":    query,
		"Fold":     len(l.rows) > folded,
		"Groups":   arrange(l.summary.Groups, l.rows),
		"Summary":  l.summary,
	})
}

// site serves the page of one site.
func (s *server) site(w http.ResponseWriter, r *http.Request) {
	l := s.board.look(0, time.Now()) // before the detail, which may then be newer
	d, ok := s.board.detail(r.PathValue("key"), time.Now())
	if !ok {
		http.NotFound(w, r)
		return
	}
	serveHTML(w, "site.html", map[string]any{
		"Title":    s.title,
		"Headline": d.Headline,
		"Class":    d.Class,
		"Refresh":  s.refresh(),
		"Build":    s.build,
		"Now":      stamp(time.Now()),
		"Events":   "/events?site=" + r.PathValue("key") + "&since=" + eventID(s.boot, l.version),
		"Detail":   d,
	})
}

// refresh returns after how many seconds a page without scripts is loaded again.
func (s *server) refresh() int { return max(int(s.every.Seconds()), 5) }

func serveHTML(w http.ResponseWriter, name string, data map[string]any) {
	html, err := render(name, data) // whole, or an error
	if err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, html) // fails only if the client has gone
}

// healthz says whether verdicts still come in, whatever they are.
func (s *server) healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if idle := s.board.idle(time.Now()); idle > s.late {
		http.Error(w, "no check has ended for "+ago(idle), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

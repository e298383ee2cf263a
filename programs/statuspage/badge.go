package main

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// badgeColours are those of the page, by class.
var badgeColours = map[string]string{"online": "#1b7a4d", "offline": "#bf2f26", "unknown": "#86640a", "waiting": "#6b7078"}

// badge serves a picture of the state of one site, or of all of them.
func (s *server) badge(w http.ResponseWriter, r *http.Request) {
	name, class, text := s.title, "", ""
	if key := r.PathValue("key"); key == "" {
		summary := s.board.look(0, time.Now()).summary
		class, text = summary.Class, fmt.Sprintf("%d of %d online", summary.N["online"], summary.All)
	} else if d, ok := s.board.detail(key, time.Now()); ok {
		name, class, text = d.Name, d.Class, d.Class
	} else {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = fmt.Fprint(w, drawBadge(cut(name, 60), text, badgeColours[class])) // fails only if the client has gone
}

// drawBadge returns an SVG with a name and, on a coloured ground, a text. Both are
// squeezed or stretched to the widths that they are thought to have, since fonts differ.
func drawBadge(name, text, colour string) string {
	const pad = 7 // on both sides of each
	left, right := textWidth(name)+2*pad, textWidth(text)+2*pad
	part := func(x, width int, text string) string {
		return fmt.Sprintf(`<text x="%d" y="14" textLength="%d" lengthAdjust="spacingAndGlyphs">%s</text>`, x+pad, width-2*pad, escapeXML(text))
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="20" role="img"><title>%s: %s</title>`, left+right, escapeXML(name), escapeXML(text)) +
		fmt.Sprintf(`<rect width="%d" height="20" rx="4" fill="#3b3f46"/>`, left+right) +
		fmt.Sprintf(`<path d="M%d 0h%da4 4 0 0 1 4 4v12a4 4 0 0 1-4 4h-%dz" fill="%s"/>`, left, right-4, right-4, colour) +
		`<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">` +
		part(0, left, name) + part(left, right, text) + "</g></svg>\n"
}

// textWidth guesses how wide a text is, in pixels.
func textWidth(text string) int {
	tenths := 0
	for _, r := range text {
		switch {
		case strings.ContainsRune(" .,:;|!'()[]/iljtfr", r):
			tenths += 43
		case strings.ContainsRune("mwMW@%", r):
			tenths += 105
		case r >= 0x1100: // most of what is wide
			tenths += 120
		default:
			tenths += 71
		}
	}
	return max(tenths/10, 7)
}

func escapeXML(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // no error from a Builder
	return b.String()
}

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"example.com/checker"
)

// A board knows how each site is and shows it: on a terminal by a line per site
// that is kept up to date, elsewhere by a line per change. It is safe for
// concurrent use.
type board struct {
	start time.Time
	out   io.Writer

	mu    sync.Mutex
	sites []site

	live  bool // out is a terminal
	drawn bool // and has the lines of an earlier frame
	tick  int
	stop  chan struct{}
	wg    sync.WaitGroup
}

// A site is how one of the sites is.
type site struct {
	name  string // what it is shown as
	up    bool
	state string // "" before the first verdict
}

// newBoard returns a board on which no site has a verdict. It must be closed.
func newBoard(out io.Writer, urls []string) *board {
	b := &board{start: time.Now(), out: out, stop: make(chan struct{})}
	for _, url := range urls {
		b.sites = append(b.sites, site{name: checker.Redact(url)})
	}
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		// Lines that have left the screen cannot be written again.
		_, height, err := term.GetSize(int(f.Fd()))
		b.live = err == nil && len(urls) < height
	}
	if b.live {
		b.wg.Go(b.animate)
	}
	return b
}

// close shows the last state of a live board and leaves it on the screen.
func (b *board) close() {
	close(b.stop)
	b.wg.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.live {
		b.draw("✗")
	}
}

// set shows the verdict on a site.
func (b *board) set(i int, r checker.Result) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := &b.sites[i]
	before := s.state
	s.up, s.state = r.Online(), reason(r)
	if s.up {
		s.state = fmt.Sprintf("up after %v (%d)", b.elapsed(), r.StatusCode)
	}
	if !b.live && s.state != before {
		fmt.Fprintf(b.out, "%s: %s\n", s.name, s.state)
	}
}

// missing says which sites are not up, and why unless that is on the screen.
func (b *board) missing() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines strings.Builder
	n := 0
	for _, s := range b.sites {
		if !s.up {
			n++
		}
		if !s.up && !b.live {
			fmt.Fprintf(&lines, "\n  %s: %s", s.name, cmp.Or(s.state, "no verdict yet"))
		}
	}
	return fmt.Sprintf("%d of %d not up%s", n, len(b.sites), &lines)
}

func (b *board) elapsed() time.Duration {
	return time.Since(b.start).Round(100 * time.Millisecond)
}

// animate draws the board ten times a second until it is closed.
func (b *board) animate() {
	t := time.NewTicker(100 * time.Millisecond)
	defer t.Stop()
	for {
		b.mu.Lock()
		b.draw(spinner[b.tick%len(spinner)])
		b.tick++
		b.mu.Unlock()
		select {
		case <-t.C:
		case <-b.stop:
			return
		}
	}
}

var spinner = strings.Split("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "")

// What terminals understand (ECMA-48, and DEC's mode 7). Lines longer than the
// terminal is wide are cut off rather than wrapped, or the way up would be
// longer than there are sites.
const (
	up      = "\x1b[%dA"
	rest    = "\x1b[K\r\n"
	below   = "\x1b[J"
	wrapOff = "\x1b[?7l"
	wrapOn  = "\x1b[?7h"
)

// draw writes a frame over the one before, in one piece. mark stands before the
// sites that are not up.
func (b *board) draw(mark string) {
	var f strings.Builder
	if b.drawn {
		fmt.Fprintf(&f, up, len(b.sites))
	}
	f.WriteString("\r" + wrapOff)
	for _, s := range b.sites {
		switch {
		case s.up:
			f.WriteString("✓ " + s.name + "  " + s.state + rest)
		default:
			fmt.Fprintf(&f, "%s %s  %v  %s%s", mark, s.name, b.elapsed(), s.state, rest)
		}
	}
	f.WriteString(wrapOn + below) // below: the ^C that the terminal showed
	io.WriteString(b.out, f.String())
	b.drawn = true
}

// reason says why a site is not up, without the URL, which stands before it.
func reason(r checker.Result) string {
	e, ok := errors.AsType[*checker.Error](r.Err)
	if !ok {
		return ""
	}
	return string(e.Reason) + ": " + e.Message()
}

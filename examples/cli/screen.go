package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A Screen is some lines at the end of what a terminal shows, which are written again
// and again in the same place. There must be fewer of them than the terminal has rows:
// lines that have left the screen cannot be written again.
//
// The zero Screen is ready for use. It is not safe for concurrent use.
type Screen struct {
	back string // moves from the end of a frame to its beginning; "" before the first
}

// What terminals understand (ECMA-48, and DEC's mode 7). Lines longer than the
// terminal is wide are cut off rather than wrapped, or the way up would be longer than
// there are lines.
const (
	up    = "\x1b[%dA"
	begin = "\r\x1b[?7l"
	rest  = "\x1b[K\r\n"
	end   = "\x1b[?7h\x1b[J" // wipes the ^C that the terminal showed
)

// Draw writes lines over those of the call before, in one piece. Their number must not
// change.
func (s *Screen) Draw(w io.Writer, lines []string) error {
	var frame strings.Builder
	frame.WriteString(s.back + begin)
	for _, line := range lines {
		frame.WriteString(line + rest)
	}
	frame.WriteString(end)
	s.back = fmt.Sprintf(up, len(lines))
	_, err := io.WriteString(w, frame.String())
	return err
}

// While draws lines ten times a second until wait has ended, and then once more, and
// returns what wait does. The mark for what is under way turns meanwhile, and is ✗ in
// the end. Lines may be called while wait runs, in another goroutine.
func (s *Screen) While(w io.Writer, wait func() error, lines func(mark string) []string) error {
	waited := make(chan error, 1)
	go func() { waited <- wait() }()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		_ = s.Draw(w, lines(spinner[i%len(spinner)])) // a terminal that is gone shows nothing
		select {
		case <-tick.C:
		case err := <-waited:
			_ = s.Draw(w, lines("✗"))
			return err
		}
	}
}

var spinner = strings.Split("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "")

package cli

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A frame begins where the one before began.
func TestScreen(t *testing.T) {
	var s Screen
	var b strings.Builder
	for _, lines := range [][]string{{"a", "b"}, {"c", "d"}} {
		if err := s.Draw(&b, lines); err != nil {
			t.Fatal(err)
		}
	}
	const want = "\r\x1b[?7la\x1b[K\r\nb\x1b[K\r\n\x1b[?7h\x1b[J" + "\x1b[2A" + "\r\x1b[?7lc\x1b[K\r\nd\x1b[K\r\n\x1b[?7h\x1b[J"
	if b.String() != want {
		t.Errorf("Draw wrote %q; want %q", &b, want)
	}
	if err := s.Draw(full{}, []string{"e", "f"}); err != errFull {
		t.Errorf("Draw = %v; want %v", err, errFull)
	}
}

// What is under way is drawn until it has ended, and its error is returned.
func TestScreenWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Screen
		var marks []string
		failed := errors.New("failed")
		err := s.While(io.Discard, func() error {
			time.Sleep(1050 * time.Millisecond)
			return failed
		}, func(mark string) []string {
			marks = append(marks, mark)
			return nil
		})
		if got, want := strings.Join(marks, ""), "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏⠋✗"; got != want || err != failed {
			t.Errorf("While = %v with the marks %s; want %v and %s", err, got, failed, want)
		}
	})
}

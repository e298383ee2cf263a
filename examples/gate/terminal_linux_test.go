package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal returns the two ends of a pseudo-terminal, of the given size.
func terminal(t *testing.T, rows, columns uint16) (screen, program *os.File) {
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatal("no pseudo-terminals here: ", err)
	case err != nil:
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { screen.Close() })
	fd := int(screen.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: columns})
	}
	if err == nil {
		program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return screen, program
}

// onTerminal runs the program on a terminal and returns what it wrote there.
func onTerminal(t *testing.T, rows uint16, args ...string) string {
	screen, tty := terminal(t, rows, 80)
	cmd := program(t, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, io.Discard
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	var all bytes.Buffer
	io.Copy(&all, screen) // ends with an error, EIO, once the program has
	cmd.Wait()
	return all.String()
}

// On a terminal each site has one line, which is written again and again.
func TestTerminal(t *testing.T) {
	late, never := newPort(t), newPort(t)
	time.AfterFunc(time.Second, func() { late.serve(t, 200) })
	got := onTerminal(t, 24, "-within=2s", "-every=50ms", "http://me:secret@"+late.host, never.host)
	frames := strings.Split(got, "\x1b[2A")
	if len(frames) < 5 {
		t.Fatalf("there were %d frames; want some ten a second:\n%q", len(frames), got)
	}
	const end = `\x1b\[K\r+\n`
	match(t, "the first frame", frames[0], `\r\x1b\[\?7l⠋ http://xxxxx@HOST  0s.*`+end+`⠋ .*`+end+`\x1b\[\?7h\x1b\[J`, late.host)
	match(t, "the last frame", frames[len(frames)-1], `\r\x1b\[\?7l✓ http://xxxxx@HOST  up after \S+s \(200\)`+end+
		`✗ \S+  \S+s  refused: the host refused the connection`+end+`\x1b\[\?7h\x1b\[J`, late.host)
	if strings.Contains(got, "secret") {
		t.Error("the password is on the screen")
	}
}

// More sites than the terminal has rows are shown by a line per change.
func TestSmallTerminal(t *testing.T) {
	p := newPort(t)
	p.serve(t, 200)
	got := onTerminal(t, 2, p.host, p.host)
	match(t, "the screen", got, `(HOST: up after \S+s \(200\)\r\n){2}`, p.host)
}

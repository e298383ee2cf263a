package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal returns both ends of a pseudoterminal.
func terminal(t *testing.T) (master, slave *os.File) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatal("no pseudo-terminals here: ", err)
	case err != nil:
		t.Skip("no pseudo-terminals here: ", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// On a terminal a bar shows the rate, counts and the time left, and goes away.
func TestBar(t *testing.T) {
	master, slave := terminal(t)
	release := make(chan struct{})
	list := many(t, 3000, serve(t, func(http.ResponseWriter, *http.Request) { <-release }))
	cmd, stdout, _ := command(t, "-retries", "0", "-o", filepath.Join(t.TempDir(), "out"), list)
	cmd.Stderr = slave
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	var shown []byte
	for block, waits := make([]byte, 4096), true; ; {
		n, err := master.Read(block)
		if shown = append(shown, block[:n]...); err != nil {
			break // EIO, when the program has ended
		}
		if waits && strings.Contains(string(shown), "0 online, ") && strings.Contains(string(shown), " offline, 0 unknown ") {
			waits = false
			close(release)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stdout.String(), "3 000 sites in ") {
		t.Errorf("the summary is %.100q; want that of 3 000 sites", stdout)
	}
	for _, want := range []string{"% |", "sites/", " [0s:"} {
		if !strings.Contains(string(shown), want) {
			t.Errorf("the terminal shows no %q: %.300q", want, shown)
		}
	}
	if !strings.HasSuffix(string(shown), "\x1b[2K\r") {
		t.Errorf("the bar ends with %q; want it gone", shown[max(0, len(shown)-9):])
	}
}

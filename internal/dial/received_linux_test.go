package dial

import (
	"testing"
	"time"

	"example.com/checker/internal/emulator"
)

// The kernel tells since when a peer has been silent.
func TestSinceReceived(t *testing.T) {
	if SinceReceivedUnknown {
		t.Log("this system does not tell when a peer last sent something")
		return
	}
	s, other := linked(t)
	const silent, tick = 60 * time.Millisecond, 20 * time.Millisecond
	before := time.Now()
	if _, err := other.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	time.Sleep(silent) // this is the fault
	d := SinceReceived(s)
	if d == 0 {
		emulator.Skip(t, emulator.QEMU, "no more than four bytes of TCP_INFO")
	}
	if d < silent-tick || d > time.Since(before)+tick {
		t.Errorf("SinceReceived() = %v; want %v or so", d, silent)
	}
	if d := SinceReceived(ends{}); d != 0 {
		t.Errorf("SinceReceived() of no socket = %v; want 0", d)
	}
}

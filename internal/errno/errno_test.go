package errno

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
)

func TestOf(t *testing.T) {
	for number, want := range map[syscall.Errno]Kind{
		0:                     None,
		syscall.ECONNREFUSED:  Refused,
		syscall.ECONNRESET:    Reset,
		syscall.ETIMEDOUT:     TimedOut,
		syscall.EHOSTUNREACH:  Unreachable,
		syscall.ENETUNREACH:   NoNetwork,
		syscall.EAFNOSUPPORT:  NoFamily,
		syscall.EMFILE:        Descriptors,
		syscall.ENFILE:        Descriptors,
		syscall.ENOBUFS:       Memory,
		syscall.ENOMEM:        Memory,
		syscall.EADDRNOTAVAIL: Ports,
		syscall.EAGAIN:        Ports,
		syscall.ENETDOWN:      Down,
		syscall.EACCES:        Forbidden,
		syscall.ENOENT:        Other,
		10013:                 Forbidden, // and so Windows says it
		10024:                 Descriptors,
		10047:                 NoFamily,
		10049:                 Ports,
		10050:                 Down,
		10051:                 NoNetwork,
		10054:                 Reset,
		10055:                 Memory,
		10060:                 TimedOut,
		10061:                 Refused,
		10065:                 Unreachable,
		11001:                 Other,
	} {
		if got := Of(number); got != want {
			t.Errorf("Of(%d) = %d; want %d", number, got, want)
		}
	}
}

// Only what other connections may give back is scarce, however it is wrapped.
func TestScarce(t *testing.T) {
	for number := range syscall.Errno(11_100) {
		kind := Of(number)
		err := error(&net.OpError{Op: "dial", Err: os.NewSyscallError("socket", number)})
		for _, err := range []error{number, err, fmt.Errorf("so: %w", err)} {
			if got, ok := In(err); got != number || !ok {
				t.Fatalf("In(%v) = %d, %t; want %d", err, got, ok, number)
			}
			if got, want := Scarce(err), kind == Descriptors || kind == Memory || kind == Ports; got != want {
				t.Errorf("Scarce(%d) = %t; want %t", number, got, want)
			}
			if got, want := NoRoute(err), kind == NoNetwork || kind == NoFamily; got != want {
				t.Errorf("NoRoute(%d) = %t; want %t", number, got, want)
			}
		}
	}
	if err := errors.New("no number"); Scarce(err) || NoRoute(err) || Scarce(nil) {
		t.Errorf("an error without a number is scarce or has no route")
	}
}

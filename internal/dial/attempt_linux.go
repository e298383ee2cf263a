package dial

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"syscall"

	"example.com/checker/internal/errno"
)

// An attempt is a connect under way.
type attempt struct {
	begun   bool
	number  syscall.Errno // by which it failed
	message icmpMessage   // that made it fail, if one did
}

// proceed begins the connect or looks at what has become of it, and reports whether it
// has come to an end.
func (a *attempt) proceed(fd int, addr netip.AddrPort) (done bool) {
	if !a.begun {
		err := connect(fd, addr)
		if err == syscall.EINPROGRESS || err == syscall.EINTR {
			a.begun = true
			return false
		}
		done = true
		a.number, _ = errno.In(err)
	} else if done, a.number = outcome(fd); !done || a.number != 0 {
		// The kernel keeps a message that comes while connect(2) is still on its way,
		// but goes on until the SYN is sent again a second later.
		if a.message = readErrorQueue(fd); !done && a.message.by.IsValid() {
			done, a.number = true, a.message.errno
		}
	}
	if done && a.number == 0 {
		ignoreICMP(fd, addr)
	}
	return done
}

func connect(fd int, addr netip.AddrPort) error {
	if addr.Addr().Is4() {
		return syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()})
	}
	return syscall.Connect(fd, &syscall.SockaddrInet6{Port: int(addr.Port()), Addr: addr.Addr().As16()})
}

// outcome reports whether a connect has come to an end, and to which.
func outcome(fd int) (done bool, number syscall.Errno) {
	const (
		unknown = 0
		synSent = 2 // TCP_SYN_SENT
		closed  = 7 // TCP_CLOSE
	)
	info, err := syscall.GetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_INFO) // its beginning
	if err != nil {
		return outcomeByPeer(fd)
	}
	switch state := binary.NativeEndian.AppendUint32(nil, uint32(info))[0]; state {
	case unknown:
		return outcomeByPeer(fd)
	case synSent:
		return false, 0
	case closed:
		return true, cmp.Or(errorOf(fd), syscall.ECONNRESET)
	}
	return true, 0
}

// outcomeByPeer is outcome by what every kernel tells, and emulators do: QEMU takes the
// beginning of TCP_INFO for a number and swaps its bytes, sandboxes refuse the option.
// It is not the first choice, as it allocates.
func outcomeByPeer(fd int) (done bool, number syscall.Errno) {
	if number := errorOf(fd); number != 0 {
		return true, number
	}
	_, err := syscall.Getpeername(fd)
	return err != syscall.ENOTCONN, 0
}

// errorOf returns the error of a socket, and takes it from it.
func errorOf(fd int) syscall.Errno {
	n, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_ERROR)
	if err != nil {
		return err.(syscall.Errno)
	}
	return syscall.Errno(n)
}

//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package wire

import (
	"io"
	"net"
	"syscall"

	"example.com/checker/internal/hook"
)

const readNowUnknown = false

// readNow reads what lies in the buffer of a socket, past its deadline and without
// waiting. It reports whether nc is one.
func readNow(nc net.Conn, b []byte) (n int, ok bool, err error) {
	defer hook.Recovered(&err)
	sc, ok := nc.(syscall.Conn)
	if !ok || len(b) == 0 {
		return 0, false, nil
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return 0, false, nil
	}
	var failed error
	err = rc.Control(func(fd uintptr) {
		for {
			if n, _, failed = syscall.Recvfrom(int(fd), b, syscall.MSG_DONTWAIT); failed != syscall.EINTR {
				return
			}
		}
	})
	switch {
	case err != nil || failed != nil:
		return 0, failed != syscall.ENOTSOCK, failed
	case n == 0:
		return 0, true, io.EOF
	}
	return n, true, nil
}

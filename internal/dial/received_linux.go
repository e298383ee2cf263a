//go:build linux && !386 && !s390x

package dial

import (
	"encoding/binary"
	"net"
	"syscall"
	"time"
	"unsafe"

	"example.com/checker/internal/hook"
)

// SinceReceivedUnknown says whether [SinceReceived] knows nothing.
const SinceReceivedUnknown = false

// SinceReceived returns how long ago the peer of a TCP socket last sent something, as
// the kernel has it, and 0 if it does not tell. That it took a connect counts too.
func SinceReceived(nc net.Conn) (d time.Duration) {
	var panicked error
	defer hook.Recovered(&panicked) // the connection may be a caller's
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return 0
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return 0
	}
	const lastDataRecv = 52 // tcpi_last_data_recv in struct tcp_info, in milliseconds
	var info [lastDataRecv + 4]byte
	size := uint32(len(info))
	_ = rc.Control(func(fd uintptr) {
		_, _, number := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.IPPROTO_TCP, syscall.TCP_INFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if number == 0 && size == uint32(len(info)) {
			d = time.Duration(binary.NativeEndian.Uint32(info[lastDataRecv:])) * time.Millisecond
		}
	})
	return d
}

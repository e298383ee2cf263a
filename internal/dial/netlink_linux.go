package dial

import (
	"encoding/binary"
	"io"
	"iter"
	"syscall"
)

// openRoutes opens a socket to this machine's routes.
func openRoutes() (fd int, err error) {
	return syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, syscall.NETLINK_ROUTE)
}

// An attribute is a part of a message.
type attribute struct {
	kind  uint16
	value []byte
}

// askKernel sends a request with attributes and returns the body of the answer, of a dump
// that of the first one, or [io.EOF] if there is none. It begins with the same struct as
// body does, and is never shorter.
func askKernel(fd int, kind, flags uint16, body []byte, attrs ...attribute) ([]byte, error) {
	if err := syscall.Sendto(fd, request(kind, flags, body, attrs...), 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return nil, err
	}
	const header = syscall.NLMSG_HDRLEN
	answer := make([]byte, 4<<10)
	got, _, err := syscall.Recvfrom(fd, answer, 0)
	switch {
	case err != nil:
		return nil, err
	case binary.NativeEndian.Uint16(answer[4:]) == syscall.NLMSG_DONE:
		return nil, io.EOF
	case binary.NativeEndian.Uint16(answer[4:]) == syscall.NLMSG_ERROR:
		return nil, syscall.Errno(-int32(binary.NativeEndian.Uint32(answer[header:])))
	case got < header+len(body):
		return nil, syscall.EBADMSG
	}
	return answer[header:got], nil
}

// request returns a request with attributes.
func request(kind, flags uint16, body []byte, attrs ...attribute) []byte {
	m := make([]byte, syscall.NLMSG_HDRLEN, 128)
	m = append(m, body...)
	for _, a := range attrs {
		m = binary.NativeEndian.AppendUint16(m, uint16(syscall.SizeofRtAttr+len(a.value)))
		m = binary.NativeEndian.AppendUint16(m, a.kind)
		m = append(m, a.value...)
		m = append(m, make([]byte, -len(m)&(syscall.RTA_ALIGNTO-1))...)
	}
	binary.NativeEndian.PutUint32(m, uint32(len(m)))
	binary.NativeEndian.PutUint16(m[4:], kind)
	binary.NativeEndian.PutUint16(m[6:], syscall.NLM_F_REQUEST|flags)
	return m
}

// attributes yields the attributes that follow the first n bytes of a message, as far
// as they are whole and can be an address or a number.
func attributes(m []byte, n int) iter.Seq[attribute] {
	return func(yield func(attribute) bool) {
		for rest := m[min(n, len(m)):]; len(rest) >= syscall.SizeofRtAttr; {
			n := int(binary.NativeEndian.Uint16(rest))
			if n < syscall.SizeofRtAttr || n > len(rest) {
				return
			}
			a := attribute{binary.NativeEndian.Uint16(rest[2:]), rest[syscall.SizeofRtAttr:n]}
			if len(a.value) >= 4 && !yield(a) {
				return
			}
			const align = syscall.RTA_ALIGNTO
			rest = rest[min(len(rest), (n+align-1)&^(align-1)):]
		}
	}
}

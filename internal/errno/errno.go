// Package errno says what the error numbers of system calls mean, on Unix and on
// Windows alike.
package errno

import (
	"errors"
	"syscall"
)

// Windows Sockets errors, which package net passes on as they are, while the
// names of package syscall stand for other numbers there. On other systems no
// errno is as large.
const (
	wsaEACCES        syscall.Errno = 10013
	wsaEMFILE        syscall.Errno = 10024
	wsaEAFNOSUPPORT  syscall.Errno = 10047
	wsaEADDRNOTAVAIL syscall.Errno = 10049
	wsaENETDOWN      syscall.Errno = 10050
	wsaENETUNREACH   syscall.Errno = 10051
	wsaENETRESET     syscall.Errno = 10052
	wsaECONNABORTED  syscall.Errno = 10053
	wsaECONNRESET    syscall.Errno = 10054
	wsaENOBUFS       syscall.Errno = 10055
	wsaENOTCONN      syscall.Errno = 10057
	wsaESHUTDOWN     syscall.Errno = 10058
	wsaETIMEDOUT     syscall.Errno = 10060
	wsaECONNREFUSED  syscall.Errno = 10061
	wsaEHOSTDOWN     syscall.Errno = 10064
	wsaEHOSTUNREACH  syscall.Errno = 10065
)

// A Kind is what a number means. The zero Kind is that of an error without one.
type Kind uint8

const (
	None        Kind = iota
	Refused          // the peer refused the connection
	Reset            // the peer, or something on the way, ended it
	TimedOut         // the kernel gave the peer up
	Unreachable      // no way to the host
	NoNetwork        // no way to its network
	NoFamily         // this machine does not speak its address family
	Descriptors      // file descriptors are scarce on this machine
	Memory           // memory or buffers are scarce on this machine
	Ports            // local ports are scarce on this machine
	Down             // a network interface of this machine is down
	Forbidden        // a firewall, a security policy or a route of this machine says no
	Other            // anything else, which speaks of this machine
)

// Of returns the kind of an error number. It is total.
func Of(number syscall.Errno) Kind {
	switch number {
	case 0:
		return None
	case syscall.ECONNREFUSED, wsaECONNREFUSED:
		return Refused
	case syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, syscall.ENOTCONN, syscall.ESHUTDOWN, syscall.ENETRESET,
		wsaECONNRESET, wsaECONNABORTED, wsaENOTCONN, wsaESHUTDOWN, wsaENETRESET:
		return Reset
	case syscall.ETIMEDOUT, wsaETIMEDOUT:
		return TimedOut
	case syscall.EHOSTUNREACH, syscall.EHOSTDOWN, wsaEHOSTUNREACH, wsaEHOSTDOWN:
		return Unreachable
	case syscall.ENETUNREACH, wsaENETUNREACH:
		return NoNetwork
	case syscall.EAFNOSUPPORT, wsaEAFNOSUPPORT:
		return NoFamily
	case syscall.EMFILE, syscall.ENFILE, wsaEMFILE:
		return Descriptors
	case syscall.ENOBUFS, syscall.ENOMEM, wsaENOBUFS:
		return Memory
	case syscall.EADDRNOTAVAIL, wsaEADDRNOTAVAIL,
		syscall.EAGAIN: // what a UDP socket's connect says if there is no port left
		return Ports
	case syscall.ENETDOWN, wsaENETDOWN:
		return Down
	case syscall.EPERM, syscall.EACCES, syscall.EINVAL, wsaEACCES: // EINVAL is a blackhole route's
		return Forbidden
	}
	return Other
}

// In returns the error number that err wraps.
func In(err error) (number syscall.Errno, ok bool) { return errors.AsType[syscall.Errno](err) }

func kind(err error) Kind {
	number, _ := In(err)
	return Of(number)
}

// Scarce reports whether err says that this machine is short of something that
// other connections may give back: descriptors, buffers, memory, ports.
func Scarce(err error) bool {
	switch kind(err) {
	case Descriptors, Memory, Ports:
		return true
	}
	return false
}

// NoRoute reports whether err says that this machine has no way to an address,
// neither its network nor its family.
func NoRoute(err error) bool {
	k := kind(err)
	return k == NoNetwork || k == NoFamily
}

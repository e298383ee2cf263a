package checker

import (
	"errors"
	"syscall"

	"example.com/checker/internal/dial"
)

// Windows Sockets errors, which package net passes on as they are, while the
// names of package syscall stand for other numbers there. On other systems no
// errno is as large.
const (
	wsaEAFNOSUPPORT syscall.Errno = 10047
	wsaENETUNREACH  syscall.Errno = 10051
	wsaENETRESET    syscall.Errno = 10052
	wsaECONNABORTED syscall.Errno = 10053
	wsaECONNRESET   syscall.Errno = 10054
	wsaENOTCONN     syscall.Errno = 10057
	wsaESHUTDOWN    syscall.Errno = 10058
	wsaETIMEDOUT    syscall.Errno = 10060
	wsaECONNREFUSED syscall.Errno = 10061
	wsaEHOSTDOWN    syscall.Errno = 10064
	wsaEHOSTUNREACH syscall.Errno = 10065
)

// classifyErrno says what a system call's error means. It is total; what is not
// listed speaks of this machine (EPERM and EACCES of a firewall, EINVAL of a
// blackhole route), and so does a missing route when connecting, which the
// kernel reports before anything is sent.
func classifyErrno(phase Phase, errno syscall.Errno) Reason {
	switch errno {
	case syscall.ECONNREFUSED, wsaECONNREFUSED:
		return ReasonRefused
	case syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, syscall.ENOTCONN, syscall.ESHUTDOWN, syscall.ENETRESET,
		wsaECONNRESET, wsaECONNABORTED, wsaENOTCONN, wsaESHUTDOWN, wsaENETRESET:
		return ReasonReset
	case syscall.ETIMEDOUT, wsaETIMEDOUT:
		return ReasonTimeout
	case syscall.EHOSTUNREACH, syscall.EHOSTDOWN, wsaEHOSTUNREACH, wsaEHOSTDOWN:
		return ReasonUnreachable
	case syscall.ENETUNREACH, wsaENETUNREACH:
		if phase != PhaseConnect {
			return ReasonUnreachable
		}
	}
	return ReasonLocal
}

// short reports whether err says that this machine was short of something that
// other checks may give back.
func short(err error) bool {
	errno, ok := errors.AsType[syscall.Errno](err)
	return ok && dial.Scarce(errno)
}

// short reports whether there is no verdict for that reason.
func (r *Result) short() bool { return reasonOf(r.Err) == ReasonLocal && short(r.Err) }

// noRoute reports whether err says that this machine has no way to an address.
func noRoute(err error) bool {
	if has[*dial.RouteError](err) {
		return true
	}
	errno, _ := errors.AsType[syscall.Errno](err)
	switch errno {
	case syscall.ENETUNREACH, syscall.EAFNOSUPPORT, wsaENETUNREACH, wsaEAFNOSUPPORT:
		return true
	}
	return false
}

// advice says in words what errno means for this machine and what to mend.
func advice(errno syscall.Errno) string {
	switch errno {
	case syscall.EMFILE, syscall.ENFILE:
		return errno.Error() + "; raise the limit of open files"
	case syscall.ENOBUFS, syscall.ENOMEM:
		return errno.Error() + "; check fewer sites at once"
	case syscall.EADDRNOTAVAIL:
		return errno.Error() + "; the local ports may be used up: check fewer sites at once, or more slowly"
	case syscall.ENETUNREACH, syscall.EAFNOSUPPORT, wsaENETUNREACH, wsaEAFNOSUPPORT:
		return errno.Error() + "; there is no route to the site's addresses: look at the network, and at IPv6 if the site has no other"
	case syscall.ENETDOWN:
		return errno.Error() + "; look at the network interface"
	case syscall.EPERM, syscall.EACCES, syscall.EINVAL:
		return errno.Error() + "; a firewall, a security policy or a route of this machine forbids it"
	}
	return errno.Error()
}

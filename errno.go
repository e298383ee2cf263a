package checker

import (
	"syscall"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/errno"
)

// classifyErrno says what a system call's error means. It is total; what is not
// listed speaks of this machine (EPERM and EACCES of a firewall, EINVAL of a
// blackhole route), and so does a missing route when connecting, which the
// kernel reports before anything is sent.
func classifyErrno(phase Phase, number syscall.Errno) Reason {
	switch errno.Of(number) {
	case errno.Refused:
		return ReasonRefused
	case errno.Reset:
		return ReasonReset
	case errno.TimedOut:
		return ReasonTimeout
	case errno.Unreachable:
		return ReasonUnreachable
	case errno.NoNetwork:
		if phase != PhaseConnect {
			return ReasonUnreachable
		}
	}
	return ReasonLocal
}

// short reports whether there is no verdict for that reason.
func (r *Result) short() bool { return reasonOf(r.Err) == ReasonLocal && errno.Scarce(r.Err) }

// noRoute reports whether err says that this machine has no way to an address.
func noRoute(err error) bool { return has[*dial.RouteError](err) || errno.NoRoute(err) }

// advice says in words what a number means for this machine and what to mend.
func advice(number syscall.Errno) string {
	text := number.Error()
	switch errno.Of(number) {
	case errno.Descriptors:
		return text + "; raise the limit of open files"
	case errno.Memory:
		return text + "; check fewer sites at once"
	case errno.Ports:
		return text + "; the local ports may be used up: check fewer sites at once, or more slowly"
	case errno.NoNetwork, errno.NoFamily:
		return text + "; there is no route to the site's addresses: look at the network, and at IPv6 if the site has no other"
	case errno.Down:
		return text + "; look at the network interface"
	case errno.Forbidden:
		return text + "; a firewall, a security policy or a route of this machine forbids it"
	}
	return text
}

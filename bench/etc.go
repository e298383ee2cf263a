//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// ownMounts returns what gives a process an /etc of its own: mounts that nobody
// else sees. Who is not root is root of a namespace of users to be allowed that.
func ownMounts() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if uid := os.Geteuid(); uid != 0 {
		attr.Cloneflags = syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

// mountEtc puts in the place of /etc one that has what resolvers read, with one
// nameserver. The process must have its own mounts. It has had them since before
// it had threads, so all of them see this.
func mountEtc(nameserver netip.Addr) error {
	if err := unix.Mount("none", "/etc", "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount an /etc: %w", err)
	}
	var errs []error
	for name, text := range map[string]string{
		"resolv.conf":   "nameserver " + nameserver.String() + "\n",
		"hosts":         "127.0.0.1 localhost\n::1 localhost\n",
		"nsswitch.conf": "hosts: files dns\n",
	} {
		errs = append(errs, os.WriteFile(filepath.Join("/etc", name), []byte(text), 0o644))
	}
	return errors.Join(errs...)
}

// tryEtc is the process that finds out whether there can be such an /etc.
func tryEtc(_ io.Reader, tell func(any) error) error {
	return errors.Join(mountEtc(nameserver(0)), tell(true))
}

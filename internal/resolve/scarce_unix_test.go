//go:build unix

package resolve

import (
	"errors"
	"syscall"
	"testing"

	"example.com/checker/internal/resolve/dnstest"
)

// Want of descriptors is known by itself, and is never the word of a resolver.
func TestScarce(t *testing.T) {
	f := dnstest.Serve(t, zone{"*": addrs("192.0.2.1")})
	r := world{servers: []*dnstest.Server{f}}.resolver(t)
	look(t, r, "a.test")
	r.pool.giveUp()
	fresh := world{hosts: "192.0.2.7 here.test", servers: []*dnstest.Server{f}}.resolver(t)

	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	var files []int
	syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 64, Max: old.Max})
	for {
		fd, err := syscall.Dup(0)
		if err != nil {
			break
		}
		files = append(files, fd)
	}
	a4, a6 := look(t, r, "a.test")
	b4, _ := look(t, fresh, "here.test")
	syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old)
	for _, fd := range files {
		syscall.Close(fd)
	}
	for _, a := range []Answer{a4, a6, b4} {
		if a.Err == nil || why(a).Kind != Scarce || !errors.Is(a.Err, syscall.EMFILE) {
			t.Errorf("Lookup without descriptors = %v; want EMFILE", a.Err)
		}
	}
	if a4, _ := look(t, fresh, "here.test"); say(a4) != "192.0.2.7" {
		t.Errorf("Lookup with descriptors again = %v; want the address", a4)
	}
}

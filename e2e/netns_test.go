//go:build linux

package e2e_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/checker/internal/hostile"
)

// namespaced runs body in a process with a network and mounts of its own, where
// it may set up links, routes, firewalls and files as it likes.
func namespaced(t *testing.T, body func(t *testing.T)) {
	t.Helper()
	needRoot(t)
	needTool(t, "ip", "iproute2")
	needTool(t, "nft", "nftables")
	attr := &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	process{attr: attr}.run(t, func(t *testing.T) {
		sh(t, "ip link set lo up")
		body(t)
	})
}

// sh runs a command in the namespace of the calling thread.
func sh(t *testing.T, command string) {
	t.Helper()
	args := strings.Fields(command)
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", command, err, out)
	}
}

// sysctl sets a kernel parameter of the calling thread's namespace.
func sysctl(t *testing.T, name, value string) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/"+strings.ReplaceAll(name, ".", "/"), []byte(value), 0); err != nil {
		t.Errorf("sysctl %s=%q: %v", name, value, err)
	}
}

// etc replaces /etc by a directory with nothing but these files. A value that
// ends in a slash makes a directory, which even root cannot read as a file.
func etc(t *testing.T, files map[string]string) {
	t.Helper()
	if err := syscall.Mount("none", "/etc", "tmpfs", 0, ""); err != nil {
		t.Fatalf("mount: %v", err)
	}
	for name, content := range files {
		path := filepath.Join("/etc", name)
		var err error
		if content == "/" {
			err = os.Mkdir(path, 0o755)
		} else {
			err = os.WriteFile(path, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The internet of these tests: a link to a router, which has all sites on
// itself and can refuse them in all the ways of routers.
const (
	nearAddr = "192.0.2.1"
	farAddr  = "192.0.2.2"
	sites    = "198.51.100.0/24"
	liveSite = "198.51.100.80" // a site that lives
	deadSite = "198.51.100.90" // one that a test may do something to
	absent   = "192.0.2.77"    // an address on the link that nobody has

	nearAddr6 = "2001:db8::1"
	farAddr6  = "2001:db8::2"
	deadSite6 = "2001:db8:1::90"
)

// A router is a second network namespace. It belongs to one thread, on which
// everything is done that is done there.
type router struct{ todo chan func() }

// newRouter connects the test's namespace with a router, by IPv4 only, and
// makes a site listen behind it.
func newRouter(t *testing.T) *router {
	t.Helper()
	r := &router{todo: make(chan func())}
	tid := make(chan int)
	failed := make(chan error)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
			failed <- err
			return
		}
		tid <- syscall.Gettid()
		for f := range r.todo {
			f()
		}
	}()
	t.Cleanup(func() {
		close(r.todo)
		<-ended
	})
	select {
	case err := <-failed:
		t.Fatalf("unshare: %v", err)
	case id := <-tid:
		sh(t, "ip link add v0 type veth peer name v1 netns "+strconv.Itoa(id))
	}
	r.sh(t, "ip link set lo up", "ip addr add "+farAddr+"/24 dev v1", "ip link set v1 up", "ip route add local "+sites+" dev lo")
	r.do(func() { sysctl(t, "net.ipv4.ip_forward", "1") })
	sh(t, "ip addr add "+nearAddr+"/24 dev v0")
	r.up(t)
	reach(t)
	return r
}

// reach waits until the router is there: a new link may lose its first packets.
func reach(t *testing.T) {
	t.Helper()
	var err error
	for range 50 {
		if _, err = net.DialTimeout("tcp", farAddr+":9", 100*time.Millisecond); errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
	}
	t.Fatalf("the router is not there: %v", err)
}

// up brings this side of the link up, with its route.
func (r *router) up(t *testing.T) {
	t.Helper()
	sh(t, "ip link set v0 up")
	sh(t, "ip route add default via "+farAddr)
}

// six adds IPv6.
func (r *router) six(t *testing.T) {
	t.Helper()
	r.sh(t, "ip addr add "+farAddr6+"/64 dev v1 nodad", "ip route add local 2001:db8:1::/64 dev lo")
	sh(t, "ip addr add "+nearAddr6+"/64 dev v0 nodad")
	sh(t, "ip route add default via "+farAddr6)
}

// do calls f in the router's namespace.
func (r *router) do(f func()) {
	done := make(chan struct{})
	r.todo <- func() {
		defer close(done)
		f()
	}
	<-done
}

// sh runs commands there.
func (r *router) sh(t *testing.T, commands ...string) {
	t.Helper()
	r.do(func() {
		for _, c := range commands {
			sh(t, c)
		}
	})
}

// filter adds rules for what comes in to the router's own addresses.
func (r *router) filter(t *testing.T, rules ...string) {
	t.Helper()
	r.sh(t, "nft add table inet f", "nft add chain inet f in { type filter hook input priority 0 ; }")
	for _, rule := range rules {
		r.sh(t, "nft add rule inet f in "+rule)
	}
}

// serve has h listen in the router's namespace.
func (r *router) serve(t *testing.T, addr string, h hostile.Handler) *hostile.Server {
	t.Helper()
	var l net.Listener
	var err error
	r.do(func() { l, err = net.Listen("tcp", addr) })
	if err != nil {
		t.Fatalf("listen on %s: %v", addr, err)
	}
	return hostile.ServeListener(t, l, h)
}

// systemDNS makes d the nameserver of resolv.conf, which has further lines.
func systemDNS(t *testing.T, d *hostile.DNS, lines ...string) {
	t.Helper()
	_, port, err := net.SplitHostPort(d.Addr())
	if err != nil {
		t.Fatal(err)
	}
	sh(t, "nft add table ip n")
	sh(t, "nft add chain ip n out { type nat hook output priority -100 ; }")
	sh(t, "nft add rule ip n out ip daddr 127.0.0.1 udp dport 53 redirect to :"+port)
	etc(t, map[string]string{"resolv.conf": strings.Join(append(lines, "nameserver 127.0.0.1", ""), "\n")})
}

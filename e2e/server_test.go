//go:build linux

package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"

	"example.com/checker/internal/hostile"
)

// A daemon is a server program.
type daemon struct {
	name   string // of the program
	module string // of what else has to be there; "" if nothing
	pkg    string // the Debian package of both
	args   func(p *place) []string
}

// startup bounds the time from the start of a server until it listens.
const startup = 10 * time.Second

// path returns where the program is. Where it is not, the test is skipped: not
// everybody who changes the library has all servers. The machine that decides
// whether a change may land has to have them.
func (d daemon) path(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath(d.name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + d.name) // not in a user's PATH
	}
	if err == nil && d.module != "" {
		_, err = os.Stat(d.module)
	}
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "true":
		t.Fatalf("%s is not installed: apt-get install %s", d.name, d.pkg)
	default:
		t.Skipf("%s is not installed: apt-get install %s", d.name, d.pkg)
	}
	return ""
}

// start runs the server with a configuration until the test is over, and
// returns when it accepts connections at all the ports of the configuration.
func (d daemon) start(t *testing.T, p *place, config string) {
	t.Helper()
	path := d.path(t)
	p.write("config", config)
	var out bytes.Buffer
	// The context ends before the test's cleanup runs.
	cmd := exec.CommandContext(t.Context(), path, d.args(p)...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	// A test binary that is killed takes the server with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	for _, l := range p.held {
		l.Close()
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		cmd.Wait() // all that the server has to say is in its output
	}()
	t.Cleanup(func() {
		<-exited
		if t.Failed() {
			t.Logf("%s ended with %v:\n%s", d.name, cmd.ProcessState, &out)
		}
	})
	for _, addr := range p.ports {
		if err := await(addr, exited); err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
	}
}

// await waits until addr accepts connections; exited may be nil.
func await(addr string, exited <-chan struct{}) error {
	late := time.After(startup)
	for !accepts(addr) {
		select {
		case <-exited:
			return errors.New("it ended at once")
		case <-late:
			return fmt.Errorf("it does not listen on %s after %v", addr, startup)
		case <-time.After(5 * time.Millisecond):
		}
	}
	return nil
}

func accepts(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, startup)
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// A place is where a server is at home.
type place struct {
	t     *testing.T
	Addr  netip.Addr
	Dir   string
	Shop  *shop // nil if there are no certificates
	Root  bool  // whether the server starts as root and has to become a user
	ports map[string]string
	held  []net.Listener // on the ports, until the server takes them
}

// newPlace returns a place at an address. Each server has an address of its
// own, since a port that is free on 127.0.0.1 may be the local port of the next
// connection that anybody makes.
func newPlace(t *testing.T, addr string) *place {
	t.Helper()
	p := &place{
		t: t, Addr: netip.MustParseAddr(addr), Dir: t.TempDir(),
		Root: os.Geteuid() == 0, ports: make(map[string]string),
	}
	// What a server reads on request it reads as another user.
	for _, dir := range []string{p.Dir, filepath.Dir(p.Dir)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// Listen returns the address of a port by its name in the configuration: a free
// one, and the same one each time.
func (p *place) Listen(name string) string {
	addr, ok := p.ports[name]
	if !ok {
		l, err := net.Listen("tcp", netip.AddrPortFrom(p.Addr, 0).String())
		if err != nil {
			p.t.Fatal(err)
		}
		p.t.Cleanup(func() { l.Close() })
		addr = l.Addr().String()
		p.held = append(p.held, l)
		p.ports[name] = addr
	}
	return addr
}

// Port returns the number of such a port.
func (p *place) Port(name string) string {
	_, port, _ := net.SplitHostPort(p.Listen(name))
	return port
}

// url returns a target in which the names of ports are replaced by the ports.
func (p *place) url(target string) string {
	for name := range p.ports {
		target = strings.ReplaceAll(target, ":"+name+"/", ":"+p.Port(name)+"/")
	}
	return target
}

// write makes a file from a template about the place.
func (p *place) write(name, text string) {
	p.t.Helper()
	var b bytes.Buffer
	if err := template.Must(template.New(name).Parse(text)).Execute(&b, p); err != nil {
		p.t.Fatal(err)
	}
	path := filepath.Join(p.Dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// resolver returns a resolver that knows the names of sites at the place.
func (p *place) resolver(names ...string) *net.Resolver {
	dns := hostile.ServeDNS(p.t)
	for _, name := range names {
		dns.Set(name, hostile.Addrs(p.Addr.String()))
	}
	return dns.Resolver()
}

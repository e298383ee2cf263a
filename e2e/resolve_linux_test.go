//go:build linux

package e2e_test

import (
	"bufio"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/checker/internal/resolve"
	"example.com/checker/internal/resolve/dnstest"
)

// TestResolveLikeGlibc holds package resolve beside getaddrinfo of the GNU C
// library: with the same files and the same nameservers it finds the same
// addresses, or fails alike, and asks no more. What differs stands in agreed, with
// the reason, and has to differ.
//
// The set-ups are shared out among processes, each with a network and an /etc of
// its own, since where nameservers are silent most of the time is waiting.
func TestResolveLikeGlibc(t *testing.T) {
	const groups = 8
	const groupEnv = "CHECKER_E2E_GROUP"
	needRoot(t)
	needTool(t, "ip", "iproute2")
	needTool(t, "python3", "python3-minimal")
	if inside() {
		group, _ := strconv.Atoi(os.Getenv(groupEnv))
		sh(t, "ip link set lo up")
		etc(t, nil)
		if err := syscall.Mount("none", "/run", "tmpfs", 0, ""); err != nil { // where no services are
			t.Fatalf("mount: %v", err)
		}
		all := append(slices.Clip(setups), randomSetups()...)
		names := 0
		for i := group; i < len(all); i += groups {
			t.Run(all[i].name, all[i].run)
			names += len(strings.Fields(cmp.Or(all[i].ask, usual)))
		}
		t.Logf("%d names in a share of %d set-ups", names, len(all))
		return
	}
	var wg sync.WaitGroup
	for group := range groups {
		attr := &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS}
		p := process{attr: attr, env: []string{groupEnv + "=" + strconv.Itoa(group)}}
		wg.Go(func() { p.run(t, nil) })
	}
	wg.Wait()
}

// A setup is what resolvers find: files, nameservers on 127.0.0.1, .2 and .3, and
// names to be asked for.
type setup struct {
	name     string
	resolv   string // without the lines of the nameservers
	hosts    string
	nsswitch string
	hostname string
	hostconf string // default: as Debian has it
	servers  []dnstest.Zone
	six      dnstest.Zone // of a nameserver on ::1
	anyCount bool         // how many questions there are is chance
	random   bool
	ask      string // separated by blanks; empty: usual
}

// usual are the names of set-ups that have none of their own.
const usual = "a.test A.TeSt a.test. v4.test v6.test none.test gone.test gone api api.ns svc.ns.x"

func (s setup) run(t *testing.T) {
	resolv := s.resolv + "\n"
	var servers []*dnstest.Server
	for i, zone := range s.servers {
		addr := fmt.Sprintf("127.0.0.%d", i+1)
		resolv += "nameserver " + addr + "\n"
		if zone != nil {
			servers = append(servers, dnstest.ServeAt(t, addr+":53", zone))
		}
	}
	if s.six != nil {
		servers = append(servers, dnstest.ServeAt(t, "[::1]:53", s.six))
	}
	if err := syscall.Sethostname([]byte(cmp.Or(s.hostname, "host"))); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"resolv.conf": resolv, "hosts": s.hosts, "nsswitch.conf": s.nsswitch, "host.conf": cmp.Or(s.hostconf, "multi on\n")} {
		if err := os.WriteFile("/etc/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	questions := func() (all []string) {
		for _, server := range servers {
			all = append(all, server.Asked()...)
		}
		return all
	}

	glibc := startGlibc(t)
	r := resolve.New(resolve.Config{})
	r.Begin()
	defer r.End()
	for _, word := range strings.Fields(cmp.Or(s.ask, usual)) {
		name, err := strconv.Unquote(`"` + word + `"`)
		if err != nil {
			t.Fatal(err)
		}
		want := glibc.lookup(t, name)
		wantAsked := questions()
		got := ours(t, r, name)
		gotAsked := questions()
		s.compare(t, word, "result", want, got, want == got || s.random && excused(want, got))
		if s.anyCount {
			continue
		}
		s.compare(t, word, "questions", strings.Join(wantAsked, ", "), strings.Join(gotAsked, ", "), len(gotAsked) <= len(wantAsked))
	}
}

// excused reports whether a result of a random set-up, in which there are failures
// of all kinds, may be told otherwise than by getaddrinfo.
func excused(glibc, ours string) bool { return glibc == "not found" && ours == "try again" }

// compare fails the test if two resolvers differ without agreement, or do not
// differ in spite of one.
func (s setup) compare(t *testing.T, name, what, glibc, ours string, alike bool) {
	t.Helper()
	why := reason(s.name, name, what)
	if alike != (why == "") {
		t.Errorf("%s: %q: %s of getaddrinfo: %s; ours: %s; agreed: %q", s.name, name, what, glibc, ours, why)
	}
}

// ours returns what package resolve finds, in the words of glibcScript.
func ours(t *testing.T, r *resolve.Resolver, name string) string {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var found []string
	class := "not found"
	r.Lookup(ctx, name, func(a resolve.Answer) {
		for _, addr := range a.Addrs {
			found = append(found, addr.String())
		}
		e, _ := errors.AsType[*resolve.Error](a.Err)
		switch {
		case e == nil, e.Kind.Missing():
		case e.Kind.Failed():
			class = "try again"
		default:
			class = e.Kind.String()
		}
	})
	if len(found) == 0 {
		return class
	}
	slices.Sort(found)
	return strings.Join(slices.Compact(found), " ")
}

// glibcScript answers every line, a name in hexadecimal, by a line: addresses or
// the class of the failure.
const glibcScript = `
import socket, sys
for line in sys.stdin:
    try:
        found = socket.getaddrinfo(bytes.fromhex(line.strip()), None, 0, socket.SOCK_STREAM)
        print(*(a[4][0] for a in found))
    except socket.gaierror as e:
        classes = {socket.EAI_NONAME: "not found", socket.EAI_NODATA: "not found", socket.EAI_AGAIN: "try again"}
        print(classes.get(e.errno, "error %d" % e.errno))
    except Exception as e:
        print("exception", e)
    sys.stdout.flush()
`

// A glibc is a process that calls getaddrinfo: one for each set-up, since the
// library remembers what it found out about nameservers.
type glibc struct {
	in  io.Writer
	out *bufio.Scanner
}

func startGlibc(t *testing.T) *glibc {
	t.Helper()
	python := "/usr/bin/python3" // Debian's, which is linked with Debian's library
	if _, err := os.Stat(python); err != nil {
		python = "python3"
	}
	cmd := exec.CommandContext(t.Context(), python, "-S", "-c", glibcScript)
	cmd.Env = append(os.Environ(), "LOCALDOMAIN=", "RES_OPTIONS=")
	cmd.Env = slices.DeleteFunc(cmd.Env, func(s string) bool {
		return strings.HasPrefix(s, "LOCALDOMAIN=") || strings.HasPrefix(s, "RES_OPTIONS=")
	})
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	return &glibc{in, bufio.NewScanner(out)}
}

func (g *glibc) lookup(t *testing.T, name string) string {
	t.Helper()
	fmt.Fprintln(g.in, hex.EncodeToString([]byte(name)))
	if !g.out.Scan() {
		t.Fatalf("getaddrinfo(%q): no answer: %v", name, g.out.Err())
	}
	words := strings.Fields(g.out.Text())
	for i, w := range words {
		if addr, err := netip.ParseAddr(w); err == nil {
			words[i] = addr.Unmap().String()
			if i == len(words)-1 {
				slices.Sort(words)
				words = slices.Compact(words)
			}
		}
	}
	return strings.Join(words, " ")
}

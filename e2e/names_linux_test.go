//go:build linux

package e2e_test

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/hostile"
	"example.com/checker/internal/resolve/dnstest"
)

// A nameRow is a world of names, and what a whole check finds there with the
// resolver that a Checker has by default. In each world something listens on port
// 80 of every loopback address, something slow on port 82, and nothing on port 81.
type nameRow struct {
	name     string
	resolv   string // without the lines of the nameservers
	hosts    string
	nsswitch string
	servers  []dnstest.Zone // on 127.0.0.1, .2 and .3; nil: nobody is there
	bare     bool           // no resolv.conf at all
	link     string         // addresses of an interface beside loopback, separated by blanks
	run      string         // a file below /run
	target   string         // with or without a scheme before it; default: a.test
	timeout  time.Duration  // default: two seconds
	opts     []checker.Option

	reason  checker.Reason // "": Online
	orFound bool           // Online is as good: the system's resolver may know
	from    time.Duration  // a check takes at least this
	upTo    time.Duration  // and at most this; default: at once
	text    string         // is part of the error's text
	unasked bool           // no nameserver has a question
}

const (
	atOnce   = 250 * time.Millisecond // with the 50 ms of grace that IPv6 has
	slowSite = 1200 * time.Millisecond
)

// Names as whole checks have them: a site that lives is never Offline, whatever its
// names meet, and one that is dead does not hide behind Unknown.
//
// The rows are shared out among processes, each with a network and an /etc of its
// own, since with silent nameservers most of the time is waiting.
func TestNames(t *testing.T) {
	const groups = 6
	const groupEnv = "CHECKER_E2E_GROUP"
	needRoot(t)
	needTool(t, "ip", "iproute2")
	rows := slices.Concat(familyRows(), hostsRows(), searchRows(), sourceRows(), slowRows())
	if inside() {
		group, _ := strconv.Atoi(os.Getenv(groupEnv))
		sh(t, "ip link set lo up")
		etc(t, nil)
		if err := syscall.Mount("none", "/run", "tmpfs", 0, ""); err != nil {
			t.Fatalf("mount: %v", err)
		}
		serveNames(t)
		for i := group; i < len(rows); i += groups {
			t.Run(rows[i].name, rows[i].check)
		}
		return
	}
	t.Logf("%d rows", len(rows))
	var wg sync.WaitGroup
	for group := range groups {
		attr := &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS}
		p := process{attr: attr, env: []string{groupEnv + "=" + strconv.Itoa(group)}}
		wg.Go(func() { p.run(t, nil) })
	}
	wg.Wait()
}

// serveNames starts the sites of all rows.
func serveNames(t *testing.T) {
	ok := hostile.Respond(hostile.OK)
	late := func(ctx context.Context, conn net.Conn) {
		hostile.ReadHead(conn)
		select {
		case <-time.After(slowSite):
			fmt.Fprint(conn, hostile.OK)
		case <-ctx.Done():
		}
	}
	hostile.Serve(t, ":80", ok) // of both families
	hostile.Serve(t, ":82", late)
}

// prepare makes the row's world and returns its nameservers.
func (row nameRow) prepare(t *testing.T) (servers []*dnstest.Server) {
	t.Helper()
	resolv := row.resolv + "\n"
	for i, zone := range row.servers {
		addr := fmt.Sprintf("127.0.0.%d", i+1)
		resolv += "nameserver " + addr + "\n"
		if zone != nil {
			servers = append(servers, dnstest.ServeAt(t, addr+":53", zone))
		}
	}
	files := map[string]string{"resolv.conf": resolv, "hosts": row.hosts, "nsswitch.conf": row.nsswitch}
	if row.bare {
		delete(files, "resolv.conf")
		os.Remove("/etc/resolv.conf")
	}
	for name, text := range files {
		if err := os.WriteFile("/etc/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if row.run != "" {
		path := "/run/" + row.run
		if err := os.MkdirAll(path[:strings.LastIndexByte(path, '/')], 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Remove(path) })
	}
	if err := syscall.Sethostname([]byte("host")); err != nil {
		t.Fatal(err)
	}
	if row.link != "" {
		sh(t, "ip link add d0 type veth peer name d1")
		t.Cleanup(func() { sh(t, "ip link del d0") })
		sh(t, "ip link set d0 up")
		sh(t, "ip link set d1 up")
		for _, addr := range strings.Fields(row.link) {
			nodad := ""
			if strings.Contains(addr, ":") {
				nodad = " nodad"
			}
			sh(t, "ip addr add "+addr+" dev d0"+nodad)
		}
	}
	return servers
}

// check checks, again if it was right and too slow: other programs may have had the
// processors. Each time is the first one for the Checker, which has seen nothing.
func (row nameRow) check(t *testing.T) {
	servers := row.prepare(t)
	target := cmp.Or(row.target, "http://a.test/")
	upTo := cmp.Or(row.upTo, atOnce)
	opts := append([]checker.Option{checker.WithTimeout(cmp.Or(row.timeout, 2*second))}, row.opts...)
	var took time.Duration
	for range 3 {
		c := sane(t, opts...)
		start := time.Now()
		r := c.Check(t.Context(), target)
		took = time.Since(start)
		if !row.orFound || !r.Online() {
			wantResult(t, r, row.reason, namePhase(row.reason))
			if !strings.Contains(fmt.Sprint(r.Err), row.text) {
				t.Errorf("Check(%q).Err = %v; want %q in it", target, r.Err, row.text)
			}
		}
		if t.Failed() || took <= upTo {
			break
		}
	}
	if took < row.from || took > upTo {
		t.Errorf("Check(%q) took %v; want between %v and %v", target, took, row.from, upTo)
	}
	for _, s := range servers {
		if asked := s.Asked(); row.unasked && len(asked) > 0 {
			t.Errorf("Check(%q) asked %q; want no questions", target, asked)
		}
	}
}

// namePhase returns where a check ends for a reason of these rows.
func namePhase(r checker.Reason) checker.Phase {
	switch r {
	case checker.ReasonRefused, checker.ReasonBlocked:
		return checker.PhaseConnect
	case checker.ReasonNotFound, checker.ReasonDNS:
		return checker.PhaseDNS
	}
	return ""
}

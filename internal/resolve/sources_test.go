package resolve

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"example.com/checker/internal/resolve/dnstest"
)

// Where systemd-resolved runs, "resolve" is asked by its stub, if resolv.conf leads
// there, and else by the system's own resolver, whose word counts: the service is
// there to be asked.
func TestResolvedRuns(t *testing.T) {
	f := dnstest.Serve(t, zone{"a.test": addrs("192.0.2.1"), "*": nxdomain})
	for _, tt := range []struct{ name, resolv, host, want string }{
		{"by the stub", "nameserver 127.0.0.53\n", "a.test", "192.0.2.1"},
		{"by the stub, not found", "nameserver 127.0.0.53\n", "gone.test.", "not found"},
		{"by the system", "nameserver 192.0.2.53\n", "a.test", "192.0.2.8"},
		{"by the system, not found", "nameserver 192.0.2.53\n", "gone.test.", "not found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			conf := world{
				resolv: tt.resolv, nsswitch: "hosts: files resolve [!UNAVAIL=return] dns\n",
				system: map[string]string{"a.test": "192.0.2.8"},
			}.config(t)
			conf.Server = func(netip.Addr) netip.AddrPort { return f.Addr }
			socket := filepath.Join(conf.Run, "systemd/resolve/io.systemd.Resolve")
			if err := os.MkdirAll(filepath.Dir(socket), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(socket, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			before := len(f.Asked())
			a4, _ := look(t, New(conf), tt.host)
			if say(a4) != tt.want {
				t.Errorf("Lookup(%q) = %v, %v; want %s", tt.host, say(a4), a4.Err, tt.want)
			}
			stub := tt.resolv == "nameserver 127.0.0.53\n"
			if asked := len(f.Asked()) > before; asked != stub {
				t.Errorf("a nameserver was asked: %t; want %t", asked, stub)
			}
		})
	}
}

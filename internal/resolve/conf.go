package resolve

import (
	"cmp"
	"context"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	"example.com/checker/internal/errno"
)

// lookAgain is how often the files are looked at for a change, at most.
const lookAgain = time.Second

// A Config says where a Resolver finds what it reads. The zero Config is that of
// the system; a test has its own.
type Config struct {
	Hosts      string // default /etc/hosts
	ResolvConf string // default /etc/resolv.conf
	NSSwitch   string // default /etc/nsswitch.conf
	Run        string // default /run, where services have their sockets

	// System asks the system's own resolver for the addresses of a name. Default:
	// that of the C library, where the program is built with cgo; else nil.
	System func(ctx context.Context, name string) ([]netip.Addr, error)

	// Server returns where the nameserver of an address listens. Default: port 53.
	Server func(netip.Addr) netip.AddrPort
}

func (c Config) withDefaults() Config {
	c.Hosts = cmp.Or(c.Hosts, "/etc/hosts")
	c.ResolvConf = cmp.Or(c.ResolvConf, "/etc/resolv.conf")
	c.NSSwitch = cmp.Or(c.NSSwitch, "/etc/nsswitch.conf")
	c.Run = cmp.Or(c.Run, "/run")
	if c.System == nil && cLibrary {
		c.System = func(ctx context.Context, name string) ([]netip.Addr, error) {
			return new(net.Resolver).LookupNetIP(ctx, "ip", name)
		}
	}
	if c.Server == nil {
		c.Server = func(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, 53) }
	}
	return c
}

// A conf is what the files say. It does not change; newer files make a newer one.
type conf struct {
	*resolvConf
	hosts    hosts
	noHosts  bool // there is no hosts file that can be read
	sources  []source
	hostname string

	mdnsAllow, resolved, machined bool // what else of the system decides whether a source has a say
}

// files keeps the conf of the system up to date.
type files struct {
	Config
	hosts, resolvConf, nsswitch file

	mu     sync.Mutex
	looked time.Time
	conf   *conf
}

// A file is one of the files as it was when it was read.
type file struct {
	path string
	info fs.FileInfo // nil if there was none
}

// current returns what the files say, or said within the last second: a batch looks
// up thousands of names in that time, and need not look at the files as often.
// The error is a scarce errno: all other failures are taken for a missing file, as
// the GNU C library takes them.
func (f *files) current() (*conf, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if f.conf != nil && now.Sub(f.looked) < lookAgain {
		return f.conf, nil
	}
	next, err := f.load()
	if err != nil {
		return nil, err
	}
	f.conf, f.looked = next, now
	return next, nil
}

// load reads those files that have changed since they were read.
func (f *files) load() (*conf, error) {
	next := &conf{}
	if f.conf != nil {
		*next = *f.conf
	} else {
		f.hosts.path, f.resolvConf.path, f.nsswitch.path = f.Hosts, f.ResolvConf, f.NSSwitch
	}
	err := f.hosts.read(f.conf == nil, func(text []byte, ok bool) {
		next.hosts, next.noHosts = parseHosts(text), !ok
	})
	if err == nil {
		err = f.resolvConf.read(f.conf == nil, func(text []byte, _ bool) {
			next.hostname, _ = os.Hostname()
			next.resolvConf = parseResolvConf(text, next.hostname, os.Getenv)
		})
	}
	if err == nil {
		err = f.nsswitch.read(f.conf == nil, func(text []byte, _ bool) {
			next.sources = parseNSSwitch(text)
		})
	}
	if err != nil {
		f.conf = nil // and all is read again: some of the files may count as read
		return nil, err
	}
	next.mdnsAllow = exists(filepath.Join(filepath.Dir(f.NSSwitch), "mdns.allow"))
	next.resolved = exists(filepath.Join(f.Run, "systemd/resolve/io.systemd.Resolve"))
	next.machined = holds(filepath.Join(f.Run, "systemd/machines"))
	return next, nil
}

// read has parse read the file, if it is not the one that was read before. For a
// file that cannot be read there is no text, and ok is false.
func (f *file) read(first bool, parse func(text []byte, ok bool)) error {
	info, err := os.Stat(f.path)
	if err != nil {
		info = nil
	}
	if !first && same(info, f.info) {
		return nil
	}
	text, err := os.ReadFile(f.path)
	if number, _ := errno.In(err); errno.Scarce(err) {
		return number
	}
	if f.info = info; err != nil {
		text = nil
	}
	parse(text, err == nil)
	return nil
}

// same reports whether a file is still the one that it was.
func same(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// holds reports whether there is anything in a directory.
func holds(path string) bool {
	entries, err := os.ReadDir(path)
	return err == nil && len(entries) > 0
}

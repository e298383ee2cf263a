package resolve

import (
	"context"
	"net/netip"
	"strings"
)

// literal reads the text of an address. What cannot be one is not parsed, since
// that would make an error of every name.
func literal(name string) (netip.Addr, bool) {
	if !strings.Contains(name, ":") && (name == "" || name[len(name)-1] < '0' || name[len(name)-1] > '9') {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(name)
	return addr, err == nil
}

// sources asks those of nsswitch.conf in turn.
func (l *lookup) sources(ctx context.Context) {
	for i := range l.conf.sources {
		src := &l.conf.sources[i]
		st := unavail
		switch src.name {
		case "files":
			st = l.files()
		case "dns":
			st = l.dns(ctx)
		default:
			concerned := false
			if concerned, st = src.concerns(l.name, l.conf); concerned {
				l.source = src.name
				return
			}
		}
		if st == success || src.last[st] || l.scarce != nil || l.ended != nil {
			return
		}
	}
}

// files looks into the hosts file. A name that is there has no other addresses,
// of either family.
func (l *lookup) files() status {
	if l.conf.noHosts {
		return unavail
	}
	addrs := l.conf.hosts[lower(l.name)]
	if len(addrs) == 0 {
		return notFound
	}
	l.local(addrs)
	return success
}

// local settles what the addresses, which are all that there are, settle.
func (l *lookup) local(addrs []netip.Addr) {
	for i := range l.families {
		f := &l.families[i]
		f.noAddress, f.failed, f.first = true, false, 0
		var found []netip.Addr
		for _, a := range addrs {
			if a.Is4() != (f.Family == IP4) || len(found) == maxAddrs {
				continue
			}
			if a = a.Unmap(); a.IsUnspecified() {
				f.sink = true
				continue
			}
			found = append(found, a)
		}
		if len(found) > 0 {
			l.settle(f, Answer{Addrs: found})
		}
	}
}

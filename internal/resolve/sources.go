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

// sources asks those of nsswitch.conf in turn. Where one of them is beyond this
// package, the system's own resolver is asked in its place.
func (l *lookup) sources(ctx context.Context) {
	if l.ask(ctx) || l.source == "" && !isMulticast(l.name) {
		return
	}
	if l.source == "" { // nobody who could know was asked
		l.source = multicast
	}
	l.system(ctx)
}

// multicast is the source of names for multicast DNS where nsswitch.conf names none.
const multicast = "mdns"

// ask asks those that can be asked and reports whether that settles the name, or
// whether it has to stop for want of time or descriptors.
func (l *lookup) ask(ctx context.Context) bool {
	for i := range l.conf.sources {
		src := &l.conf.sources[i]
		st := unavail
		switch {
		case src.name == "files":
			st = l.files()
		case src.name == "dns", src.name == "resolve" && l.conf.resolved && l.conf.stub():
			st = l.dns(ctx)
		default:
			concerned := false
			if concerned, st = src.concerns(l.name, l.conf); concerned {
				l.source = src.name
				if src.alone(l.name) {
					return false
				}
			}
		}
		if st == success {
			l.source = "" // what another source may know no longer matters
		}
		if st == success || l.scarce != nil || l.ended != nil {
			return true
		}
		if src.last[st] {
			break
		}
	}
	return false
}

// system asks the system's own resolver, if this program is linked with it. That finds
// a name by all sources, but its "not found" stands also for one that could not be
// asked; only the service behind "resolve" is known to be there.
func (l *lookup) system(ctx context.Context) {
	if l.r.files.System == nil {
		return
	}
	addrs, err := l.r.files.System(ctx, l.name)
	if l.expired(ctx) {
		return
	}
	if err == nil {
		l.source = ""
		l.local(addrs)
		return
	}
	if l.refusal = err; l.source == "resolve" && customKind(err).Missing() {
		l.source = ""
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

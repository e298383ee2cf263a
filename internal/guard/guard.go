// Package guard knows which IP addresses are public.
package guard

import (
	"fmt"
	"net/netip"
	"time"
)

//go:generate go run gen.go

var (
	global6 = netip.MustParsePrefix("2000::/3")
	nat64   = netip.MustParsePrefix("64:ff9b::/96")
)

// A block is an entry of an address registry.
type block struct {
	prefix netip.Prefix
	name   string
}

// Read returns the day on which the registries were read.
func Read() time.Time {
	day, _ := time.Parse(time.DateOnly, date)
	return day
}

// Public returns nil if addr is an address of the public Internet, and
// otherwise an error that names the registry's block that it is in.
//
// IPv4 is refused by the IANA IPv4 Special-Purpose Address Registry and for
// multicast. IPv6 is allowed only inside 2000::/3, the one block that IANA
// gives out as global unicast, less the IPv6 registry's entries in it; so what
// is registered there later is refused already. An IPv4 address inside an IPv6
// address counts as the IPv4 address where a host or a translator would connect
// to that (mapped, and NAT64 of RFC 6052), and is refused where it would go
// through a relay that nobody vouches for (6to4, Teredo).
func Public(addr netip.Addr) error {
	if addr.Zone() != "" {
		return fmt.Errorf("%v has a zone", addr)
	}
	addr = addr.Unmap()
	switch {
	case !addr.IsValid():
		return fmt.Errorf("not an address")
	case addr.Is4():
		return refusedBy(blocks4, addr)
	case nat64.Contains(addr):
		b := addr.As16()
		return refusedBy(blocks4, netip.AddrFrom4([4]byte(b[12:])))
	case !global6.Contains(addr):
		return fmt.Errorf("%v is outside of 2000::/3 (global unicast)", addr)
	}
	return refusedBy(blocks6, addr)
}

// refusedBy returns an error if addr is in one of blocks.
func refusedBy(blocks []block, addr netip.Addr) error {
	for i := range blocks {
		if blocks[i].prefix.Contains(addr) {
			return &refusal{addr, &blocks[i]}
		}
	}
	return nil
}

// A refusal is put into words only when somebody reads it.
type refusal struct {
	addr netip.Addr
	by   *block
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%v is in %v (%s)", r.addr, r.by.prefix, r.by.name)
}

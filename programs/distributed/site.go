package main

import (
	"hash/fnv"
	"net/netip"

	"golang.org/x/net/publicsuffix"

	"example.com/checker"
)

// Sites are spread over partitions. All chunks of a site are in one, and of each
// partition one chunk at a time is in the hands of a worker. Each is a consumer of the
// server, which has them all in memory.
const maxPartitions = 4096

// scheme names what decides which lines have a target, the partition of a target
// and the chunk of a line.
// It stands in the streams' metadata, so that programs that disagree find out.
var scheme = "cli.List.Sites, fnv32a(registrable domain of checker.Host), " + publicsuffix.List.String()

// partition returns the partition of a site, of so many.
func partition(site string, partitions int) int {
	h := fnv.New32a()
	h.Write([]byte(site))
	return int(h.Sum32() % uint32(partitions))
}

// site returns what the load on a target falls upon: the registrable domain of
// its host, so that a.example.org and b.example.org, which one machine may well
// serve, count as one; or its IP address. A text that names no host is a site of
// its own; nothing will be sent to it.
func site(target string) string {
	host, err := checker.Host(target)
	if err != nil {
		return target
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().String()
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return domain
	}
	return host
}

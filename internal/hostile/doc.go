// Package hostile has servers that misbehave in the ways in which web servers,
// networks and resolvers do. It is for tests.
//
// A [Handler] is what happens on one connection; [Serve] runs it behind a
// listener on loopback or on a [Net], which is a network in memory for
// testing/synctest bubbles. Handlers compose: [TLS] puts any of them behind a
// handshake, [Sequence] and [ByMethod] choose between them. [ServeDNS] is a
// resolver's server, [NewCA] makes certificates of every bad kind, and [StartPlain]
// starts a server in a process of its own.
package hostile

import "context"

// TB is what the kit needs of a *testing.T; programs bring their own.
type TB interface {
	Fataler
	Helper()
	Cleanup(func())
	Context() context.Context
	Skipf(format string, args ...any)
}

// A Fataler is what a [CA] needs of it.
type Fataler interface {
	Fatalf(format string, args ...any)
}

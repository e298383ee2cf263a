package resolve

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
	"example.com/checker/internal/hook"
)

type hookFunc func(ctx context.Context, network, host string) ([]netip.Addr, error)

func (f hookFunc) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	return f(ctx, network, host)
}

// What a resolver that is not ours says, in each family.
func TestCustom(t *testing.T) {
	type said struct {
		addrs string
		err   error
		do    func()
	}
	boom := func() { panic("boom") }
	for _, tt := range []struct {
		name         string
		ip4, ip6     said
		want4, want6 string
	}{
		{"both", said{addrs: "192.0.2.1"}, said{addrs: "2001:db8::1"}, "192.0.2.1", "2001:db8::1"},
		{"mapped", said{addrs: "::ffff:192.0.2.1"}, said{addrs: "::ffff:192.0.2.2"}, "192.0.2.1", "192.0.2.2"},
		{"nothing", said{}, said{}, "no address", "no address"},
		{"of the other family", said{addrs: "2001:db8::1"}, said{addrs: "192.0.2.1"}, "no address", "no address"},
		{"unspecified", said{addrs: "0.0.0.0"}, said{addrs: ":: 2001:db8::1"}, "sinkhole", "2001:db8::1"},
		{"no such host", said{err: &net.DNSError{IsNotFound: true}}, said{err: &net.DNSError{IsNotFound: true}}, "not found", "not found"},
		{"no address of the family", said{err: &net.AddrError{Err: "no suitable address"}}, said{addrs: "2001:db8::1"}, "no address", "2001:db8::1"},
		{"silence", said{err: &net.DNSError{IsTimeout: true}}, said{err: context.DeadlineExceeded}, "silent", "silent"},
		{"failure", said{err: &net.DNSError{IsTemporary: true}}, said{err: errors.New("any")}, "foreign", "foreign"},
		{"scarce", said{err: errors.Join(&net.DNSError{IsNotFound: true}, syscall.EMFILE)}, said{addrs: "2001:db8::1"}, "scarce", "2001:db8::1"},
		{"what this package says", said{err: &Error{Kind: ServFail}}, said{err: (*Error)(nil)}, "SERVFAIL", "foreign"},
		{"panics", said{do: boom}, said{do: boom}, "foreign", "foreign"},
		{"exits", said{do: runtime.Goexit}, said{addrs: "2001:db8::1"}, "foreign", "2001:db8::1"},
		{"an error that panics", said{err: (*net.DNSError)(nil)}, said{}, "foreign", "no address"},
		{"a thousand", said{addrs: strings.Repeat("192.0.2.1 ", 1000)}, said{}, strings.TrimSpace(strings.Repeat("192.0.2.1 ", maxAddrs)), "no address"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := NewCustom(hookFunc(func(_ context.Context, network, _ string) (addrs []netip.Addr, err error) {
				s := tt.ip4
				if network == "ip6" {
					s = tt.ip6
				}
				if s.do != nil {
					s.do()
				}
				for text := range strings.FieldsSeq(s.addrs) {
					addrs = append(addrs, netip.MustParseAddr(text))
				}
				return addrs, s.err
			}))
			var got [IP6 + 1]Answer
			c.Lookup(t.Context(), "a.test", func(a Answer) { got[a.Family] = a })
			if say(got[IP4]) != tt.want4 || say(got[IP6]) != tt.want6 {
				t.Errorf("Lookup = %v, %v; want %s, %s", say(got[IP4]), say(got[IP6]), tt.want4, tt.want6)
			}
			_, panicked := errors.AsType[*hook.PanicError](got[IP4].Err)
			if want := tt.ip4.do != nil || tt.ip4.err == error((*net.DNSError)(nil)); panicked != want {
				t.Errorf("Lookup error = %v; want that of a panic: %t", got[IP4].Err, want)
			}
		})
	}
}

// The end of the context ends a lookup, whatever the hook does.
func TestCustomEnds(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		defer close(release)
		c := NewCustom(hookFunc(func(_ context.Context, network, _ string) ([]netip.Addr, error) {
			if network == "ip6" {
				<-release
			}
			return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		var got [IP6 + 1]Answer
		c.Lookup(ctx, "a.test", func(a Answer) { got[a.Family] = a })
		if took := time.Since(start); took != time.Second || say(got[IP4]) != "192.0.2.1" || say(got[IP6]) != "silent" {
			t.Errorf("Lookup = %v, %v after %v; want an address and silence after 1s", say(got[IP4]), say(got[IP6]), took)
		}
	})
}

// A hook that returns the error of its context means why that has ended, and one that says
// the like by itself does not.
func TestAskCause(t *testing.T) {
	enough := errors.New("enough")
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(enough)
	c := NewCustom(hookFunc(func(context.Context, string, string) ([]netip.Addr, error) { return nil, context.Canceled }))
	for ctx, want := range map[context.Context]error{ended: enough, t.Context(): context.Canceled} {
		if _, err := c.ask(ctx, IP4, "a.test"); !errors.Is(err, want) {
			t.Errorf("ask() error = %v; want %v", err, want)
		}
	}
}

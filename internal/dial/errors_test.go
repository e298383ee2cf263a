package dial

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
)

func TestErrorText(t *testing.T) {
	one, two := errors.New("one"), errors.New("two")
	ap := netip.MustParseAddrPort(a1)
	for _, tt := range []struct {
		err  error
		want string
		is   error
	}{
		{&LookupError{Host: "h\n.test", Err: one}, `look up "h\n.test": one`, one},
		{&RouteError{Why: "no way", err: one}, "one: no way", nil},
		{&BlockedError{Addr: ap, Err: one}, "address 192.0.2.1:80 blocked: one", one},
		{&ICMPError{Text: "no route", By: ap.Addr(), err: one}, "one: 192.0.2.1 says: no route", nil},
		{&AbsentError{one}, "one: nobody on this machine's network answers to it", nil},
		{&TurnError{Err: one}, "one", one},
		{&LateError{Err: one}, "one", one},
		{joined([]error{one}), "one", one},
		{joined([]error{one, two}), "one\ntwo", two},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%T.Error() = %q; want %q", tt.err, got, tt.want)
		}
		if tt.is != nil && !errors.Is(tt.err, tt.is) {
			t.Errorf("%T does not wrap %v", tt.err, tt.is)
		}
	}
}

// A failed lookup is moot if all addresses of the other family were tried, and there is no
// reason to expect others: then it is not to blame.
func TestMoot(t *testing.T) {
	for _, tt := range []struct {
		name     string
		ip4, ip6 reply
		moot     []bool // by error, in order
		blamed   bool
	}{
		{"an error beside a refusal", one4, reply{err: errServFail}, []bool{false, true}, false},
		{"silence beside a refusal", one4, hang, []bool{false, false}, true},
		{"an error beside silence", hang, reply{err: errServFail}, []bool{false, false}, true},
		{"nothing beside a refusal", one4, reply{err: notFound}, []bool{false}, false},
		{"a refusal in each family", one4, one6, []bool{false, false}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				n := &network{replies: map[string]reply{a1: refused, b1: refused}}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				err := dialOnce(ctx, newDialer(zone{"ip4 h.test": tt.ip4, "ip6 h.test": tt.ip6}, n), "h.test", false)
				errs := []error{err}
				if many, ok := errors.AsType[*AddrsError](err); ok {
					errs = many.Errs
				}
				var moot []bool
				for _, err := range errs {
					l, ok := errors.AsType[*LookupError](err)
					moot = append(moot, ok && l.Moot)
				}
				if !slices.Equal(moot, tt.moot) || LookupFailed(err) != tt.blamed {
					t.Errorf("Dial error = %v, of which are moot: %t, and the lookup is to blame: %t; want %t, %t", err, moot, LookupFailed(err), tt.moot, tt.blamed)
				}
			})
		})
	}
}

package dial

import (
	"errors"
	"net/netip"
	"testing"
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

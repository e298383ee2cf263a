package dial

import "testing"

// There are words for whatever a router says.
func TestICMPText(t *testing.T) {
	const other = "the connection cannot be made"
	for _, tt := range []struct {
		ipv6      bool
		typ, code byte
		want      string
	}{
		{false, 3, 0, "net unreachable"},
		{false, 3, 1, "host unreachable"},
		{false, 3, 15, "precedence cutoff"},
		{false, 3, 16, other},
		{false, 1, 0, other},
		{false, 11, 0, other},
		{true, 1, 0, "no route"},
		{true, 1, 6, "route rejected"},
		{true, 1, 7, other},
		{true, 3, 0, other},
	} {
		if got := icmpText(tt.ipv6, tt.typ, tt.code); got != tt.want {
			t.Errorf("icmpText(%t, %d, %d) = %q; want %q", tt.ipv6, tt.typ, tt.code, got, tt.want)
		}
	}
}

package dial

import (
	"context"
	"strings"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
)

// Whoever connects by one family's addresses does not wait for the other's. What
// that family has is then not known: the next to connect to the name begins at
// once by the addresses that are, and asks for the others, which may be what it
// needs or say that there are none.
func TestLookupsHalf(t *testing.T) {
	const ttl = 30 * time.Second
	none := answer{after: 150 * ms, err: notFound}
	stubborn := answer{do: func() { time.Sleep(150 * ms) }, err: notFound} // heeds no context
	for _, tt := range []struct {
		name  string
		ip6   answer
		pause time.Duration // between the first and the second
		then  answer        // of the address to the second
		kind  string        // of the second's error
		after time.Duration
		dials string
		asked int // for IPv4
	}{
		{"up", none, time.Second, answer{after: ms}, "", ms, a1, 1},
		{"up, while the question is given up", stubborn, 0, answer{after: ms}, "", ms, a1, 1},
		{"refused", none, time.Second, refused, "refused", 150 * ms, a1, 1},
		{"refused, while the question is given up", stubborn, 0, refused, "refused", 150 * ms, a1, 1},
		{"silent", none, time.Second, hang, "deadline", 10 * time.Second, a1, 1},
		{"refused, and the other is not known", hang, time.Second, refused, "lookup, refused, deadline", 10 * time.Second, a1, 1},
		{"refused, and the other fails", answer{after: 150 * ms, err: errServFail}, time.Second, refused, "lookup, attempts, refused", 150 * ms, a1, 1},
		{"refused, and the other is up", v6.in(150 * ms), time.Second, refused, "", 150 * ms, a1 + " " + b1, 1},
		{"after the TTL", none, ttl, answer{after: ms}, "", 50*ms + ms, a1, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				r := &counting{Resolver: zone{"ip4 h.test.": v4, "ip6 h.test.": tt.ip6}}
				n := &network{answers: map[string]answer{}}
				d := newDialer(r, n)
				d.Lookups = NewLookups(r, ttl)
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				if err := dialOnce(ctx, d, "h.test", false); err != nil || time.Since(n.began) != 50*ms {
					t.Fatalf("the first Dial = %v after %v; want nil after 50ms", err, time.Since(n.began))
				}
				if tt.pause > 0 {
					time.Sleep(tt.pause - 50*ms)
				}
				before, _ := n.log()
				n.answers[a1] = tt.then
				start := time.Now()
				ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				err := dialOnce(ctx, d, "h.test", false)
				if kind(err) != tt.kind || time.Since(start) != tt.after {
					t.Errorf("the second Dial = %v, of kind %q, after %v; want %q after %v", err, kind(err), time.Since(start), tt.kind, tt.after)
				}
				time.Sleep(time.Second) // the stubborn ones end, too
				all, _ := n.log()
				var dials []string
				for _, d := range all[len(before):] {
					_, addr, _ := strings.Cut(d, " ")
					dials = append(dials, addr)
				}
				if got := strings.Join(dials, " "); got != tt.dials {
					t.Errorf("the second connects to %s; want %s", got, tt.dials)
				}
				if got := strings.Count(r.questions(), "ip4"); got != tt.asked {
					t.Errorf("%d questions for IPv4 were asked; want %d", got, tt.asked)
				}
			})
		})
	}
}

package pace

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
)

// took returns how long a Token of host key took, and its error.
func took(ctx context.Context, p *Pacer[item], key string) (time.Duration, error) {
	start := time.Now()
	err := p.Token(ctx, key)
	return time.Since(start), err
}

func checkToken(t *testing.T, ctx context.Context, p *Pacer[item], key string, want time.Duration, wantErr error) {
	t.Helper()
	if d, err := took(ctx, p, key); d != want || !errors.Is(err, wantErr) || wantErr == nil && err != nil {
		t.Errorf("Token(%q) = %v after %v; want %v after %v", key, err, d, wantErr, want)
	}
}

func TestToken(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		name   string
		limits Limits
		keys   []string
		want   []time.Duration
	}{
		{"no limit", Limits{}, []string{"a", "a", "a"}, []time.Duration{0, 0, 0}},
		{"all", Limits{Rate: 2, Burst: 1}, []string{"a", "b", "a"}, []time.Duration{0, 500 * ms, 500 * ms}},
		{"host", Limits{HostRate: 2, HostBurst: 1}, []string{"a", "b", "a", "a"}, []time.Duration{0, 0, 500 * ms, 500 * ms}},
		{"the slower one", Limits{Rate: 10, Burst: 1, HostRate: 2, HostBurst: 1}, []string{"a", "a", "b"}, []time.Duration{0, 500 * ms, 100 * ms}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				p := New[item](tt.limits)
				for i, key := range tt.keys {
					checkToken(t, t.Context(), p, key, tt.want[i], nil)
				}
			})
		})
	}
}

func TestTokenNoTurn(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := New[item](Limits{Rate: 2, Burst: 1})
		checkToken(t, t.Context(), p, "a", 0, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 499*time.Millisecond)
		defer cancel()
		for range 10 {
			checkToken(t, ctx, p, "a", 0, ErrNoTurn)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		checkToken(t, ctx, p, "a", 500*time.Millisecond, nil)
	})
}

func TestTokenCanceled(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := New[item](Limits{Rate: 2, Burst: 1})
		checkToken(t, t.Context(), p, "a", 0, nil)
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(200*time.Millisecond, func() { cancel(cause) })
		checkToken(t, ctx, p, "a", 200*time.Millisecond, cause)
		checkToken(t, t.Context(), p, "a", 300*time.Millisecond, nil)
	})
}

// A token of the host that was there is given back if the one of all limits
// together does not come. Time is real here: it passes between two calls.
func TestTokenNoTurnKeepsNone(t *testing.T) {
	p := New[item](Limits{Rate: 0.001, Burst: 1, HostRate: 0.001, HostBurst: 1})
	if err := p.Token(t.Context(), "a"); err != nil {
		t.Fatalf("Token(a) = %v; want nil", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := p.Token(ctx, "b"); !errors.Is(err, ErrNoTurn) {
		t.Fatalf("Token(b) = %v; want %v", err, ErrNoTurn)
	}
	// A host whose bucket is full is forgotten.
	if h := p.hosts.known["b"]; h != nil && h.bucket.Tokens() < 0.999 {
		t.Errorf("after ErrNoTurn the host has %.3f tokens; want 1", h.bucket.Tokens())
	}
}

// Further requests of a check that runs come out of the same buckets as the
// starts of others.
func TestTokenSharesWithQueue(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := New[item](Limits{Rate: 10, Burst: 1, HostWidth: 1})
		c := newCrew(p, 4, 10)
		c.work = func(it item) bool {
			if err := p.Token(t.Context(), it.host); err != nil {
				t.Errorf("Token(%q) = %v; want nil", it.host, err)
			}
			return false
		}
		c.push(0, "a", "a", "a", "a", "a")
		c.workers.Wait()
		if got, want := time.Since(c.began), 900*time.Millisecond; got != want {
			t.Errorf("5 starts and 5 tokens took %v; want %v", got, want)
		}
	})
}

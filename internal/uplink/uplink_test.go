package uplink

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
)

const ms = time.Millisecond

// A said is a Sign that comes when the Record is some time old.
type said struct {
	host  string
	proof Proof
	took  time.Duration
	at    time.Duration
}

// record returns a Record that hears them.
func record(signs ...said) *Record {
	r, zero := NewRecord(250*ms), time.Now()
	for _, s := range signs {
		time.AfterFunc(s.at, func() {
			r.Saw(Sign{s.host, s.proof, zero.Add(s.at - s.took), zero.Add(s.at)})
		})
	}
	return r
}

// steady returns signs of host that come every so often.
func steady(host string, proof Proof, took, from, to, every time.Duration) (signs []said) {
	for at := from; at <= to; at += every {
		signs = append(signs, said{host, proof, took, at})
	}
	return signs
}

func TestHeld(t *testing.T) {
	for _, tt := range []struct {
		name     string
		signs    []said
		q        Question
		asked    time.Duration // when
		from, to time.Duration
		want     bool
		at       time.Duration // when it is known
	}{
		{"nothing", nil, Question{}, 500 * ms, 0, 400 * ms, false, 500 * ms},
		{"all the time", steady("a", All, 20*ms, 0, 2000*ms, 250*ms), Question{}, 1100 * ms, 10 * ms, 1000 * ms, true, 1100 * ms},
		{"and a little longer", steady("a", All, 20*ms, 0, 2000*ms, 250*ms), Question{}, 1000 * ms, 10 * ms, 1100 * ms, true, 1250 * ms},
		{"not so long", steady("a", All, 20*ms, 0, 1000*ms, 250*ms), Question{}, 1000 * ms, 10 * ms, 1100 * ms, false, 2250 * ms},
		{"not so early", steady("a", All, 20*ms, 500*ms, 2000*ms, 250*ms), Question{}, 1500 * ms, 10 * ms, 1000 * ms, false, 1500 * ms},
		{"with a cut of 600 ms", append(steady("a", All, 20*ms, 0, 500*ms, 20*ms), steady("a", All, 20*ms, 1120*ms, 2000*ms, 20*ms)...),
			Question{}, 2000 * ms, 10 * ms, 1500 * ms, false, 2000 * ms},
		{"with a cut of 600 ms, of answers that were under way", append(append(steady("a", All, 600*ms, 0, 500*ms, 20*ms), said{"a", All, 650 * ms, 1110 * ms}), steady("a", All, 600*ms, 1700*ms, 2000*ms, 20*ms)...),
			Question{}, 2000 * ms, 10 * ms, 1500 * ms, false, 2000 * ms},
		{"now soon and now late", []said{{"a", 0, 20 * ms, 20 * ms}, {"a", 0, 600 * ms, 850 * ms}, {"a", 0, 20 * ms, 520 * ms}, {"a", 0, 700 * ms, 1450 * ms}, {"a", 0, 20 * ms, 1020 * ms}},
			Question{}, 1500 * ms, 10 * ms, 1000 * ms, true, 1500 * ms},
		{"slow", steady("a", All, 3000*ms, 0, 2000*ms, 250*ms), Question{}, 1100 * ms, 10 * ms, 1000 * ms, true, 1100 * ms},
		{"closer", steady("a", All, 0, 0, 2000*ms, 250*ms), Question{Dense: true}, 1100 * ms, 10 * ms, 1000 * ms, false, 1100 * ms},
		{"close", steady("a", All, 0, 0, 2000*ms, 90*ms), Question{Dense: true}, 1100 * ms, 10 * ms, 1000 * ms, true, 1100 * ms},
		{"begun after it", steady("a", All, 200*ms, 0, 2000*ms, 250*ms), Question{Anew: true}, 1000 * ms, 10 * ms, 1000 * ms, true, 1250 * ms},
		{"begun after a cut that followed", append(steady("a", All, 20*ms, 0, 500*ms, 20*ms), steady("a", All, 20*ms, 1120*ms, 2000*ms, 20*ms)...),
			Question{Anew: true}, 1200 * ms, 490 * ms, 500 * ms, false, 1750 * ms},
		{"by others", steady("a", All, 20*ms, 0, 2000*ms, 250*ms), Question{Host: "a"}, 1100 * ms, 10 * ms, 1000 * ms, false, 1100 * ms},
		{"by name", steady("a", OverTLS, 20*ms, 0, 2000*ms, 250*ms), Question{Proof: ByName}, 1100 * ms, 10 * ms, 1000 * ms, false, 1100 * ms},
		{"over TLS", steady("a", OverTLS, 20*ms, 0, 2000*ms, 250*ms), Question{Proof: OverTLS}, 1100 * ms, 10 * ms, 1000 * ms, true, 1100 * ms},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				zero, r := time.Now(), record(tt.signs...)
				time.Sleep(tt.asked + ms/2)
				got, err := r.Held(t.Context(), tt.q, zero.Add(tt.from), zero.Add(tt.to), zero.Add(5*time.Second))
				if at := time.Since(zero).Truncate(ms); got != tt.want || at != tt.at || err != nil {
					t.Errorf("Held(%+v, %v, %v) = %v, %v after %v; want %v after %v", tt.q, tt.from, tt.to, got, err, at, tt.want, tt.at)
				}
				time.Sleep(5 * time.Second)
			})
		})
	}
}

func TestAnswered(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		zero := time.Now()
		r := record(said{"a", ByName, 0, 100 * ms}, said{"b", OverTLS, 0, 300 * ms})
		time.AfterFunc(600*ms, func() { r.Lacked(All, zero.Add(500*ms)) })
		check := func(q Question, since time.Duration, want bool, at time.Duration) {
			t.Helper()
			got, err := r.Answered(t.Context(), q, zero.Add(since), zero.Add(time.Second))
			if now := time.Since(zero); got != want || now != at || err != nil {
				t.Errorf("Answered(%+v, %v) = %v, %v after %v; want %v after %v", q, since, got, err, now, want, at)
			}
		}
		check(Question{Host: "c"}, 0, true, 100*ms)
		check(Question{Host: "a"}, 0, true, 300*ms)
		check(Question{Proof: All}, 400*ms, false, 600*ms)
		check(Question{Proof: OverTLS}, 400*ms, false, time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := r.Answered(ctx, Question{}, time.Now(), time.Now().Add(time.Hour)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Answered = %v; want the end of its context", err)
		}
	})
}

package uplink

import (
	"testing"
	"time"
)

var zero = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// at returns a moment so many seconds after zero.
func at(seconds float64) time.Time {
	return zero.Add(time.Duration(seconds * float64(time.Second)))
}

type shown struct {
	by       string
	from, to float64
}

func TestAround(t *testing.T) {
	for _, tt := range []struct {
		name  string
		shown []shown
		who   string
		from  float64
		want  float64 // below 0 for not known
	}{
		{"nothing", nil, "a", 0, -1},
		{"within", []shown{{"b", 0, 5}}, "a", 2, 5},
		{"at its beginning", []shown{{"b", 2, 5}}, "a", 2, 5},
		{"before it", []shown{{"b", 2, 5}}, "a", 1.9, -1},
		{"soon after it", []shown{{"b", 2, 5}}, "a", 5.9, 5},
		{"long after it", []shown{{"b", 2, 5}}, "a", 6.1, -1},
		{"over a gap", []shown{{"b", 0, 0}, {"b", 1, 1}, {"c", 2, 2}}, "a", 0, 2},
		{"up to a longer one", []shown{{"b", 0, 0}, {"b", 1, 1}, {"b", 2.1, 2.1}}, "a", 0, 1},
		{"after a longer one", []shown{{"b", 0, 0}, {"b", 2, 3}}, "a", 2.5, 3},
		{"out of order", []shown{{"b", 2, 3}, {"b", 0, 0}, {"b", 1, 1}}, "a", 0, 3},
		{"between two", []shown{{"b", 0, 0}, {"b", 5, 5}, {"b", 2.5, 2.5}}, "a", 3, 2.5},
		{"one that takes in all", []shown{{"b", 1, 1}, {"b", 4, 4}, {"b", 0, 9}}, "a", 0, 9},
		{"by himself", []shown{{"a", 0, 0}, {"a", 0.5, 2}}, "a", 0, -1},
		{"by another too", []shown{{"a", 0, 0}, {"b", 0.5, 2}}, "a", 0, 2},
	} {
		l := log{gap: time.Second}
		for _, s := range tt.shown {
			l.add(span{from: at(s.from), to: at(s.to), by: s.by})
		}
		want := time.Time{}
		if tt.want >= 0 {
			want = at(tt.want)
		}
		if got := l.around(tt.who, at(tt.from)).to; !got.Equal(want) {
			t.Errorf("%s: around(%q, %v) = %v; want %v", tt.name, tt.who, tt.from, got, want)
		}
	}
}

func TestSince(t *testing.T) {
	l := log{gap: time.Second}
	l.add(span{from: at(0), to: at(1), by: "a"})
	l.add(span{from: at(5), to: at(6), by: "b"})
	for _, tt := range []struct {
		who  string
		from float64
		want bool
	}{
		{"a", 0, true}, {"a", 5.5, true}, {"a", 6, false}, {"b", 0, true}, {"b", 1, false}, {"b", 5.5, false},
	} {
		if got := l.since(tt.who, at(tt.from)); got != tt.want {
			t.Errorf("since(%q, %v) = %v; want %v", tt.who, tt.from, got, tt.want)
		}
	}
}

// However often it comes and goes, a log stays small, and knows of lately.
func TestBounded(t *testing.T) {
	l := log{gap: time.Second}
	const n = 10 * maxSpans
	for i := range n {
		l.add(span{from: at(float64(3 * i)), to: at(float64(3*i + 1)), by: "b"})
	}
	if len(l.spans) > maxSpans {
		t.Errorf("%d spans; want at most %d", len(l.spans), maxSpans)
	}
	from := at(3 * (n - 1))
	if got, want := l.around("a", from).to, from.Add(time.Second); !got.Equal(want) {
		t.Errorf("around(%q, %v) = %v; want %v", "a", from, got, want)
	}
}

package pace

import (
	"slices"
	"testing"
	"time"

	"example.com/checker/internal/bubble"
)

// After a shortage more checks run at once when twice as many as may run have ended well, and
// no fewer than eight: one more, then two, then four and so on, up to a quarter more.
func TestGrow(t *testing.T) {
	for _, tt := range []struct {
		slots, from int
		want        [][2]int // how many ended well, and may run at once from then on
	}{
		{9, 0, [][2]int{{8, 2}, {8, 3}, {8, 4}, {8, 5}, {10, 6}, {12, 7}, {14, 8}, {16, 9}}},
		{100, 8, [][2]int{{16, 9}, {18, 11}, {22, 13}, {26, 16}, {32, 20}, {40, 25}, {50, 31}, {62, 38}, {76, 47}, {94, 58}, {116, 72}, {144, 90}, {180, 100}}},
		{60, 40, [][2]int{{80, 41}, {82, 43}, {86, 47}, {94, 55}, {110, 60}}},
	} {
		q := newPacer(Limits{HostWidth: 1, Width: tt.slots}).Queue(1, nil)
		q.running = tt.from
		q.shrink()
		var got [][2]int
		for well, before := 0, q.allowed; q.allowed < tt.slots; {
			q.grow()
			if well++; q.allowed != before {
				got = append(got, [2]int{well, q.allowed})
				well, before = 0, q.allowed
			}
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("from %d on %d slots as many may run at once after as many ended well: %v; want %v", tt.from, tt.slots, got, tt.want)
		}
		for range 1000 {
			q.grow()
		}
		if q.allowed != tt.slots {
			t.Errorf("%d checks may run at once on %d slots", q.allowed, tt.slots)
		}
	}
}

// Fewer checks run at once if more of them met want than run, and more than a few.
func TestShrink(t *testing.T) {
	const slots = 20
	for _, tt := range []struct {
		running int
		after   int // that met want; 0 for never
		allowed int // from then on
	}{
		{4, 0, 0}, {5, 5, 1}, {8, 5, 3}, {12, 7, 5}, {13, 7, 6},
	} {
		bubble.Test(t, func(t *testing.T) {
			p := newPacer(Limits{HostWidth: slots, Width: slots})
			var turns []Turn[item]
			q := p.Queue(slots, func(turn Turn[item]) { turns = append(turns, turn) })
			for n := range tt.running {
				q.Push(item{host: "a", n: n})
			}
			for i, turn := range turns {
				q.Retry(turn, &Shortage[item]{Until: time.Now().Add(time.Hour)})
				want := slots
				if tt.after > 0 && i+1 >= tt.after {
					want = max(1, tt.running-i-1)
				}
				if i+1 == tt.after && want != tt.allowed || q.allowed != want {
					t.Errorf("after %d of %d checks met want %d may run at once; want %d, and %d after %d", i+1, tt.running, q.allowed, want, tt.allowed, tt.after)
				}
			}
			q.Stop()
			q.Drain()
		})
	}
}

// One check that meets want again and again says no more of it than the first time.
func TestShrinkNotByOne(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := newCrew(newPacer(Limits{HostWidth: 1}), 9, 9)
		tries := 0
		c.work = func(item) bool { tries++; return tries < 20 }
		c.push(0, "a")
		c.wait()
		if c.q.allowed != 9 || tries != 20 {
			t.Errorf("after %d tries of one check %d may run at once; want 9 after 20", tries, c.q.allowed)
		}
	})
}

// A check is given up when its time is over, if nobody runs who could give it what it lacks,
// or if it has had a fair chance beside those who do.
func TestHopeless(t *testing.T) {
	now := time.Now()
	for _, tt := range []struct {
		until   time.Time
		running int
		fair    int // tries right after others ended
		want    bool
	}{
		{now, 0, 0, true},
		{now.Add(1), 0, 0, false},
		{now, 1, fairTries, true},
		{now, 1, fairTries - 1, false},
		{now.Add(1), 1, fairTries, false},
	} {
		s := Shortage[item]{Until: tt.until, fair: tt.fair, q: &Queue[item]{running: tt.running}}
		if got := s.hopeless(now); got != tt.want {
			t.Errorf("hopeless() %v after its time, with %d running, after %d fair tries = %t; want %t", now.Sub(tt.until), tt.running, tt.fair, got, tt.want)
		}
	}
}

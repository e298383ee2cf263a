package main

import (
	"fmt"
	"math"
	"time"
)

// A plot is the histogram of latencies: columns of equal ratio, ten to a power
// of ten. What lies across is in per cent of the width, so that it fits every
// screen while letters keep their size; what lies upright is in pixels.
type plot struct {
	Columns []column
	Ticks   []mark
	Marks   []mark
	Lines   []mark
	Bottom  int
	Label   string
	Count   int
}

type column struct {
	X, W, Y, H float64
	Text       string
}

// A mark is a word at a place.
type mark struct {
	X, Y float64
	Text string
	End  bool // it ends there

	Minor bool // it is left out where there is little room
}

// The drawing, from above: the names of the percentiles, columns, the scale.
const (
	plotTop    = 52
	plotBottom = 212
)

// perDecade columns grow by a factor of 1.26 each.
const perDecade = 10

// bin returns how many columns lie between 1 µs and us.
func bin(us int64) float64 { return math.Log10(float64(max(us, 1))) * perDecade }

// edge is where a column begins.
func edge(k int) time.Duration {
	return time.Duration(math.Pow(10, float64(k)/perDecade) * float64(time.Microsecond))
}

func (s *stats) plot() *plot {
	counts := make(map[int]int)
	for _, b := range s.latency.Distribution() {
		if b.Count > 0 {
			counts[int(bin(b.From))] += int(b.Count)
		}
	}
	first, last, most := math.MaxInt, 0, 0
	for k, n := range counts {
		first, last, most = min(first, k), max(last, k), max(most, n)
	}
	const fewest = 6 // a lone column would fill the page
	for last-first+1 < fewest {
		first, last = first-1, last+1
	}
	n := last - first + 1
	at := func(k float64) float64 { return (k - float64(first)) / float64(n) * 100 }

	p := &plot{Bottom: plotBottom, Count: int(s.latency.TotalCount())}
	for k := first; k <= last; k++ {
		if counts[k] == 0 {
			continue
		}
		h := max(1, float64(counts[k])/float64(most)*(plotBottom-plotTop))
		text := fmt.Sprintf("%s to %s: %s", show(edge(k)), show(edge(k+1)), count(counts[k], "site", "sites"))
		p.Columns = append(p.Columns, column{at(float64(k)) + 6/float64(n), 88 / float64(n), plotBottom - h, h, text})
	}
	p.ticks(first, last, at)
	for i, pc := range []float64{50, 95, 99} {
		v := s.percentile(pc)
		x := min(at(bin(v.Microseconds())), 100)
		p.Marks = append(p.Marks, mark{X: x, Y: float64(14 + 15*i), Text: fmt.Sprintf("p%.0f %s", pc, show(v)), End: x > 70})
	}
	for _, share := range []int{most, most / 2} {
		if share > 0 {
			y := plotBottom - float64(share)/float64(most)*(plotBottom-plotTop)
			p.Lines = append(p.Lines, mark{Y: y, Text: group(share)})
		}
	}
	p.Label = fmt.Sprintf("latency of %s: half within %s, 95 %% within %s, 99 %% within %s",
		count(p.Count, "online site", "online sites"), show(s.percentile(50)), show(s.percentile(95)), show(s.percentile(99)))
	return p
}

// ticks names the powers of ten, and 2 and 5 times them if there is room.
func (p *plot) ticks(first, last int, at func(float64) float64) {
	decades := float64(last-first) / perDecade
	for k := first; k <= last; k++ {
		power := math.Floor(float64(k) / perDecade)
		round := map[int]float64{0: 1, 3: 2, 7: 5}[k-int(power)*perDecade]
		minor := round != 1 && decades > 1.5
		if round == 0 || minor && decades > 4 {
			continue
		}
		us := round * math.Pow(10, power)
		p.Ticks = append(p.Ticks, mark{X: max(0, at(math.Log10(us)*perDecade)), Text: tickText(us), Minor: minor})
	}
}

func tickText(us float64) string {
	if us >= 1e6 {
		return fmt.Sprintf("%g s", us/1e6)
	}
	return fmt.Sprintf("%g ms", math.Round(us)/1e3)
}

//go:build linux

package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// A plotPoint is what the contestants cost with so many checks at once.
type plotPoint struct {
	atOnce int
	cost   map[string]float64 // µs of CPU per check
}

// The plot's size, and the place of its axes in it.
const (
	plotWidth, plotHeight = 720, 400
	left, right           = 60, 610
	top, bottom           = 50, 350
)

// colours are told apart also by those who see fewer.
var colours = map[string]string{
	ours: "#0072b2", "net/http": "#d55e00", "fasthttp": "#009e73", "floor": "#777777",
}

var errNoPlot = errors.New("the scenario that the plot is of was not run")

// A plot draws the cost over the checks at once, the latter by powers of ten.
type plot struct {
	strings.Builder
	points    []plotPoint
	low, high float64 // the ends of the x axis, as logarithms
	max, step float64 // the end of the y axis, and between two of its lines
}

// svg writes the plot.
func (rep *report) svg(w io.Writer) error {
	if len(rep.plot) < 2 {
		return errNoPlot
	}
	p := &plot{points: rep.plot}
	p.low = math.Log10(float64(p.points[0].atOnce))
	p.high = math.Log10(float64(p.points[len(p.points)-1].atOnce))
	for _, pt := range p.points {
		for _, c := range pt.cost {
			p.max = max(p.max, c)
		}
	}
	p.step = niceStep(p.max / 5)
	p.max = p.step * math.Ceil(p.max/p.step)
	p.draw()
	_, err := io.WriteString(w, p.String())
	return err
}

// niceStep returns the next of 1, 2, 5, 10, 20, 50 and so on.
func niceStep(least float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(least)))
	for _, n := range []float64{1, 2, 5} {
		if n*unit >= least {
			return n * unit
		}
	}
	return 10 * unit
}

func (p *plot) x(atOnce int) float64 {
	return left + (right-left)*(math.Log10(float64(atOnce))-p.low)/(p.high-p.low)
}

func (p *plot) y(cost float64) float64 { return bottom - (bottom-top)*cost/p.max }

func (p *plot) add(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *plot) draw() {
	p.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="13" role="img">`, plotWidth, plotHeight)
	p.add(`<title>CPU time per check over the checks at once</title>`)
	p.add(`<rect width="%d" height="%d" rx="6" fill="#fff"/>`, plotWidth, plotHeight)
	p.add(`<text x="%d" y="26" font-size="15" font-weight="600" fill="#222">CPU per plain-HTTP check, µs</text>`, left-44)
	p.axes()
	for _, who := range everybody {
		p.curve(who)
	}
	p.labels()
	p.add(`</svg>`)
}

func (p *plot) axes() {
	for v := 0.0; v <= p.max+p.step/2; v += p.step {
		p.add(`<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#e4e4e4"/>`, left, right, p.y(v), p.y(v))
		p.add(`<text x="%d" y="%.1f" text-anchor="end" fill="#555">%g</text>`, left-8, p.y(v)+4, v)
	}
	for _, pt := range p.points {
		p.add(`<text x="%.1f" y="%d" text-anchor="middle" fill="#555">%d</text>`, p.x(pt.atOnce), bottom+20, pt.atOnce)
	}
	p.add(`<text x="%d" y="%d" text-anchor="middle" fill="#555">checks at once</text>`, (left+right)/2, bottom+40)
}

func (p *plot) curve(who string) {
	width := 2.0
	if who == ours {
		width = 3.5
	}
	var line strings.Builder
	for _, pt := range p.points {
		fmt.Fprintf(&line, "%.1f,%.1f ", p.x(pt.atOnce), p.y(pt.cost[who]))
		p.add(`<circle cx="%.1f" cy="%.1f" r="%.1f" fill="%s"/>`, p.x(pt.atOnce), p.y(pt.cost[who]), width+0.5, colours[who])
	}
	p.add(`<polyline points="%s" fill="none" stroke="%s" stroke-width="%.1f" stroke-linejoin="round"/>`,
		strings.TrimSpace(line.String()), colours[who], width)
}

// labels names the curves at their ends, moved apart where they are close.
func (p *plot) labels() {
	last := p.points[len(p.points)-1].cost
	order := slices.Clone(everybody)
	slices.SortFunc(order, func(a, b string) int { return int(last[b] - last[a]) })
	const apart = 17
	at := float64(top - apart)
	for _, who := range order {
		at = max(at+apart, p.y(last[who]))
		p.add(`<text x="%d" y="%.1f" fill="%s" font-weight="600">%s</text>`, right+12, at+4, colours[who], who)
	}
}

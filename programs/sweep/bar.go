package main

import (
	"fmt"
	"io"

	"github.com/schollz/progressbar/v3"

	"example.com/checker"
)

// A bar shows on a terminal how far a run is. A nil bar shows nothing.
type bar struct {
	p *progressbar.ProgressBar
}

// newBar returns a bar for as many sites, or for an unknown number if that is
// negative.
func newBar(terminal io.Writer, sites int) *bar {
	p := progressbar.NewOptions(max(sites, -1),
		progressbar.OptionSetWriter(terminal),
		progressbar.OptionFullWidth(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("sites"),
		progressbar.OptionSetPredictTime(sites >= 0),
		progressbar.OptionThrottle(tick/2),
		progressbar.OptionUseANSICodes(true),
		progressbar.OptionClearOnFinish(),
	)
	_ = p.RenderBlank() // the time begins now
	return &bar{p}
}

// show moves the bar on; as many sites are held to be asked again. The sites of an earlier run are in none of its
// figures, which would make the time left too short.
func (b *bar) show(s *stats, held int) {
	if b == nil {
		return
	}
	_ = b.p.Set(s.total - s.earlier) // an error of the terminal is not the sweep's
	text := fmt.Sprintf("%d online, %d offline, %d unknown",
		s.statuses[checker.Online], s.statuses[checker.Offline], s.statuses[checker.Unknown])
	if held > 0 {
		text += fmt.Sprintf(", %d to ask again", held)
	}
	b.p.Describe(text)
}

func (b *bar) clear() {
	if b != nil {
		_ = b.p.Clear()
	}
}

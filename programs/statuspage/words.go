package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// A stamp is a moment for a <time> element, which shows it by the clock of this machine.
type stamp time.Time

func (s stamp) IsZero() bool    { return time.Time(s).IsZero() }
func (s stamp) Machine() string { return time.Time(s).UTC().Format(time.RFC3339) }
func (s stamp) Full() string {
	return time.Time(s).Local().Format("Monday 2 January 2006, 15:04:05 MST")
}
func (s stamp) Clock() string { return time.Time(s).Local().Format("15:04:05 MST") }

// Short is the time of day, with the date if it was not today.
func (s stamp) Short() string {
	t, now := time.Time(s).Local(), time.Now()
	if t.YearDay() == now.YearDay() && t.Year() == now.Year() {
		return t.Format("15:04 MST")
	}
	return t.Format("2 January, 15:04 MST")
}

// ago writes a duration as people say it, in one or two units.
func ago(d time.Duration) string {
	s := int(max(d, 0).Seconds())
	m, h := s/60, s/3600
	switch {
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case m < 60:
		return fmt.Sprintf("%d min", m)
	case h < 10:
		return fmt.Sprintf("%d h %d min", h, m%60)
	case h < 48:
		return fmt.Sprintf("%d h", h)
	}
	return count(h/24, "day")
}

// brief writes a latency.
func brief(d time.Duration) string {
	switch {
	case d == 0:
		return "–"
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// percent writes a share rounded down, so that 100 % means that nothing failed.
func percent(up, measured time.Duration) string {
	if measured <= 0 {
		return "–"
	}
	return strconv.FormatFloat(math.Floor(float64(up)/float64(measured)*1e4)/100, 'f', -1, 64) + " %"
}

// lifetime writes how long a certificate is still good.
func lifetime(expires, now time.Time) (text, class string) {
	left := expires.Sub(now)
	switch {
	case expires.IsZero():
		return "–", ""
	case left < 0:
		return "expired", "over"
	case left < soon:
		return count(int(left.Hours()/24), "day"), "soon"
	}
	return count(int(left.Hours()/24), "day"), ""
}

// count writes a number of things.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// cut returns the beginning of a text, of at most n bytes, up to the end of a
// word if there is one near.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	text = strings.ToValidUTF8(text[:n], "")
	if i := strings.LastIndexByte(text, ' '); i > n/2 {
		text = strings.TrimRight(text[:i], " ,;:")
	}
	return text + "…"
}

package cli

import (
	"maps"
	"slices"
	"strconv"
	"testing"
)

// Whatever is skipped, and in whatever order Results come, each has its line.
func TestNumbers(t *testing.T) {
	var n Numbers
	lines := func(yield func(Site) bool) {
		for i := 1; yield(Site{Line: 10 * i, Target: strconv.Itoa(10 * i)}); i++ {
		}
	}
	var pulled []string
	for target := range n.Targets(lines, func(s Site) bool { return s.Line%3 == 0 && s.Target != "60" }) {
		if pulled = append(pulled, target); len(pulled) == 4 {
			break
		}
	}
	if want := []string{"30", "90", "120", "150"}; !slices.Equal(pulled, want) {
		t.Fatalf("Targets yields %q; want %q", pulled, want)
	}
	for _, i := range []int{2, 0, 3, 1} {
		if got := strconv.Itoa(n.Line(i)); got != pulled[i] {
			t.Errorf("Line(%d) = %s; want %s", i, got, pulled[i])
		}
	}
	if len(n.lines) > 0 {
		t.Errorf("the lines %v are kept", slices.Collect(maps.Values(n.lines)))
	}
}

package emulator

import (
	"os"
	"testing"
)

type skipped struct {
	testing.TB
	n int
}

func (s *skipped) Skipf(string, ...any) { s.n++ }

// Tests are skipped under the emulator that .ci/machines says it is, and nowhere else.
func TestSkip(t *testing.T) {
	want := os.Getenv("CHECKER_EMULATOR")
	for _, name := range []string{Wine, QEMU} {
		s := &skipped{TB: t}
		Skip(s, name, "it is tried")
		if (s.n > 0) != (name == want) {
			t.Errorf("Skip(%q) skips a test = %t, while CHECKER_EMULATOR is %q", name, s.n > 0, want)
		}
	}
}

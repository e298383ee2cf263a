// Package emulator is for tests. It knows the emulators that .ci/machines runs them on,
// and skips there what these cannot do.
package emulator

// The emulators.
const (
	Wine = "Wine" // the API of Windows
	QEMU = "QEMU" // the processor of another machine, on the kernel of this one
)

// Is reports whether this process runs on an emulator. Everything takes longer there.
func Is(name string) bool { return here() == name }

// Skip skips a test under an emulator, and says why. Anywhere else it does nothing, and
// the test has to pass.
func Skip(tb interface {
	Helper()
	Skipf(format string, args ...any)
}, name, why string) {
	tb.Helper()
	if Is(name) {
		tb.Skipf("under %s: %s", name, why)
	}
}

package emulator

import "syscall"

// here returns the emulator that this process runs on, by a function that Windows lacks.
func here() string {
	if syscall.NewLazyDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil {
		return Wine
	}
	return ""
}

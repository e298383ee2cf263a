package errno

import "os"

// ScarceFiles returns nil if this process can open n more files, and otherwise the
// errno that says what is scarce.
func ScarceFiles(n int) error {
	files := make([]*os.File, 0, n)
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	for range n {
		f, err := os.Open(os.DevNull)
		if number, _ := In(err); Scarce(err) {
			return number
		}
		if err == nil {
			files = append(files, f)
		}
	}
	return nil
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
)

// Open opens a list; "" and "-" are standard input. A directory is refused.
func Open(name string) (*os.File, error) {
	if name == "" || name == "-" {
		return os.Stdin, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, errors.Join(fmt.Errorf("%s is a directory, not a list", name), f.Close())
	}
	return f, nil
}

// ReadSites returns the sites that a file lists, which is opened as by Open. None are an
// error, and so is a list that ends early: whoever wants all of it has no use for a part.
// It returns as well when ctx ends, since a list may come from a terminal.
func ReadSites(ctx context.Context, name string) ([]Site, error) {
	var sites []Site
	err := Until(ctx, func() error {
		f, err := Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		l := NewList(f)
		if err := l.Begin(); err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
		sites = slices.Collect(l.Sites())
		if err := l.Err(); err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
		return nil
	})
	if err != nil {
		return nil, err // sites may still be written to
	}
	return sites, nil
}

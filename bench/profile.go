//go:build linux

package main

import (
	"errors"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
)

// profile begins to profile this process and returns what ends that and writes
// the files prefix.cpu, prefix.allocs, prefix.mutex and prefix.block. An empty
// prefix means not to; the figures of a run that is profiled are worth less.
func profile(prefix string) (finish func() error, err error) {
	if prefix == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(prefix + ".cpu")
	if err != nil {
		return nil, err
	}
	runtime.MemProfileRate = 16 << 10
	runtime.SetMutexProfileFraction(10)
	runtime.SetBlockProfileRate(1_000_000)
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		err := f.Close()
		for _, name := range []string{"allocs", "mutex", "block"} {
			err = errors.Join(err, create(prefix+"."+name, func(w io.Writer) error {
				return pprof.Lookup(name).WriteTo(w, 0)
			}))
		}
		return err
	}, nil
}

// create writes a file.
func create(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

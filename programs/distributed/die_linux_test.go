package main

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
)

// dieAt returns what a child does at its marks: what its environment says.
func dieAt() func(string, chunk) {
	var point string
	var n, seen atomic.Int64
	if text := os.Getenv(killEnv); text != "" {
		var times int64
		i := len(text) - 1
		for text[i] != ' ' {
			i--
		}
		point = text[:i]
		fmt.Sscan(text[i:], &times)
		n.Store(times)
	}
	poison := os.Getenv(poisonEnv)
	return func(at string, c chunk) {
		if at == point && seen.Add(1) == n.Load() {
			die()
		}
		if at == "checking" && poison != "" {
			for _, l := range c.lines {
				if l.target == poison {
					die()
				}
			}
		}
	}
}

// die is kill -9: nothing is flushed, closed or said.
func die() {
	syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

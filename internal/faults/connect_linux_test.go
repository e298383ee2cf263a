package faults_test

import (
	"testing"
	"time"

	"example.com/checker"
	"example.com/checker/internal/faults"
	"example.com/checker/internal/hostile"
)

// C3: a host whose queue is full does not answer.
func TestFullBacklog(t *testing.T) {
	addr := hostile.FullBacklog(t)
	c := faults.NewChecker(t, checker.WithTimeout(300*time.Millisecond))
	start := time.Now()
	r := c.Check(t.Context(), "http://"+addr.String())
	fault{reason: checker.ReasonTimeout, phase: checker.PhaseConnect}.check(t, r)
	if took := time.Since(start); took < 300*time.Millisecond || took > 550*time.Millisecond {
		t.Errorf("Check(%q) took %v; want 300ms", r.Target, took)
	}
}

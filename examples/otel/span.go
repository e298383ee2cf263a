package main

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"example.com/checker"
)

// record makes spans of a Result: one for the check, below the one in ctx if
// there is one, and below it one for each phase. A Result has the phases of the
// exchange that decided, not when they began: here they end with the check, or
// begin with it if it failed, which is exact unless there were more exchanges.
func record(ctx context.Context, tracer trace.Tracer, r checker.Result) {
	at, d := r.Start, r.Timing
	if at.IsZero() { // it never got a turn
		at = time.Now()
	}
	end := at.Add(d.Total)
	ctx, span := tracer.Start(ctx, "check", trace.WithTimestamp(at.Add(-d.Wait)), trace.WithAttributes(
		attribute.String("url.full", r.URL), // not the Target, which may hold a password
		attribute.String("checker.status", string(r.Status()))))
	defer span.End(trace.WithTimestamp(end))
	if r.StatusCode != 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", r.StatusCode))
	}
	child := func(name checker.Phase, start, end time.Time) {
		if end.After(start) {
			_, span := tracer.Start(ctx, string(name), trace.WithTimestamp(start))
			span.End(trace.WithTimestamp(end))
		}
	}
	child(checker.PhaseWait, at.Add(-d.Wait), at)
	if r.Err != nil {
		span.SetStatus(codes.Error, r.Err.Error())
		span.SetAttributes(attribute.String("error.type", string(r.Reason())))
		if cause := r.Cause(); cause != "" {
			span.SetAttributes(attribute.String("checker.cause", string(cause)))
		}
	} else {
		at = end.Add(-d.DNS - d.Connect - d.TLS - d.FirstByte)
	}
	for _, phase := range []struct {
		name checker.Phase
		d    time.Duration
	}{
		{checker.PhaseDNS, d.DNS}, {checker.PhaseConnect, d.Connect}, {checker.PhaseTLS, d.TLS},
		{checker.PhaseRequest, 0}, {checker.PhaseResponse, d.FirstByte}, {checker.PhaseJudge, 0},
	} {
		start := at
		if at = at.Add(phase.d); phase.name == r.Phase() {
			at = end
		}
		child(phase.name, start, at)
	}
}

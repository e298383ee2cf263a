package main

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/trace"

	"example.com/checker"
)

const scope = "example.com/checker/examples/otel"

// A recorder makes spans and a metric of Results, as the semantic conventions
// for HTTP clients have them: https://opentelemetry.io/docs/specs/semconv/http/.
type recorder struct {
	tracer   trace.Tracer
	duration httpconv.ClientRequestDuration
}

func newRecorder(t trace.TracerProvider, m metric.MeterProvider) (recorder, error) {
	duration, err := httpconv.NewClientRequestDuration(m.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL)))
	return recorder{t.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL)), duration}, err
}

// record makes one span of a check, with its retries, redirects and fallbacks,
// since a Result does not tell the times of each request. In it is one for each
// phase of the exchange that decided.
//
// The status of a span is that of the check: a 404 that a judge does not mind is
// no error. A check that asked nobody, for a target that is no URL or a context
// that ended before its turn, is no HTTP request, and so in no metric.
func (rec recorder) record(ctx context.Context, r checker.Result) {
	name, kind, start := r.Method, trace.SpanKindClient, r.Start
	var own, common []attribute.KeyValue
	asked := r.URL != "" && !r.Start.IsZero()
	if asked {
		own, common = request(r)
	} else {
		name, kind, start = "check", trace.SpanKindInternal, time.Now()
	}
	if r.Err != nil {
		common = append(common, semconv.ErrorTypeKey.String(string(r.Reason())))
	}
	own = append(own, attribute.String("checker.status", string(r.Status())))
	if cause := r.Cause(); cause != "" {
		own = append(own, attribute.String("checker.cause", string(cause)))
	}
	own = append(own, attribute.Float64("checker.wait", r.Timing.Wait.Seconds())) // for its turn, before the span begins
	end := start.Add(r.Timing.Total)
	ctx, span := rec.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithTimestamp(start),
		trace.WithAttributes(common...), trace.WithAttributes(own...))
	defer span.End(trace.WithTimestamp(end))
	if r.Err != nil {
		span.SetStatus(codes.Error, r.Err.Error())
	}
	rec.phases(ctx, r, start, end)
	if asked {
		rec.duration.RecordSet(ctx, r.Timing.Total.Seconds(), attribute.NewSet(common...))
	}
}

// request returns what tells of a request: what spans alone have, since it has
// too many values for a metric, and what both have.
func request(r checker.Result) (own, common []attribute.KeyValue) {
	full := r.URL // not the Target, which may hold a password
	if len(r.Hops) > 0 {
		full = r.Hops[0].URL // the conventions want what was asked first
	}
	scheme, rest, _ := strings.Cut(full, "://")
	authority, _, _ := strings.Cut(rest, "/") // url.Parse refuses some paths that browsers take
	u := url.URL{Host: authority}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		port = map[string]int{"http": 80, "https": 443}[scheme]
	}
	own = append(own, semconv.URLFull(full))
	common = append(common, semconv.HTTPRequestMethodKey.String(r.Method),
		semconv.ServerAddress(u.Hostname()), semconv.ServerPort(port), semconv.URLScheme(scheme))
	if r.Addr.IsValid() {
		own = append(own, semconv.NetworkPeerAddress(r.Addr.Addr().String()), semconv.NetworkPeerPort(int(r.Addr.Port())))
	}
	if r.StatusCode != 0 {
		common = append(common, semconv.HTTPResponseStatusCode(r.StatusCode))
	}
	if version, ok := strings.CutPrefix(r.Proto, "HTTP/"); ok {
		common = append(common, semconv.NetworkProtocolVersion(strings.Replace(version, "2.0", "2", 1)))
	}
	return own, common
}

// phases makes a span for each phase. A Result has how long they took, not when
// they began: they end with the check, or begin with it if it failed, which is
// exact unless there were more exchanges.
func (rec recorder) phases(ctx context.Context, r checker.Result, start, end time.Time) {
	at, d := start, r.Timing
	if r.Err == nil {
		at = end.Add(-d.DNS - d.Connect - d.TLS - d.FirstByte)
	}
	for _, phase := range []struct {
		name checker.Phase
		d    time.Duration
	}{
		{checker.PhaseDNS, d.DNS}, {checker.PhaseConnect, d.Connect}, {checker.PhaseTLS, d.TLS},
		{checker.PhaseRequest, 0}, {checker.PhaseResponse, d.FirstByte}, {checker.PhaseJudge, 0},
	} {
		from := at
		if at = at.Add(phase.d); phase.name == r.Phase() {
			at = end
		}
		if at.After(from) {
			_, span := rec.tracer.Start(ctx, string(phase.name), trace.WithTimestamp(from))
			span.End(trace.WithTimestamp(at))
		}
	}
}

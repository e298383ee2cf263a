// Command otel checks sites and tells OpenTelemetry of each check: a span with
// its phases, and a value of the metric http.client.request.duration.
//
//	otel https://example.org/ example.net
//	otel -otlp https://example.org/
//
// They go to standard output, or by OTLP to the collector of the environment
// variable OTEL_EXPORTER_OTLP_ENDPOINT, which by default is this machine's.
// OTEL_SERVICE_NAME says what they are of. What to copy is in record.go.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"io"
	"iter"
	"os"
	"slices"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"example.com/checker"
	"example.com/checker/examples/cli"
)

const usage = `otel [flags] URL…

Check sites, and trace and measure each check.`

func main() {
	cli.Main("otel", func(ctx context.Context, args []string) error {
		var checks cli.Checks
		flags := flag.NewFlagSet("otel", flag.ContinueOnError)
		checks.Define(flags)
		otlp := flags.Bool("otlp", false, "send to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names, not to standard output")
		fail := flags.Bool("fail", false, "exit with status 1 if any site is offline, or else 3 if any is unknown")
		urls, err := cli.Parse(flags, os.Stdout, usage, args)
		if err != nil {
			return err
		}
		if len(urls) == 0 {
			return errors.New("no URLs to check; otel -h explains")
		}
		out := &cli.Writer{W: os.Stdout}
		var unsent firstError // which the providers do not return
		otel.SetErrorHandler(&unsent)
		spans, metrics, err := exporters(ctx, *otlp, out)
		if err != nil {
			return err
		}
		c, err := checker.New(checks.Options()...)
		if err != nil {
			return err
		}
		tally, err := run(ctx, spans, metrics, c.Each(ctx, slices.Values(urls)))
		if err := cmp.Or(out.Err(), err, unsent.err()); err != nil || !*fail {
			return err
		}
		return tally.Err()
	})
}

// A firstError is an otel.ErrorHandler that keeps the first error.
type firstError struct {
	mu    sync.Mutex
	first error
}

func (f *firstError) Handle(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.first = cmp.Or(f.first, err)
}

func (f *firstError) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.first
}

func exporters(ctx context.Context, otlp bool, out io.Writer) (spans trace.SpanExporter, metrics metric.Exporter, err error) {
	var errMetrics error
	if otlp {
		spans, err = otlptracehttp.New(ctx)
		metrics, errMetrics = otlpmetrichttp.New(ctx)
	} else {
		spans, err = stdouttrace.New(stdouttrace.WithWriter(out), stdouttrace.WithPrettyPrint())
		metrics, errMetrics = stdoutmetric.New(stdoutmetric.WithWriter(out), stdoutmetric.WithPrettyPrint())
	}
	return spans, metrics, errors.Join(err, errMetrics)
}

func run(ctx context.Context, spans trace.SpanExporter, metrics metric.Exporter, results iter.Seq[checker.Result]) (tally cli.Tally, err error) {
	// What the environment says comes later, and wins.
	res, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(semconv.ServiceName("checker")), resource.WithFromEnv())
	if err != nil {
		return tally, err
	}
	traces := trace.NewTracerProvider(trace.WithBatcher(spans), trace.WithResource(res))
	meters := metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(metrics)), metric.WithResource(res))
	rec, err := newRecorder(traces, meters)
	if err != nil {
		return tally, err
	}
	for r := range results {
		tally.Add(r)
		rec.record(ctx, r)
	}
	// What was checked is exported even if ctx has ended.
	alive := context.WithoutCancel(ctx)
	return tally, errors.Join(context.Cause(ctx), traces.Shutdown(alive), meters.Shutdown(alive))
}

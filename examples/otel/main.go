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
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"

	"github.com/alexflint/go-arg"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"example.com/checker"
)

type options struct {
	URLs []string `arg:"positional,required" placeholder:"URL" help:"the sites to check"`
	OTLP bool     `arg:"--otlp" help:"send to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names"`
}

func (options) Description() string { return "Check sites, and trace and measure each check." }

func main() {
	var opts options
	arg.MustParse(&opts)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	spans, metrics, err := exporters(ctx, opts.OTLP)
	if err == nil {
		err = run(ctx, spans, metrics, opts.URLs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "otel:", err)
		os.Exit(1)
	}
}

func exporters(ctx context.Context, otlp bool) (spans trace.SpanExporter, metrics metric.Exporter, err error) {
	var errMetrics error
	if otlp {
		spans, err = otlptracehttp.New(ctx)
		metrics, errMetrics = otlpmetrichttp.New(ctx)
	} else {
		spans, err = stdouttrace.New(stdouttrace.WithPrettyPrint())
		metrics, errMetrics = stdoutmetric.New(stdoutmetric.WithPrettyPrint())
	}
	return spans, metrics, errors.Join(err, errMetrics)
}

func run(ctx context.Context, spans trace.SpanExporter, metrics metric.Exporter, urls []string, opts ...checker.Option) error {
	c, err := checker.New(opts...)
	if err != nil {
		return err
	}
	// What the environment says comes later, and wins.
	res, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(semconv.ServiceName("checker")), resource.WithFromEnv())
	if err != nil {
		return err
	}
	traces := trace.NewTracerProvider(trace.WithBatcher(spans), trace.WithResource(res))
	meters := metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(metrics)), metric.WithResource(res))
	rec, err := newRecorder(traces, meters)
	if err != nil {
		return err
	}
	for r := range c.Stream(ctx, slices.Values(urls)) {
		rec.record(ctx, r)
	}
	// What was checked is exported even if ctx has ended.
	alive := context.WithoutCancel(ctx)
	return errors.Join(context.Cause(ctx), traces.Shutdown(alive), meters.Shutdown(alive))
}

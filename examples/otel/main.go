// Command otel checks sites and traces each check through OpenTelemetry: a span
// for the check, and below it one for each of its phases.
//
//	otel https://example.org/ example.net
//
// It writes the spans to standard output; in a service, otlptracehttp takes the
// place of stdouttrace. What to copy is in span.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"

	"github.com/alexflint/go-arg"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/trace"

	"example.com/checker"
)

type options struct {
	URLs []string `arg:"positional,required" placeholder:"URL" help:"the sites to check"`
}

func (options) Description() string { return "Check sites and trace each check." }

func main() {
	var opts options
	arg.MustParse(&opts)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exporter, err := stdouttrace.New(stdouttrace.WithPrettyPrint())
	if err == nil {
		err = run(ctx, exporter, opts.URLs)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "otel:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, exporter trace.SpanExporter, urls []string, opts ...checker.Option) error {
	c, err := checker.New(opts...)
	if err != nil {
		return err
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter))
	for r := range c.Stream(ctx, slices.Values(urls)) {
		record(ctx, provider.Tracer("example.com/checker"), r)
	}
	// What was checked is exported even if ctx has ended.
	return errors.Join(context.Cause(ctx), provider.Shutdown(context.WithoutCancel(ctx)))
}

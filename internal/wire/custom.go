package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"example.com/checker/internal/dial"
	"example.com/checker/internal/hook"
)

// Custom makes exchanges by a caller's transport, and knows only what it returns.
type Custom struct{ RoundTripper http.RoundTripper }

// Exchange implements [Exchanger]. The Stage of tr is Untold.
func (t Custom) Exchange(ctx context.Context, req Request, tr *Trace) (*http.Response, error) {
	tr.Stage = Untold
	sent := tr.markSent(nil)
	asked := req.HTTP(ctx)
	if req.Host != "" {
		asked.URL = pathOnly(req.URL)
	}
	resp, err := t.RoundTripper.RoundTrip(asked)
	if err != nil {
		return nil, dial.ExplainDirect(ctx, time.Since(sent), hook.Checked(err))
	}
	tr.First = time.Since(sent)
	if resp == nil || resp.Body == nil {
		return nil, errors.New("the transport returned neither a response nor an error")
	}
	if code := resp.StatusCode; code < 200 && code != http.StatusSwitchingProtocols || code > 999 {
		resp.Body.Close()
		return nil, fmt.Errorf("the transport returned the status %d", code)
	}
	own := *resp // which may be one that the transport returns again and again
	own.Body = bounded{io.LimitReader(resp.Body, MaxBody), resp.Body}
	return &own, nil
}

// bounded is a body of which only so much can be read.
type bounded struct {
	io.Reader
	io.Closer
}

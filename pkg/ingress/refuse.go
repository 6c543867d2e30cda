package ingress

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/body"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// maxErrorText bounds the text of an answer in bytes: part of the text comes from the request.
const maxErrorText = 1024

// batchReport is the JSON body of a refused batch. Index and Attribute name the first invalid
// event; Stored and Total are set when storing began.
type batchReport struct {
	Index     *int   `json:"index,omitempty"`
	Attribute string `json:"attribute,omitempty"`
	Stored    *int   `json:"stored,omitempty"`
	Total     *int   `json:"total,omitempty"`
	Error     string `json:"error"`
}

// refuse answers a request that failed with err: with a line of text, or for a batch a JSON report.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	answer := answerTo(err)
	h.log.refused(r, answer.status, err)

	header := w.Header()
	if answer.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(int(answer.retryAfter/time.Second)))
	}
	if errors.Is(err, body.ErrCoding) {
		header.Set("Accept-Encoding", body.AcceptEncoding)
	}
	if !event.IsBatch(r.Header.Get(contentType)) {
		http.Error(w, publicText(err), answer.status)
		return
	}
	header.Set(contentType, "application/json")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(answer.status)
	_ = json.NewEncoder(w).Encode(reportOf(err)) // it fails only when the client is gone
}

func reportOf(err error) batchReport {
	report := batchReport{Error: publicText(err)}
	if invalid, ok := errors.AsType[*event.BatchError](err); ok {
		report.Index = &invalid.Index
	}
	if invalid, ok := errors.AsType[*event.AttributeError](err); ok {
		report.Attribute = invalid.Attribute
	}
	if failed, ok := errors.AsType[*storeError](err); ok {
		report.Stored, report.Total = &failed.stored, &failed.total
	}
	return report
}

// publicText returns the text for the client. Faults of the request are shown in full; of other
// faults only our own words, because the cause may name servers and accounts.
func publicText(err error) string {
	if full, ok := errors.AsType[*LogFullError](err); ok {
		return full.Error()
	}
	text := err.Error()
	switch {
	case errors.Is(err, ErrBodyTimeout):
		text = ErrBodyTimeout.Error()
	case errors.Is(err, ErrBody):
		text = ErrBody.Error()
	case errors.Is(err, ErrLogFull):
		text = ErrLogFull.Error()
	case answerTo(err).status == http.StatusServiceUnavailable:
		text = ErrUnavailable.Error() + "; the event may be stored or not, send it again"
	case answerTo(err).status == http.StatusInternalServerError:
		text = "internal error"
	}
	return strings.ToValidUTF8(text[:min(len(text), maxErrorText)], "")
}

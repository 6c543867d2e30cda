package send

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// maxLine is how long a line may be: NATS carries 64 MiB in one message, in base64 a third more, and attributes beside.
const maxLine = 96 << 20

// ReadEvents reads JSON lines of structured CloudEvents; empty lines count for nothing. Its errors name the line.
func ReadEvents(from io.Reader) ([]event.Event, error) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxLine)
	var events []event.Event
	n := 0
	for lines.Scan() {
		n++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		e, err := event.FromHTTP(announcing("application/cloudevents+json"), bytes.Clone(line)) // the event refers to the line
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		events = append(events, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", n+1, err)
	}
	if len(events) == 0 {
		return nil, errNone
	}
	return events, nil
}

func announcing(contentType string) http.Header { return http.Header{"Content-Type": {contentType}} }

// ReadDocuments reads structured CloudEvents, and batches of such, over however many lines. Its errors count these documents from 1.
func ReadDocuments(from io.Reader) (events []event.Event, err error) {
	decoder := json.NewDecoder(from)
	for n := 1; ; n++ {
		var document json.RawMessage
		var some []event.Event
		if err = decoder.Decode(&document); err == nil {
			some, err = eventsIn(document)
		}
		switch {
		case errors.Is(err, io.EOF) && len(events) == 0:
			return nil, errNone
		case errors.Is(err, io.EOF):
			return events, nil
		case err != nil:
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		events = append(events, some...)
	}
}

func eventsIn(document []byte) ([]event.Event, error) {
	if document[0] == '[' {
		return event.DecodeBatch(announcing("application/cloudevents-batch+json"), document)
	}
	e, err := event.FromHTTP(announcing("application/cloudevents+json"), document)
	return []event.Event{e}, err
}

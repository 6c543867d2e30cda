package send

import (
	"bufio"
	"bytes"
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
	structured := http.Header{"Content-Type": {"application/cloudevents+json"}}
	var events []event.Event
	n := 0
	for lines.Scan() {
		n++
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		e, err := event.FromHTTP(structured, bytes.Clone(line)) // the event refers to the line
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		events = append(events, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", n+1, err)
	}
	if len(events) == 0 {
		return nil, errors.New("there are no events in it")
	}
	return events, nil
}

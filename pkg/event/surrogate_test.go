package event_test

import (
	"net/http"
	"testing"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/event"
)

// Escapes that only look like half of a surrogate pair are accepted.
func TestEscapesInJSON(t *testing.T) {
	for text, want := range map[string]string{
		`\ud83d\ude00`:         "😀",
		`a\ufffdb`:             "a\ufffdb",
		`\\ud800\ufffd`:        `\ud800` + "\ufffd",
		`\ufffd\ud83d\ude00\n`: "\ufffd😀\n",
		`\u00e9\ufffd`:         "é\ufffd",
	} {
		body := `{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":"` + text + `"}`
		e, err := event.FromHTTP(http.Header{"Content-Type": {"application/cloudevents+json"}}, []byte(body))
		if err != nil || e.Attr("ext") != want {
			t.Errorf("%s: got %q, error %v, want %q", text, e.Attr("ext"), err, want)
		}
	}
}

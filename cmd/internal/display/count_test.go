package display

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestCounterCountsDifferentEvents(t *testing.T) {
	counter := NewCounter()
	structured := map[string]string{"Content-Type": "application/cloudevents+json"}
	for _, test := range []struct {
		name, path string
		header     map[string]string
		body       string
		want       int
	}{
		{name: "an event", path: "/-/count/a", header: minimal("id", "1"), want: 204},
		{name: "the same again", path: "/-/count/a", header: minimal("id", "1"), want: 204},
		{
			name: "the same in structured mode", path: "/-/count/a", header: structured,
			body: `{"specversion":"1.0","id":"1","source":"/s","type":"t"}`, want: 204,
		},
		{
			name: "another in structured mode", path: "/-/count/a", header: structured,
			body: `{"specversion":"1.0","id":"2","source":"/s","type":"t"}`, want: 204,
		},
		{name: "an event under another name", path: "/-/count/b", header: minimal("id", "1"), want: 204},
		{name: "no event", path: "/-/count/a", header: map[string]string{"Content-Type": "text/plain"}, want: 400},
		{name: "no name", path: "/-/count/", header: minimal("id", "1"), want: 404},
	} {
		if answer := post(counter, test.path, test.header, test.body); answer.Code != test.want {
			t.Errorf("%s: status %d, want %d: %s", test.name, answer.Code, test.want, answer.Body)
		}
	}
	if got := ask(t, counter, http.MethodGet); got.Requests != 4 || got.Events != 2 || got.First.IsZero() || got.Last.Before(got.First) {
		t.Errorf("counted %+v, want 4 requests with 2 events", got)
	}
	ask(t, counter, http.MethodDelete)
	if got := ask(t, counter, http.MethodGet); got != (Count{}) {
		t.Errorf("counted %+v after it was told to forget", got)
	}
}

// ask asks about the name a.
func ask(t *testing.T, counter *Counter, method string) Count {
	t.Helper()
	answer := httptest.NewRecorder()
	counter.ServeHTTP(answer, httptest.NewRequest(method, "/-/count/a", nil))
	var got Count
	if answer.Code == http.StatusOK {
		if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

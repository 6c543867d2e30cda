package load

import (
	"time"

	"github.com/valyala/fasthttp"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
)

// Client posts events. It is fasthttp's, because a slow sender would take from the machine what is to be measured.
type Client struct {
	http     *fasthttp.Client
	url      string
	workload workload.Workload
	run      string
	answered func(first, count int, o Outcome)
}

// ClientOptions are what a Client is made of.
type ClientOptions struct {
	URL         string
	Connections int
	Timeout     time.Duration
	Workload    workload.Workload
	// Run begins the ids of the events.
	Run string
	// Answered is told of every answer.
	Answered func(first, count int, o Outcome)
}

// NewClient returns a client without connections.
func NewClient(o ClientOptions) *Client {
	return &Client{url: o.URL, workload: o.Workload, run: o.Run, answered: o.Answered, http: &fasthttp.Client{
		MaxConnsPerHost: o.Connections, ReadTimeout: o.Timeout, WriteTimeout: o.Timeout,
		NoDefaultUserAgentHeader: true, MaxIdleConnDuration: time.Minute,
		// What was sent twice could be stored twice.
		RetryIfErr: func(*fasthttp.Request, int, error) (bool, bool) { return false, false },
	}}
}

// Close closes the connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// NewPost returns the Post of one connection.
func (c *Client) NewPost() Post {
	encoder := workload.NewEncoder(c.workload, c.run)
	request, response := &fasthttp.Request{}, &fasthttp.Response{}
	request.SetRequestURI(c.url)
	request.Header.SetMethod(fasthttp.MethodPost)
	return func(first, count int, due time.Duration) Outcome {
		encoder.Encode(request, first, count, due)
		o := Outcome{}
		if err := c.http.Do(request, response); err == nil {
			o.Status = response.StatusCode()
			if o.Status/100 == 2 {
				o.Accepted = count
			}
		}
		c.answered(first, count, o)
		return o
	}
}

package ingress

import (
	"net/http"
	"time"
)

// Budget bounds the time of one request, from its first byte to the last byte of the answer. All
// timeouts of the server are shares of the budget and nest: the body ends before the publish
// begins, the publish before the answer is cut off.
type Budget time.Duration

// DefaultBudget leaves 10 s for a publish.
const DefaultBudget = Budget(30 * time.Second)

// ReadHeader is the time for the headers: a sixth of the budget.
func (b Budget) ReadHeader() time.Duration { return time.Duration(b) / 6 }

// Read is the time for headers and body together: half of the budget.
func (b Budget) Read() time.Duration { return time.Duration(b) / 2 }

// Memory is the time to wait for memory that other requests hold: a sixtieth of the budget. It is
// short, because a waiting request holds memory that is not counted.
func (b Budget) Memory() time.Duration { return time.Duration(b) / 60 }

// Publish is the time to store the events (Config.PublishTimeout): a third of the budget.
func (b Budget) Publish() time.Duration { return time.Duration(b) / 3 }

// Write is the time from the headers to the end of the answer: the whole budget.
func (b Budget) Write() time.Duration { return time.Duration(b) }

// Idle is how long a connection may wait for its next request: four budgets.
func (b Budget) Idle() time.Duration { return 4 * time.Duration(b) }

// maxHeaderBytes bounds a request's headers in bytes. It exceeds JetStream's 65,535, so that this
// package refuses most large events with a reason; net/http answers 431 without one.
const maxHeaderBytes = 128 << 10

// Server returns a server of HTTP/1.1 and of HTTP/2 without TLS (h2c), not started and without an
// address. No client can hold a connection without progress: each request ends within the budget, a
// silent HTTP/2 connection is probed, and a client that does not read is dropped. A budget of zero
// is DefaultBudget.
//
// Use the handler without an http.ServeMux, which would redirect malformed paths.
func Server(handler http.Handler, budget Budget) *http.Server {
	if budget <= 0 {
		budget = DefaultBudget
	}
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:           handler,
		Protocols:         &protocols,
		ReadHeaderTimeout: budget.ReadHeader(),
		ReadTimeout:       budget.Read(),
		WriteTimeout:      budget.Write(),
		IdleTimeout:       budget.Idle(),
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2: &http.HTTP2Config{
			SendPingTimeout:  time.Duration(budget),
			PingTimeout:      budget.Read(),
			WriteByteTimeout: budget.Read(),
		},
		// The handler answers OPTIONS * like OPTIONS of any path.
		DisableGeneralOptionsHandler: true,
	}
}

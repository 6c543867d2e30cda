package ingress

import (
	"net/http"
	"time"
)

// Budget is the longest that one request may take, from its first byte to the last of its answer. All of the server's
// timeouts are shares of it, so that they nest: the body ends before the publish begins, the publish before the answer
// is cut off.
type Budget time.Duration

// DefaultBudget gives a publish 10 s.
const DefaultBudget = Budget(30 * time.Second)

// ReadHeader is the time for the headers: a sixth of the budget.
func (b Budget) ReadHeader() time.Duration { return time.Duration(b) / 6 }

// Read is the time for headers and body together: half of the budget.
func (b Budget) Read() time.Duration { return time.Duration(b) / 2 }

// Memory is the time to wait for memory that other requests hold: a sixtieth of the budget. It is short, as who waits is not counted yet.
func (b Budget) Memory() time.Duration { return time.Duration(b) / 60 }

// Publish is the time to store the events, retries included: a third of the budget. Config.PublishTimeout is to be this.
func (b Budget) Publish() time.Duration { return time.Duration(b) / 3 }

// Write is the time from the headers to the end of the answer: the whole budget, so that a sixth is left to write it.
func (b Budget) Write() time.Duration { return time.Duration(b) }

// Idle is how long a connection may wait for its next request: four budgets.
func (b Budget) Idle() time.Duration { return 4 * time.Duration(b) }

// maxHeaderBytes bounds a request's headers in bytes. It is above the 65,535 that JetStream carries, so that it is the
// event that is refused, with a body that says so; beyond it net/http answers 431 of its own.
const maxHeaderBytes = 128 << 10

// Server returns a server of HTTP/1.1 and of HTTP/2 without TLS (h2c), not started and without an address. No client can
// hold a connection that makes no progress: each request ends within the budget, an HTTP/2 connection that is silent for a
// budget is probed, and a client that reads no answer is dropped. A budget of zero is DefaultBudget.
//
// Mount the handler as it is: an http.ServeMux would redirect malformed paths instead of refusing them.
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
		// OPTIONS * gets the handler's answer, like OPTIONS of any path.
		DisableGeneralOptionsHandler: true,
	}
}

// Package bench measures a Broker: it starts what is to be measured, each program in a process of its own, sends events to it, plays
// their subscribers, accounts for every event, and tells what it took.
package bench

import (
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/receiver"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
)

// Floors are the smallest programs that do a part of what a Broker does, by their names in issue 5 and in docs/benchmarks.md.
const (
	// FloorAnswer (F1) answers 202 and does nothing else.
	FloorAnswer = "f1"
	// FloorPublish (F2a) also stores the event, by one synchronous publish of nats.go.
	FloorPublish = "f2a"
	// FloorPublisher (F2b) stores it by the product's own publisher: it is the smallest possible ingress.
	FloorPublisher = "f2b"
	// FloorProxy (F3) passes the request on to the subscriber and answers what that answers. F6 is the same with a slow subscriber.
	FloorProxy = "f3"
	// FloorStream are F4 and F5, which take no requests: JetStream alone. See MeasureStream.
	FloorStream = "stream"
)

// Options say what is measured.
type Options struct {
	Workload   workload.Workload  `json:"workload"`
	Load       Load               `json:"load"`
	Subscriber receiver.Behaviour `json:"subscriber,omitzero"`
	Delivery   workload.Delivery  `json:"delivery"`
	// Backlog is the number of events that are stored before there is a filter.
	Backlog int `json:"backlog,omitempty"`
	// Floor measures one of the floors in place of the Broker; "" the Broker.
	Floor string `json:"floor,omitempty"`
	// LogBytes is the byte limit of the Broker's log.
	LogBytes int64 `json:"logBytes,omitempty"`

	// Profile is a folder for the CPU profiles of all processes; "" takes none.
	Profile string `json:"-"`

	System System `json:"-"`
	// Listen is where the subscribers listen.
	Listen string `json:"-"`
	// Patience is how long nothing may arrive before what is missing counts as lost.
	Patience time.Duration `json:"-"`
	// Stop, when it is closed, ends the load; what was sent is still accounted for. nil is never.
	Stop <-chan struct{} `json:"-"`
	// Progress is called a few times a second; nil is nobody.
	Progress func(Progress) `json:"-"`
}

// Load is how much is sent.
type Load struct {
	Connections int `json:"connections"`
	// Rate in events per second is an open loop; 0 is a closed one.
	Rate float64 `json:"rate,omitempty"`
	// Duration and Count end the load, whatever comes first; 0 is no such end. With neither, nothing is sent but the backlog.
	Duration time.Duration `json:"duration,omitempty"`
	Count    int           `json:"count,omitempty"`
	// Warmup is the time at the load's beginning that is not measured.
	Warmup time.Duration `json:"warmup,omitempty"`
	// Window bounds the deliveries under way in a closed loop; 0 bounds nothing.
	Window int `json:"window,omitempty"`
	// Timeout bounds one request.
	Timeout time.Duration `json:"-"`
}

// System is where the Broker is.
type System struct {
	// Target is the URL of a Broker that somebody else runs; "" starts one.
	Target string
	// NATS is the NATS to start it on; without a URL, one is started too.
	NATS jetstream.Options
	// Flags are how the programs reach NATS, as command line flags.
	Flags []string
	// Self, Ingress and Filter are the paths of the programs.
	Self, Ingress, Filter string
	// Folder is for the store and other files; what is in it is removed at the end. "" is a new one among the temporary files.
	Folder string
}

// Progress is how far a run has come.
type Progress struct {
	// Stage is what it does.
	Stage                       string
	Accepted, Settled, Expected int
	// Done is the share of the stage that is done, from 0 to 1.
	Done float64
}

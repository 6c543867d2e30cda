// Package bench measures a Broker: it starts what is to be measured, each program in a process of its own, sends events to it, plays
// their subscribers, accounts for every event, and tells what it took.
package bench

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/bench/receiver"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/bench/workload"
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

// Bounds of a run. maxEvents bounds the account: two bits for each event and Trigger.
const (
	MaxConnections = 10_000
	maxEvents      = 50_000_000
	maxDeliveries  = 2_000_000_000
	// maxRate is more than any closed loop on one machine reaches.
	maxRate = 200_000
)

// Validate names the first option that is wrong, by its flag.
func (o Options) Validate() error {
	for _, err := range []error{o.Workload.Validate(), o.Load.validate(), o.Subscriber.Validate(), o.validateSystem()} {
		if err != nil {
			return err
		}
	}
	limit := o.eventLimit()
	switch {
	case o.Backlog < 0:
		return errors.New("--backlog must not be negative")
	case o.Load.Duration == 0 && o.Load.Count == 0 && o.Backlog == 0:
		return errors.New("--duration, --count or --backlog must say how much is sent")
	case limit > maxEvents || limit*max(o.Workload.TargetsPerEvent(), 1) > maxDeliveries:
		return fmt.Errorf("this may send %d events, to %d Triggers each; the most that can be accounted for are %d events and %d deliveries",
			limit, o.Workload.TargetsPerEvent(), maxEvents, maxDeliveries)
	case o.Delivery.Retry < 0:
		return errors.New("--retry must not be negative")
	case o.Delivery.Policy != "" && o.Delivery.Policy != "linear" && o.Delivery.Policy != "exponential":
		return fmt.Errorf("--backoff-policy is %q; it is linear or exponential", o.Delivery.Policy)
	case o.Patience <= 0:
		return errors.New("--patience must be positive")
	case o.LogBytes < 0:
		return errors.New("--log-bytes must not be negative")
	}
	return nil
}

func (l Load) validate() error {
	switch {
	case l.Connections < 1 || l.Connections > MaxConnections:
		return fmt.Errorf("--connections must be from 1 to %d", MaxConnections)
	case l.Rate < 0 || math.IsNaN(l.Rate) || math.IsInf(l.Rate, 0):
		return errors.New("--rate must be a number that is not negative")
	case l.Duration < 0 || l.Count < 0:
		return errors.New("--duration and --count must not be negative")
	case l.Warmup < 0 || (l.Warmup > 0 && l.Warmup >= l.Duration):
		return errors.New("--warmup must be shorter than --duration")
	case l.Window < 0:
		return errors.New("--window must not be negative")
	case l.Timeout <= 0:
		return errors.New("--timeout must be positive")
	}
	return nil
}

func (o Options) validateSystem() error {
	foreign := o.System.Target != ""
	if target, err := url.Parse(o.System.Target); foreign && (err != nil || target.Host == "" || (target.Scheme != "http" && target.Scheme != "https")) {
		return fmt.Errorf("--target is %q; it must be an absolute http or https URL", o.System.Target)
	}
	switch {
	case foreign && o.Backlog > 0:
		return errors.New("--backlog needs a filter that can be started later; with --target there is none")
	case foreign && o.Floor != "":
		return errors.New("--floor and --target are two systems")
	case o.Floor != "" && !slices.Contains([]string{FloorAnswer, FloorPublish, FloorPublisher, FloorProxy}, o.Floor):
		return fmt.Errorf("--floor is %q; it is f1, f2a, f2b or f3", o.Floor)
	case o.Floor == FloorProxy && (o.Workload.FanOut != 1 || o.Workload.Filter != workload.FilterNone):
		return errors.New("--floor f3 has one subscriber, for all events")
	case o.Floor != "" && o.Floor != FloorProxy && o.Workload.FanOut > 0:
		return errors.New("--floor delivers to nobody; it goes with --triggers 0")
	case o.Floor != "" && o.Workload.Mode != workload.Binary:
		return errors.New("--floor takes binary events only")
	}
	return nil
}

// eventLimit is more events than can be sent.
func (o Options) eventLimit() int {
	l := o.Load
	sent := l.Count
	if sent == 0 {
		rate := l.Rate
		if rate == 0 {
			rate = maxRate
		}
		sent = int(min(l.Duration.Seconds()*rate, 2*maxEvents)) + 1
	}
	return o.Backlog + sent + o.Workload.PerRequest()
}

// attempts is how often a delivery is tried before it is given up.
func (o Options) attempts() int { return o.Delivery.Retry + 1 }

package bench

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
)

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

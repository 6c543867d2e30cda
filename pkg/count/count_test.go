package count_test

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
)

func TestAddressNumbers(t *testing.T) {
	var a count.Address
	if n := a.Read(1); !n.IsZero() {
		t.Errorf("at first it has %+v", n)
	}
	a.Accept(2)
	a.Unmatch()
	a.Refuse(3, 429, "busy")
	a.Refuse(1, 599, "odd")
	n := a.Read(1)
	if n.Accepted != 2 || n.Unmatched != 1 || !reflect.DeepEqual(n.Refused, map[string]uint64{"busy": 3, "internal": 1}) {
		t.Errorf("the numbers are %+v", n)
	}
	if len(n.Failures) != 1 || n.Failures[0].Code != 599 || n.Failures[0].Message != "odd" || n.Failures[0].At.IsZero() {
		t.Errorf("the last failure is %+v, want that with the status 599", n.Failures)
	}
}

func TestTargetNumbers(t *testing.T) {
	var target count.Target
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			target.Begin()
			target.Begin()
			target.End()
			target.Deliver()
			target.Park()
			target.GiveUp()
			target.Wait(3)
			target.Wait(-1)
			target.Fail(count.StatusClass(404), count.Failure{Code: 404})
			target.Fail(count.StatusClass(503), count.Failure{Code: 503})
			target.Fail(count.StatusClass(302), count.Failure{Code: 302})
			target.Fail(count.Timeout, count.Failure{})
		})
	}
	all.Wait()
	n := target.Read(0)
	want := count.TargetNumbers{
		Delivered: 4, Parked: 4, Dead: 4, InFlight: 4, Retrying: 8,
		Failed: map[string]uint64{"4xx": 4, "5xx": 4, "other-status": 4, "timeout": 4}, Failures: []count.Failure{},
	}
	if !reflect.DeepEqual(n, want) {
		t.Errorf("the numbers are %+v, want %+v", n, want)
	}
}

// Whoever holds a route that is of no table counts nothing.
func TestNilCountsNothing(t *testing.T) {
	var a *count.Address
	a.Accept(1)
	a.Refuse(1, 400, "")
	a.Unmatch()
	var target *count.Target
	target.Begin()
	target.End()
	target.Deliver()
	target.Park()
	target.GiveUp()
	target.Wait(1)
	target.Fail(count.Reply, count.Failure{})
	if !a.Read(1).IsZero() || !target.Read(1).IsZero() {
		t.Error("nil has counted something")
	}
}

// What is kept of failures is bounded, whatever subscribers and senders say.
func TestTheLastFailuresAreKept(t *testing.T) {
	var target count.Target
	long := strings.Repeat("ä", 300)
	for i := range 3 * count.KeptFailures {
		target.Fail(count.ServerError, count.Failure{Code: i, Message: long, Event: long})
	}
	kept := target.Read(1000).Failures
	if len(kept) != count.KeptFailures {
		t.Fatalf("%d are kept, want %d", len(kept), count.KeptFailures)
	}
	for i, f := range kept {
		if want := 3*count.KeptFailures - 1 - i; f.Code != want || len(f.Message) > 210 || len(f.Event) > 210 {
			t.Errorf("failure %d has the code %d, want %d; and %d and %d bytes", i, f.Code, want, len(f.Message), len(f.Event))
		}
	}
}

func TestPlus(t *testing.T) {
	at := func(second int) count.Failure {
		return count.Failure{At: time.Unix(int64(second), 0), Message: fmt.Sprint(second)}
	}
	one := count.TargetNumbers{Delivered: 1, InFlight: 2, Retrying: 3, Parked: 4, Dead: 5, Failed: map[string]uint64{"4xx": 1}, Failures: []count.Failure{at(3), at(1)}}
	other := count.TargetNumbers{Delivered: 10, InFlight: 20, Retrying: 30, Parked: 40, Dead: 50, Failed: map[string]uint64{"4xx": 2, "5xx": 1}, Failures: []count.Failure{at(2)}}
	want := count.TargetNumbers{
		Delivered: 11, InFlight: 22, Retrying: 33, Parked: 44, Dead: 55,
		Failed: map[string]uint64{"4xx": 3, "5xx": 1}, Failures: []count.Failure{at(3), at(2), at(1)},
	}
	if got := one.Plus(other); !reflect.DeepEqual(got, want) {
		t.Errorf("the sum is %+v, want %+v", got, want)
	}
	address := count.AddressNumbers{Accepted: 1, Unmatched: 2, Refused: map[string]uint64{"busy": 1}, Failures: []count.Failure{at(1)}}
	twice := count.AddressNumbers{Accepted: 2, Unmatched: 4, Refused: map[string]uint64{"busy": 2}, Failures: []count.Failure{at(1), at(1)}}
	if got := address.Plus(address); !reflect.DeepEqual(got, twice) {
		t.Errorf("the sum is %+v, want %+v", got, twice)
	}
}

package status

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/count"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/stats"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/naming"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

// answerWait is how long the next answer is waited for of processes that report and do not answer.
const answerWait = 2 * time.Second

// Count asks the live processes what they have counted of the addresses and targets, and reads how
// old the oldest undelivered event is. failures is how many of its last failures are told of each.
// It returns those that have not answered: what they have counted is missing.
func (s *Status) Count(ctx context.Context, c *jetstream.Client, failures int) (silent []string, err error) {
	counted := map[string]stats.Row{}
	for _, role := range []route.Role{route.RoleIngress, route.RoleFilter} {
		a := asking{client: c, role: role, failures: failures, counted: counted, left: map[string]bool{}}
		for _, report := range s.live {
			if report.Role == role {
				a.left[report.ID] = true
			}
		}
		if err := a.collect(ctx); err != nil {
			return nil, err
		}
		for _, id := range slices.Sorted(maps.Keys(a.left)) {
			silent = append(silent, string(role)+" "+id)
		}
		s.since(a.since)
	}
	s.take(counted)
	return silent, s.readOldest(ctx, c)
}

// since notes since when a role has counted.
func (s *Status) since(at time.Time) {
	if !at.IsZero() && (s.Since.IsZero() || at.Before(s.Since)) {
		s.Since = at
	}
}

// take gives each address and target what is counted of it, and each address the sums of its targets.
func (s *Status) take(counted map[string]stats.Row) {
	at := map[route.Key]*AddressStatus{}
	for i := range s.Addresses {
		a := &s.Addresses[i]
		at[a.Key] = a
		if n := counted[naming.AddressKey(a.Key)].Address; n != nil {
			a.Numbers = *n
		}
	}
	for i := range s.Targets {
		t := &s.Targets[i]
		if n := counted[naming.TargetKey(t.Key)].Target; n != nil {
			t.Numbers = *n
		}
		if a := at[t.Key.Address]; a != nil {
			a.Targets = a.Targets.Plus(t.Numbers)
			a.Backlog = max(a.Backlog, t.Backlog)
		}
	}
}

// asking asks the processes of one role.
type asking struct {
	client   *jetstream.Client
	role     route.Role
	failures int
	// left are the processes that have not told everything.
	left map[string]bool
	// counted is what is told so far, by the keys of records; since is when the first process began.
	counted map[string]stats.Row
	since   time.Time
}

// collect takes page after page of every process.
func (a *asking) collect(ctx context.Context) error {
	if len(a.left) == 0 {
		return nil
	}
	inbox, err := a.client.Conn().SubscribeSync(nats.NewInbox())
	if err != nil {
		return fmt.Errorf("ask for numbers: %w", err)
	}
	defer func() { _ = inbox.Unsubscribe() }()
	if err := a.ask(inbox.Subject, stats.Request{}); err != nil {
		return err
	}
	for len(a.left) > 0 {
		wait, cancel := context.WithTimeout(ctx, answerWait)
		m, err := inbox.NextMsgWithContext(wait)
		cancel()
		if err != nil || len(m.Data) == 0 { // nobody listens, or nobody answers any more
			return ctx.Err()
		}
		var page stats.Page
		if err := json.Unmarshal(m.Data, &page); err != nil {
			return fmt.Errorf("read the numbers of a %s: %w", a.role, err)
		}
		if err := a.takePage(inbox.Subject, page); err != nil {
			return err
		}
	}
	return nil
}

func (a *asking) takePage(inbox string, page stats.Page) error {
	for _, row := range page.Rows {
		a.add(row)
	}
	if a.since.IsZero() || page.Since.Before(a.since) {
		a.since = page.Since
	}
	if page.Next != "" {
		return a.ask(inbox, stats.Request{ID: page.ID, After: page.Next})
	}
	delete(a.left, page.ID)
	return nil
}

func (a *asking) add(row stats.Row) {
	sum := a.counted[row.Key]
	sum.Key = row.Key
	if row.Address != nil {
		n := row.Address.Plus(valueOf(sum.Address))
		sum.Address = &n
	}
	if row.Target != nil {
		n := row.Target.Plus(valueOf(sum.Target))
		sum.Target = &n
	}
	a.counted[row.Key] = sum
}

func valueOf[N count.AddressNumbers | count.TargetNumbers](n *N) (value N) {
	if n != nil {
		value = *n
	}
	return value
}

func (a *asking) ask(inbox string, asked stats.Request) error {
	asked.Failures = a.failures
	data, err := json.Marshal(asked)
	if err == nil {
		err = a.client.Conn().PublishRequest(a.client.Names().StatsSubject(a.role), inbox, data)
	}
	if err != nil {
		return errors.Join(errors.New("ask for numbers"), err)
	}
	return nil
}

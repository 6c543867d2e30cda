package simulate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/route"
)

var errLost = errors.New("the answer is lost")

// losesAnswer tells whether the answer to a sender gets lost on its way.
func (w *world) losesAnswer() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.random.IntN(25) == 0
}

// producer posts events until they are accepted.
type producer struct {
	w         *world
	client    *http.Client
	transport *http.Transport
	running   sync.WaitGroup
}

func (w *world) newProducer() *producer {
	transport := &http.Transport{DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		return w.host(address).dial(ctx, "producer")
	}}
	return &producer{w: w, transport: transport, client: &http.Client{Transport: transport, Timeout: time.Minute}}
}

func (p *producer) close() { p.transport.CloseIdleConnections() }

func (w *world) newEvent(i int, rng *rand.Rand) cloudevents.Event {
	e := cloudevents.NewEvent()
	e.SetID(fmt.Sprintf("event-%d", i))
	e.SetSource("/simulate")
	e.SetType(kinds()[rng.IntN(len(kinds()))])
	w.must(e.SetData("application/octet-stream", make([]byte, 1+rng.IntN(w.plan.body))))
	return e
}

// post sends the event until it is accepted. It gives up after more time than any outage takes.
func (p *producer) post(address route.Key, e cloudevents.Event) {
	for range 400 {
		p.w.history.note(e.ID(), func(r *record) {
			if r.posts == 0 {
				r.first = time.Now()
			}
			r.event, r.address = e, address
			r.posts++
		}, "a %s, posted to %s", e.Type(), address)
		status, err := p.send(address, e)
		if err == nil && p.w.losesAnswer() {
			err = errLost
		}
		if err != nil {
			p.w.history.note(e.ID(), func(*record) {}, "no answer: %v", err)
		} else {
			p.w.history.note(e.ID(), func(r *record) {
				if r.statuses == nil {
					r.statuses = map[int]int{}
				}
				r.statuses[status]++
				if r.accepted = status == http.StatusAccepted; r.accepted {
					r.answered = time.Now()
				}
				if !r.accepted && !mayRepeat(status) {
					r.forbidden = status
				}
			}, "answered %d", status)
			if status == http.StatusAccepted || !mayRepeat(status) {
				return
			}
		}
		pass(time.Second)
	}
}

func (p *producer) send(address route.Key, e cloudevents.Event) (status int, err error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "http://ingress"+address.Path(), bytes.NewReader(e.Data()))
	p.w.must(err)
	request.Header.Set("Content-Type", e.DataContentType())
	for name, value := range map[string]string{"Specversion": "1.0", "Id": e.ID(), "Source": e.Source(), "Type": e.Type()} {
		request.Header.Set("Ce-"+name, value)
	}
	answer, err := p.client.Do(request)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// traffic posts events, one after the other in time, and returns when all are answered.
func (w *world) traffic() {
	rng := rand.New(rand.NewPCG(w.seed, 3)) //nolint:gosec // it has to be repeatable
	p := w.newProducer()
	defer p.close()
	for i := range w.plan.events {
		address := w.plan.addresses[rng.IntN(len(w.plan.addresses))]
		e := w.newEvent(i, rng)
		p.running.Go(func() { p.post(address, e) })
		pass(time.Duration(rng.IntN(2000)) * time.Millisecond)
	}
	p.running.Wait()
}

// burst returns what posts many events of a kind within seconds, and waits until all are answered.
func (w *world) burst(address route.Key, kind string) func() {
	w.bursts++
	name := fmt.Sprintf("burst-%d", w.bursts)
	return func() {
		p := w.newProducer()
		defer p.close()
		for i := range 60 {
			e := cloudevents.NewEvent()
			e.SetID(fmt.Sprintf("%s-%d", name, i))
			e.SetSource("/simulate")
			e.SetType(kind)
			w.must(e.SetData("application/octet-stream", []byte(kind)))
			p.running.Go(func() { p.post(address, e) })
			pass(25 * time.Millisecond)
		}
		p.running.Wait()
	}
}

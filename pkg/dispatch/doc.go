// Package dispatch delivers the events of an address to its targets. It takes work from sources,
// makes requests, retries, stores replies and dead letters, and acknowledges a message only when
// its outcome is durable (invariant I2 of docs/architecture.md). It knows neither NATS nor HTTP:
// sources, store and sender are the interfaces of ports.go.
//
// # Life of a piece of work
//
// A piece of work is one event for one target (I9). An attempt makes one request and returns an
// outcome; settle makes the outcome durable, and then acknowledges the message that brought the
// work. What the work asks for is a part of the work, so that parking keeps it:
//
//	no Reply, no Failure   a request to the subscriber
//	Reply (Channels only)  a request to where the Channel's replies go
//	Failure                a request to the dead letter sink; without a sink, Store.DeadLetter
//
// At any time the work is in one of these states:
//
//	in a source   Not taken. The log's source has new events, the directed one parked work.
//	in flight     Has a slot, from Take until settle returns. Retries, dead letters and parked
//	              work have at most half of a target's slots.
//	waiting       Has no slot, and is kept in this process until due. Not acknowledged.
//	parked        Stored by Store.Park, then acknowledged. Another message brings the work back.
//	released      Given back to its source, which forgets the attempts made in this process.
//	acknowledged  Delivered with the reply stored or accepted, parked, or dead-lettered.
//
//	in a source ──▶ in flight ──▶ acknowledged, parked or released
//	                 ▲     │
//	                 └─ waiting ──▶ released, when the target is removed or the process stops
//
// # What happens at each failure
//
//	request fails            delivery.Policy decides: retry (waiting or parked), or dead letter
//	reply unusable           malformed, too large, without hops, forbidden: a failed delivery
//	log full at the reply    delivered again, uncounted; after maxNoRoom times a failed delivery
//	store away at the reply  delivered again, uncounted, ever more rarely
//	Channel's reply refused  attempts of its own; then the event, not the reply, is a dead letter
//	dead letter refused      tried for ever, ever more rarely (delivery.SinkBackoff)
//	copy has no room         the sink gets the letter, and none is kept (see keepCopy)
//	Park fails               waits in this process; without a place it keeps its slot until due
//	Ack fails                released, and delivered once more
//	Release fails            the lease ends by itself, and the event is delivered once more
//	target changes           requests in flight end as they began; the next runner has the rest
//	target is removed        requests in flight end; what waits is released, nothing is parked
//	targets are outdated     no attempt begins (I3, see Config.Current)
//	process stops            see Pool.Drain; an aborted request is no attempt: released
//	process dies             what was not acknowledged is delivered again (I2)
//
// # Files
//
// Calls between files go down this list only, but for settle and deadletter:
//
//	pool        which targets are served
//	dispatcher  one target, from its first version to its removal
//	runner      one version of a target: takes work when there is a slot
//	attempt     work to outcome
//	settle      outcome to durable; the only file that calls Lease
//	deadletter  the outcome of an event that is given up
//	reply       finds the CloudEvent in a response
//	metrics     what is measured of requests
//	slots       how many requests run at the same time
//	waiting     work that waits in this process
package dispatch

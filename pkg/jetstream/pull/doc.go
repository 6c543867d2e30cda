// Package pull takes messages from one consumer: it keeps pull requests open for as much as the
// Taker has space for, renews the leases of what it has handed out, and keeps all sources of a
// process together below a budget of bytes (I10). It does not decode messages.
//
// What happens when something fails:
//
//   - NATS is away: no request is sent; after the reconnect come new ones. Leases run out.
//   - Heartbeats are missed: the source drops its open requests and sends new ones.
//   - The consumer is gone, or its leader changes: the source asks again after a pause.
//   - A message is larger than a request: the next request has room for the largest message.
//   - The budget is used up: the source is told when there is room. A source that holds nothing may
//     always ask for one message, so that the others cannot starve it.
package pull

// Package pull takes messages from one consumer: it keeps pull requests open for as much as the
// Taker has space for, renews the leases of what it has handed out, and keeps all sources of a
// process together below a budget of bytes (I10). What a message is, and whose, it does not know.
//
// What happens when something fails:
//
//   - NATS is away: nothing is asked for; a new connection begins with new requests. Leases run out.
//   - Heartbeats stay away: the open requests are forgotten, and sent anew.
//   - The consumer is gone, or its leader changes: the source asks again after a pause.
//   - A message is larger than a request: the next one asks for as much as the server takes.
//   - The budget is used up: the source is told when there is room. One that holds nothing may
//     always ask for one message, so that others cannot keep it from its own.
package pull

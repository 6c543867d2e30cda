// Package owner makes, repairs and ends streams, consumers and routes. It is the only package that
// deletes any (I5), and is linked by the controller and by kn-jetstream, never by ingress or filter.
//
// A Put makes what a route needs before it writes the route: the streams of an address, the cursor
// of a target. A removal writes a tombstone, and leaves the rest to a sweep:
//
//	live ──Remove──▶ tombstone ──grace period──▶ sweeping ──all is deleted──▶ swept ──a day──▶ purged
//	  ▲                  │
//	  └──────Put─────────┘
//
// Both marks, sweeping and swept, are written by compare-and-set, so a Put and the sweeps of several
// owners never meet half-way (I6). A crash between the marks leaves the first; a later sweep goes on.
//
// A sweep also repairs: what is gone is made again, cursors where they stood last (see positions).
package owner

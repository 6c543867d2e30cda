package ledger

import (
	"math/bits"
	"sync/atomic"
)

// bitset is a set of numbers below a limit. Safe for concurrent use.
type bitset []atomic.Uint64

func newBitset(limit int) bitset { return make(bitset, (limit+63)/64) }

// add reports whether the number is new. One that is beyond the limit never is.
func (b bitset) add(n int) bool {
	if n < 0 || n/64 >= len(b) {
		return false
	}
	bit := uint64(1) << (n % 64)
	return b[n/64].Or(bit)&bit == 0
}

func (b bitset) has(n int) bool {
	return n >= 0 && n/64 < len(b) && b[n/64].Load()&(1<<(n%64)) != 0
}

func (b bitset) count() int {
	n := 0
	for i := range b {
		n += bits.OnesCount64(b[i].Load())
	}
	return n
}

//go:build !race

package e2e

// raceEnabled is false where the tests run without the race detector.
const raceEnabled = false

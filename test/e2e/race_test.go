//go:build race

package e2e

// raceEnabled builds the programs as the tests are built: they are watched for races too, and nothing is compiled twice.
const raceEnabled = true

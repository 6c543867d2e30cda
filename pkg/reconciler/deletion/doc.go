// Package deletion has event handlers told of deletions that a watch missed.
package deletion

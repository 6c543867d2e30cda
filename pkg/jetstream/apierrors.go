package jetstream

import (
	"errors"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// IsStorageExhausted reports whether the server refused because the account or its disk is full.
func IsStorageExhausted(err error) bool {
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode {
	case ErrCodeNoPeers: // a cluster in which no server has enough room
		return strings.Contains(api.Description, "insufficient storage")
	case errCodeInsufficientResources, errCodeMemoryExceeded, errCodeStorageExceeded, errCodeAccountResources:
		return true
	}
	return false
}

// Codes of API errors without a sentinel in nats.go. Source: nats-server server/errors.json.
const (
	errCodeAccountResources      jetstream.ErrorCode = 10002
	ErrCodeNoPeers               jetstream.ErrorCode = 10005
	ErrCodeNoCluster             jetstream.ErrorCode = 10074
	errCodeInsufficientResources jetstream.ErrorCode = 10023
	errCodeMemoryExceeded        jetstream.ErrorCode = 10028
	errCodeStorageExceeded       jetstream.ErrorCode = 10047
	errCodeStoreFailed           jetstream.ErrorCode = 10077
	ErrCodeNotUnique             jetstream.ErrorCode = 10100
	ErrCodeDuplicateInProcess    jetstream.ErrorCode = 10158
)

// IsLogFull reports whether the server refused an event because the stream is at its byte limit.
func IsLogFull(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && api.ErrorCode == errCodeStoreFailed && strings.Contains(api.Description, "maximum")
}

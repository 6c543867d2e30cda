// Package config reads what an administrator configures: the ConfigMap that a Broker's spec.config names, and the mounted
// folders with the connection to NATS, the log levels and the way of metrics. It parses and validates; it knows neither Kubernetes' API nor NATS.
package config

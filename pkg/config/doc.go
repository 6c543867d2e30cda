// Package config reads what an administrator configures: the ConfigMap that a Broker's spec.config names, and the folder
// with the connection to NATS. It parses and validates; it knows neither Kubernetes' API nor NATS.
package config

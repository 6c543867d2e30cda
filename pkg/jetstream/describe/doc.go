// Package describe reads all that is known of one Broker, Channel, Trigger or Subscription: what
// kn-jetstream describe shows. It changes nothing.
package describe

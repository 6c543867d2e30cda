// Command resolve looks its arguments up in the DNS, each until it has an address, prints these and ends. As a pod it shows that a
// new cluster pulls images, starts containers and answers for service names; whoever waits for the pod sets the time limit.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"
)

const pause = 200 * time.Millisecond

func main() {
	for _, name := range os.Args[1:] {
		fmt.Println(name, resolve(name))
	}
}

// resolve repeats the look-up until it succeeds: a cluster that has just come up may still be programming its network.
func resolve(name string) []string {
	retry := time.NewTicker(pause)
	defer retry.Stop()
	for {
		addresses, err := net.DefaultResolver.LookupHost(context.Background(), name)
		if err == nil {
			return addresses
		}
		fmt.Fprintln(os.Stderr, err)
		<-retry.C
	}
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/floor"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/process"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/receiver"
	"github.com/eventing-jetstream/eventing-jetstream/cmd/internal/bench/workload"
	"github.com/eventing-jetstream/eventing-jetstream/pkg/jetstream/embedded"
)

// startBudget bounds the start of a Broker, with the writing of its routes.
const startBudget = 2 * time.Minute

// system is what is measured, and the processes that it consists of.
type system struct {
	options Options
	// url is where events are posted.
	url    string
	folder string
	// guest says that the NATS is somebody else's, who wants it back as it was.
	guest bool

	mu        sync.Mutex
	processes []*process.Process
	// profiles are the addresses where processes serve their profiles, by name.
	profiles map[string]string
}

// start starts everything but the filter. subscriber is the URL of the subscribers' server. stop must be called whatever it returns.
func (s *system) start(ctx context.Context, subscriber string) error {
	ctx, cancel := context.WithTimeout(ctx, startBudget)
	defer cancel()
	if s.url = s.options.System.Target; s.url != "" {
		return nil
	}
	var err error
	if s.folder, err = os.MkdirTemp(s.options.System.Folder, "kn-jetstream-bench"); err != nil {
		return err
	}
	switch s.options.Floor {
	case FloorAnswer, FloorProxy: // they need no NATS
	default:
		if err := s.startNATS(ctx); err != nil {
			return err
		}
		if err := s.apply(ctx, subscriber); err != nil {
			return err
		}
	}
	switch s.options.Floor {
	case "":
		return s.startIngress(ctx)
	case FloorStream: // it takes no requests
		return nil
	default:
		return s.startFloor(ctx, subscriber)
	}
}

// stop ends the processes, the last one first, and removes what they have stored.
func (s *system) stop(ctx context.Context) error {
	for _, p := range slices.Backward(s.running()) {
		p.Stop()
	}
	var err error
	if s.guest {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startBudget)
		defer cancel()
		err = floor.Clear(ctx, s.options.System.NATS)
	}
	if s.folder != "" {
		err = errors.Join(err, os.RemoveAll(s.folder))
	}
	return err
}

// failure is why one of the processes has ended; nil while all run.
func (s *system) failure() error {
	for _, p := range s.running() {
		if err := p.Err(); err != nil {
			return err
		}
	}
	return nil
}

// run starts a program, and has it serve its profiles if they are wanted.
func (s *system) run(ctx context.Context, name string, argv ...string) (*process.Process, error) {
	var environment []string
	if s.options.Profile != "" {
		flags, variables, err := s.profiled(ctx, name)
		if err != nil {
			return nil, err
		}
		argv, environment = append(argv, flags...), variables
	}
	p, err := process.Start(name, environment, argv...)
	if err == nil {
		s.mu.Lock()
		s.processes = append(s.processes, p)
		s.mu.Unlock()
	}
	return p, err
}

// running are the processes in the order in which they were started.
func (s *system) running() []*process.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.processes)
}

// startNATS starts a NATS, unless there is one.
func (s *system) startNATS(ctx context.Context) error {
	if s.options.System.NATS.URL != "" {
		return s.visit(ctx)
	}
	p, err := s.run(ctx, ProcessNATS, s.options.System.Self, "bench", "nats", "--store", s.folder)
	if err != nil {
		return err
	}
	return p.Await(ctx, func(context.Context) error {
		text, err := os.ReadFile(embedded.URLFile(s.folder))
		if err == nil {
			s.options.System.NATS.URL = strings.TrimSpace(string(text))
			s.options.System.Flags = []string{"--nats", s.options.System.NATS.URL, "--prefix", s.options.System.NATS.Names.Prefix()}
		}
		return err
	})
}

// visit makes sure that everything of this prefix will be ours on a NATS that is somebody else's: at the end it is removed.
func (s *system) visit(ctx context.Context) error {
	streams, err := floor.Streams(ctx, s.options.System.NATS)
	if err != nil {
		return err
	}
	if len(streams) > 0 {
		return fmt.Errorf("this NATS has an installation with the prefix %q (stream %s): --prefix must be one that nobody uses",
			s.options.System.NATS.Names.Prefix(), streams[0])
	}
	s.guest = true
	return nil
}

func (s *system) startIngress(ctx context.Context) error {
	addresses, err := freeAddresses(ctx, 2)
	if err != nil {
		return err
	}
	s.url = fmt.Sprintf("http://%s/%s/%s", addresses[0], workload.Namespace, workload.Broker)
	argv := append([]string{s.options.System.Ingress, "--listen", addresses[0], "--probe-listen", addresses[1]}, s.options.System.Flags...)
	p, err := s.run(ctx, ProcessIngress, argv...)
	if err != nil {
		return err
	}
	return p.Await(ctx, answersOK("http://"+addresses[1]+"/readyz"))
}

// startFilter starts the filter; not if nothing is to be delivered, or if it is somebody else's.
func (s *system) startFilter(ctx context.Context) error {
	if s.options.System.Target != "" || s.options.Floor != "" || len(s.options.Workload.Targets()) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, startBudget)
	defer cancel()
	probe, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	p, err := s.run(ctx, ProcessFilter, append([]string{s.options.System.Filter, "--probe-listen", probe}, s.options.System.Flags...)...)
	if err != nil {
		return err
	}
	return p.Await(ctx, answersOK("http://"+probe+"/readyz"))
}

func (s *system) startFloor(ctx context.Context, subscriber string) error {
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	s.url = "http://" + address
	argv := []string{s.options.System.Self, "bench", "floor", s.options.Floor, "--listen", address, "--subscriber", subscriber + receiver.SubscriberPath + "0"}
	p, err := s.run(ctx, ProcessFloor, append(argv, s.options.System.Flags...)...)
	if err != nil {
		return err
	}
	return p.Await(ctx, answersOK(s.url+"/readyz"))
}

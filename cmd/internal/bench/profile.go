package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/eventing-jetstream/eventing-jetstream/pkg/loop"
)

// profiled returns what a program is started with so that it serves its profiles, and notes where.
func (s *system) profiled(ctx context.Context, name string) (flags, environment []string, err error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	if s.profiles == nil {
		s.profiles = map[string]string{}
	}
	s.profiles[name] = address
	s.mu.Unlock()
	if name == ProcessNATS || name == ProcessFloor {
		return []string{"--profile-listen", address}, nil, nil
	}
	// Ingress and filter serve them as in a cluster: a ConfigMap says so, a variable at which port.
	folder, err := os.MkdirTemp(s.folder, "observability")
	if err != nil {
		return nil, nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, nil, err
	}
	err = os.WriteFile(filepath.Join(folder, "runtime-profiling"), []byte("enabled"), 0o600)
	return []string{"--observability-config", folder}, []string{"PROFILING_PORT=" + port}, err
}

// profile takes the CPU profiles of all processes for the time of the span, into files NAME.pprof of a folder. The function that it
// returns waits for them.
func (r *run) profile(ctx context.Context) (wait func() error) {
	if r.Profile == "" || r.Load.Duration == 0 {
		return func() error { return nil }
	}
	var profiling sync.WaitGroup
	var mu sync.Mutex
	errs := os.MkdirAll(r.Profile, 0o755) //nolint:gosec // for everybody to read
	r.system.mu.Lock()
	defer r.system.mu.Unlock()
	for name, address := range r.system.profiles {
		profiling.Go(func() {
			err := r.profileOne(ctx, name, address)
			mu.Lock()
			defer mu.Unlock()
			errs = errors.Join(errs, err)
		})
	}
	return func() error {
		profiling.Wait()
		return errs
	}
}

func (r *run) profileOne(ctx context.Context, name, address string) error {
	if !loop.Sleep(ctx, r.Load.Warmup) {
		return nil // it is cut short: a profile would say nothing
	}
	span := max(r.Load.Duration-r.Load.Warmup, time.Second)
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", address, int(span.Seconds()))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("profile of %s: answer %d", name, response.StatusCode)
	}
	file, err := os.Create(filepath.Join(r.Profile, strings.ReplaceAll(name, " ", "-")+".pprof"))
	if err != nil {
		return err
	}
	_, err = io.Copy(file, response.Body)
	return errors.Join(err, file.Close())
}

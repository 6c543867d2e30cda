// Package process runs the programs that a benchmark measures, each in a process of its own, and reads from the operating system
// what each has used.
package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// stopBudget is how long a process may take to end when it is asked to, before it is killed.
const stopBudget = 10 * time.Second

// Process is a program that runs. Stop it at the end; should the benchmark be killed, the kernel ends it (on Linux).
type Process struct {
	Name string
	// Gone is closed when it has ended.
	Gone <-chan struct{}

	command *exec.Cmd
	output  *tail
	err     error
}

// Start runs a program. environment is added to this process's own.
func Start(name string, environment []string, argv ...string) (*Process, error) {
	p := &Process{Name: name, command: exec.Command(argv[0], argv[1:]...), output: &tail{}} //nolint:gosec,noctx // our own programs; Stop ends them
	p.command.Env = append(p.command.Environ(), environment...)
	p.command.Stdout, p.command.Stderr = p.output, p.output
	p.command.SysProcAttr = attributes()
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	gone := make(chan struct{})
	p.Gone = gone
	go func() {
		p.err = p.command.Wait()
		close(gone)
	}()
	return p, nil
}

// Pid is its number.
func (p *Process) Pid() int { return p.command.Process.Pid }

// Stop asks it to end, waits for that, and kills it when it takes too long.
func (p *Process) Stop() {
	_ = p.command.Process.Signal(os.Interrupt)
	timer := time.NewTimer(stopBudget)
	defer timer.Stop()
	select {
	case <-p.Gone:
	case <-timer.C:
		_ = p.command.Process.Kill()
		<-p.Gone
	}
}

// Output is the end of what it has written.
func (p *Process) Output() string { return p.output.String() }

// Err is why it ended; nil as long as it runs.
func (p *Process) Err() error {
	select {
	case <-p.Gone:
		return fmt.Errorf("%s has ended: %w\n%s", p.Name, errors.Join(p.err), p.Output())
	default:
		return nil
	}
}

// Await asks ready, again and again, until it says yes. The error tells what the process has written when it does not.
func (p *Process) Await(ctx context.Context, ready func(context.Context) error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.Gone:
			return p.Err()
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w\n%s", p.Name, err, p.Output())
		}
	}
}

// Find returns the path of a program: as given, else beside this program, else on the PATH.
func Find(name, given string) (string, error) {
	if given != "" {
		_, err := os.Stat(given)
		return given, err
	}
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	beside := filepath.Join(filepath.Dir(self), name)
	if _, err := os.Stat(beside); err == nil {
		return beside, nil
	}
	found, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("the program %s is neither beside %s nor on the PATH; make build builds it, --%s-program names it", name, self, name)
	}
	return found, nil
}

// tail keeps the end of what is written to it. Safe for concurrent use.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const maxTail = 16 << 10

// Write makes it an io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(len(t.text)-maxTail, 0):]
	return len(p), nil
}

// String returns the end of what was written.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

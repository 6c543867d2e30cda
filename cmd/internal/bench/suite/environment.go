package suite

import (
	"runtime"
	"runtime/debug"
)

// Environment is what the figures were measured on.
type Environment struct {
	CPU    string `json:"cpu"`
	CPUs   int    `json:"cpus"`
	Memory uint64 `json:"memory"`
	Kernel string `json:"kernel"`
	// Versions are those of Go and of the modules that count.
	Versions []Version `json:"versions"`
	// Commit is the product's, if the caller knows it.
	Commit string `json:"commit,omitempty"`
}

// Version is that of a module.
type Version struct{ Name, Version string }

// ReadEnvironment looks at this machine and program.
func ReadEnvironment(commit string) Environment {
	e := Environment{CPUs: runtime.NumCPU(), Commit: commit, Versions: []Version{{"Go", runtime.Version()}}}
	e.CPU, e.Memory, e.Kernel = machine()
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return e
	}
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/nats-io/nats-server/v2", "github.com/nats-io/nats.go", "knative.dev/eventing", "github.com/valyala/fasthttp":
			e.Versions = append(e.Versions, Version{m.Path, m.Version})
		}
	}
	return e
}

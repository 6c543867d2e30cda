package memory

import (
	"io/fs"
	"math"
	"testing"
)

func TestBudget(t *testing.T) {
	const mib = 1 << 20
	const v1None = "9223372036854771712\n"
	for _, c := range []struct {
		name    string
		goLimit int64
		files   map[string]string
		want    int64
	}{
		{name: "nothing limits it", want: 512 * mib},
		{name: "GOMEMLIMIT", goLimit: 1380 * mib, want: 690 * mib},
		{name: "GOMEMLIMIT goes before the control group", goLimit: 900 * mib, want: 450 * mib, files: map[string]string{
			"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "1048576000\n",
		}},
		{name: "a container, version 2", want: 128 * mib, files: map[string]string{
			"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "268435456\n",
		}},
		{name: "no limit, version 2", want: 512 * mib, files: map[string]string{
			"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max\n",
		}},
		{name: "a service, version 2", want: 128 * mib, files: map[string]string{
			"/proc/self/cgroup": "0::/system.slice/kn.service\n",
			"/sys/fs/cgroup/system.slice/kn.service/memory.max": "268435456\n",
			"/sys/fs/cgroup/system.slice/memory.max":            "max\n",
		}},
		{name: "a group around it has less", want: 64 * mib, files: map[string]string{
			"/proc/self/cgroup": "0::/system.slice/kn.service\n",
			"/sys/fs/cgroup/system.slice/kn.service/memory.max": "268435456\n",
			"/sys/fs/cgroup/system.slice/memory.max":            "134217728\n",
		}},
		{name: "a container, version 1", want: 128 * mib, files: map[string]string{
			"/proc/self/cgroup": "11:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes": "268435456\n",
		}},
		{name: "no limit, version 1", want: 512 * mib, files: map[string]string{
			"/proc/self/cgroup": "4:memory:/docker/1\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes": v1None,
		}},
		{name: "unreadable numbers", want: 512 * mib, files: map[string]string{
			"/proc/self/cgroup": "what\n0::/\n", "/sys/fs/cgroup/memory.max": "much\n",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			of := limits{goLimit: c.goLimit, read: func(name string) ([]byte, error) {
				text, ok := c.files[name]
				if !ok {
					return nil, fs.ErrNotExist
				}
				return []byte(text), nil
			}}
			if of.goLimit == 0 {
				of.goLimit = math.MaxInt64
			}
			if got := of.budget(); got != c.want {
				t.Errorf("%d bytes, want %d", got, c.want)
			}
		})
	}
	if got := Budget(); got <= 0 {
		t.Errorf("this process may hold %d bytes", got)
	}
}

package suite

import (
	"bytes"
	"os"

	"github.com/prometheus/procfs"
)

// machine is the model of the CPU, the memory in bytes, and the kernel; what cannot be read is left out.
func machine() (cpu string, memory uint64, kernel string) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return "", 0, ""
	}
	if infos, err := fs.CPUInfo(); err == nil && len(infos) > 0 {
		cpu = infos[0].ModelName
	}
	if info, err := fs.Meminfo(); err == nil && info.MemTotalBytes != nil {
		memory = *info.MemTotalBytes
	}
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return cpu, memory, "Linux " + string(bytes.TrimSpace(release))
}

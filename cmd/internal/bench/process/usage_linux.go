package process

import (
	"syscall"
	"time"

	"github.com/prometheus/procfs"
)

// attributes have the kernel end the process with this one, and keep a terminal's interrupt from it: Stop ends it in its turn.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// UsageOf reads what the process with this number has used; known is false when it has ended.
func UsageOf(pid int) (u Usage, known bool) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return Usage{}, false
	}
	stat, err := p.Stat()
	if err != nil {
		return Usage{}, false
	}
	status, err := p.NewStatus()
	if err != nil {
		return Usage{}, false
	}
	return Usage{
		CPU:      time.Duration(stat.CPUTime() * float64(time.Second)),
		Resident: int64(status.VmRSS), Peak: int64(status.VmHWM), //nolint:gosec // no process is so large
	}, true
}

//go:build !linux

package process

import "syscall"

func attributes() *syscall.SysProcAttr { return nil }

// UsageOf knows nothing on this operating system.
func UsageOf(int) (u Usage, known bool) { return Usage{}, false }

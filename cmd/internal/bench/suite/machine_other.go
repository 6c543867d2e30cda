//go:build !linux

package suite

import "runtime"

func machine() (cpu string, memory uint64, kernel string) { return runtime.GOARCH, 0, runtime.GOOS }

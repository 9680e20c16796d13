package kernel

import (
	"sync/atomic"
	"time"

	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
)

// panicTimeout is "panic=": seconds from a panic to the reboot; 0 is never,
// a negative number at once.
var panicTimeout atomic.Int32

var panicking atomic.Bool

// Panic ends the kernel's work: it says why, and reboots or stops, as the
// command line's "panic=" wants. It does not return.
//
// It is for what leaves nothing to go on with: no process 1, or none any more.
func Panic(format string, a ...any) {
	if !panicking.CompareAndSwap(false, true) {
		select {} // one panic is enough
	}
	klog.Emergf("Kernel panic - not syncing: "+format, a...)
	switch n := panicTimeout.Load(); {
	case n > 0:
		klog.Emergf("Rebooting in %d seconds..", n)
		time.Sleep(time.Duration(n) * time.Second)
		arch.Reboot()
	case n < 0:
		arch.Reboot()
	}
	klog.Emergf("---[ end Kernel panic ]---")
	arch.Halt()
}

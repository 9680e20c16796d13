package kernel

import (
	"fmt"
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
	drainConsole() // the last words of a process may say why
	msg := fmt.Sprintf(format, a...)
	klog.Emergf("Kernel panic - not syncing: %s", msg)
	panicScreen(msg)
	restart(func(d time.Duration) {
		klog.Emergf("Rebooting in %d seconds..", d/time.Second)
		arch.ScreenFooter("Rebooting soon.")
		time.Sleep(d)
	})
	klog.Emergf("---[ end Kernel panic ]---")
	arch.Halt()
}

// restart reboots if the command line's "panic=" wants it, after the wait.
func restart(wait func(d time.Duration)) {
	n := panicTimeout.Load()
	if n == 0 {
		return
	}
	if n > 0 {
		wait(time.Duration(n) * time.Second)
	}
	arch.Reboot()
}

// powerOff turns the machine off, or stops it where that cannot be done. It does
// not return.
func powerOff() {
	arch.PowerOff()
	klog.Emergf("The machine does not turn itself off; it is safe to do so now")
	arch.Halt()
}

// lost is called when the kernel's Go program has ended: the runtime found its
// own state broken, or arch did. It runs without a goroutine, all other CPUs
// stopped. A negative code is a halt that was asked for.
func lost(code int) {
	if code < 0 {
		return
	}
	restart(func(d time.Duration) {
		arch.ScreenFooter("Rebooting soon.")
		arch.BusyWait(int64(d))
	})
}

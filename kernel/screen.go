package kernel

import (
	"runtime"

	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
)

// preparePanicScreen gives arch what the last screen of a machine shows of the
// kernel.
func preparePanicScreen() {
	arch.PanicKernel = utsRelease + ", built with " + runtime.Version()
	arch.PanicLog = klog.Tail
}

// panicStack is where the stack of a goroutine that panics is written: the heap
// may be what is broken.
var panicStack [16 << 10]byte

// panicScreen shows a panic's message on the screen, for good.
func panicScreen(msg string) {
	n := runtime.Stack(panicStack[:], false)
	arch.PanicScreen("KERNEL PANIC: the kernel cannot go on", msg, panicStack[:n])
}

// provoke makes the kernel end in one of the ways it may, to see what the screen
// shows then: "selftest=" on the command line.
func provoke(how string) {
	switch how {
	case "fatal": // what arch/amd64 does when it finds itself lost
		arch.Lost("selftest", 0x1234)
	case "crash": // what the Go runtime does when nobody recovers
		go func() { *(*int)(nil) = 0 }()
		select {}
	case "panic":
		Panic("selftest")
	}
}

package wait

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The brackets around a system call of the kernel's own that takes long: the
// goroutine keeps its thread and gives its processor away at once.

//go:linkname entersyscallblock runtime.entersyscallblock
func entersyscallblock()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

// SleepThread sleeps for d with the thread that the caller runs on, below the
// Go scheduler. It is for the one goroutine that sleeps all the time: as long as
// there is a Go timer anywhere, the scheduler reads the clock at every switch
// of goroutines. And a thread that sleeps tells the runtime that a program
// whose goroutines all wait has not come to a deadlock.
func SleepThread(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	sleepThread(&ts)
}

// sleepThread must not grow its stack between the brackets.
//
//go:nosplit
func sleepThread(ts *unix.Timespec) {
	entersyscallblock()
	unix.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(ts)), 0, 0)
	exitsyscall()
}

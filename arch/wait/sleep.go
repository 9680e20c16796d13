package wait

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The brackets around a system call of the kernel's own that takes long: the
// goroutine keeps its thread and gives its processor away at once.

//go:linkname entersyscallblock runtime.entersyscallblock
func entersyscallblock()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

// Operations of futex(2) (UAPI linux/futex.h).
const (
	futexWaitPrivate = 0 | 128
	futexWakePrivate = 1 | 128
)

// sleepThread sleeps, with the thread that the caller runs on, for ns or until
// wakeThread, if word is old.
func sleepThread(word *atomic.Uint32, old uint32, ns int64) {
	ts := unix.NsecToTimespec(ns)
	futexSleep(word, old, &ts)
}

// futexSleep must not grow its stack between the brackets.
//
//go:nosplit
func futexSleep(word *atomic.Uint32, old uint32, ts *unix.Timespec) {
	entersyscallblock()
	unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWaitPrivate, uintptr(old), uintptr(unsafe.Pointer(ts)), 0, 0)
	exitsyscall()
}

// wakeThread wakes the thread that sleeps on word.
func wakeThread(word *atomic.Uint32) {
	unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWakePrivate, 1, 0, 0, 0)
}

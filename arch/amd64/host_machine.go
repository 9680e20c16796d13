//go:build !tamarix

package amd64

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"tamarix/arch/memtest"
	"tamarix/boot/info"
)

var hostStart = time.Now()

// Nanotime returns nanoseconds since boot; it never goes back.
func Nanotime() int64 { return int64(time.Since(hostStart)) }

// BusyWait spins for so many nanoseconds.
func BusyWait(ns int64) { time.Sleep(time.Duration(ns)) }

func coarseTime() int64 { return Nanotime() }

// SetWallOffset sets the wall clock.
func SetWallOffset(ns int64) { wallOffset.Store(ns) }

// TSCHz returns the frequency of the time stamp counter.
func TSCHz() uint64 { return 1e9 }

// WatchClock compares the clock with others; the host's needs none.
func WatchClock() (message string) { return "" }

// ClockSources returns the names of the clocks, and which one is used.
func ClockSources() (names []string, current string) { return []string{"host"}, "host" }

// SetClockSource makes the clock of that name the one.
func SetClockSource(name string) error {
	if name != "host" {
		return unix.EINVAL
	}
	return nil
}

// ClockReport describes the clocks, line by line.
func ClockReport() string { return "clock: host, because there is no machine\n" }

// EarlySteps calls f for each step of start-up from before there was a log.
func EarlySteps(f func(level uint8, at int64, text string)) (lost int) { return 0 }

// CPUs describes the CPUs that run.
func CPUs() []CPUInfo {
	return []CPUInfo{{Vendor: "host", Brand: runtime.GOARCH, Line: 64, PhysicalBits: 40, VirtualBits: 48}}
}

// HWCAP returns AT_HWCAP: CPUID 1, EDX.
func HWCAP() uint64 { return 0 }

// CPUTimes returns how long CPU i has spent in ring 3, in the kernel and idle, in ns.
func CPUTimes(i int) (user, system, idle int64) { return 0, 0, 0 }

// InterruptCount is one line of /proc/interrupts.
type InterruptCount struct {
	Label  string // "4", "LOC"
	Chip   string // what a device's interrupt comes through; else ""
	Name   string
	PerCPU []uint64
}

// InterruptCounts returns the interrupts taken so far, by vector and CPU.
func InterruptCounts() []InterruptCount { return nil }

// BootInfo returns what the loader said.
func BootInfo() *info.Boot { return &info.Boot{} }

// MemoryTest returns what the memory test at boot has found: the host has none.
func MemoryTest() memtest.Result { return memtest.Result{} }

// MemoryResources returns what is known to be at which physical addresses.
func MemoryResources() []Resource { return nil }

// PortResources returns what is known to be at which I/O ports.
func PortResources() []Resource { return nil }

//go:build !tamarix

package amd64

import (
	"os"
	"time"
)

// SerialPort stands in for COM1: nothing is ever received, and what is written
// goes to standard error.
type SerialPort struct{}

// Serial returns the first serial port.
func Serial() *SerialPort { return &SerialPort{} }

// Read never returns.
func (*SerialPort) Read(p []byte) (int, error) { select {} }

// Write writes to standard error.
func (*SerialPort) Write(p []byte) (int, error) { return os.Stderr.Write(p) }

// Present reports whether there is one.
func (*SerialPort) Present() bool { return true }

// Overruns returns how many received bytes were lost because nobody read.
func (*SerialPort) Overruns() uint32 { return 0 }

// SetBaud sets the speed of the line.
func (*SerialPort) SetBaud(baud int) {}

// SetBreak holds the line at zero, or no longer.
func (*SerialPort) SetBreak(on bool) {}

// ExitHook, if set, ends the machine when the kernel is lost.
var ExitHook func(code int)

// PowerOff turns the machine off.
func PowerOff() {}

// Reboot resets the machine.
func Reboot() {}

// Halt stops this CPU for good.
func Halt() {}

// ReadRTC returns the time of the battery-backed clock.
func ReadRTC() (time.Time, error) { return time.Now().UTC(), nil }

// FirmwareReport logs what is known of the firmware's tables: nothing.
func FirmwareReport(debug, warn func(format string, a ...any)) {}

// WatchNMI tells of non-maskable interrupts: there are none.
func WatchNMI(warn func(format string, a ...any)) {}

// InterruptReport says how interrupts are delivered: they are not.
func InterruptReport(debug, warn func(format string, a ...any)) {}

// PhysicalMemory returns n bytes of physical memory: the host gives none.
func PhysicalMemory(addr, n uint64) []byte { return nil }

// FirmwareMemory returns physical memory as firmware left it: there is none.
func FirmwareMemory() func(addr, n uint64) []byte { return PhysicalMemory }

//go:build !tamarix

package amd64

import "golang.org/x/sys/unix"

// IRQ is an interrupt that a driver waits for.
type IRQ struct{}

// NewIRQ gives a driver a vector of its own. handler runs in interrupt context.
func NewIRQ(name string, handler func(arg uintptr) bool, arg uintptr) (*IRQ, error) {
	return nil, unix.ENODEV
}

// Vector returns the interrupt vector to program into the interrupt controller.
func (q *IRQ) Vector() uint8 { return 0 }

// Wait sleeps until the handler has said that there is something to do.
func (q *IRQ) Wait() { select {} }

// MapDevice maps device registers, uncached.
func MapDevice(phys, size uint64) uintptr { panic("MapDevice: not on the machine") }

//go:build tamarix

package amd64

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"tamarix/arch/acpi"
)

// The I/O APIC (Intel 82093AA datasheet): it turns the interrupt lines of
// devices into messages to a CPU's local APIC.

const (
	ioapicSelect = 0x00 // IOREGSEL: which register the window shows
	ioapicWindow = 0x10 // IOWIN

	ioapicVersion = 0x01 // IOAPICVER: bits 16-23, the number of entries less one
	ioapicTable   = 0x10 // IOREDTBL: two registers for each entry

	redirMasked    = 1 << 16
	redirLevel     = 1 << 15
	redirActiveLow = 1 << 13
	redirFixed     = 0 << 8 // delivery mode; bit 11 clear: physical destination
)

// ioapic is one controller.
type ioapic struct {
	regs    uintptr
	base    uint32 // first global system interrupt
	entries uint32
}

var ioapics struct {
	once sync.Once
	mu   sync.Mutex // guards the select and window registers; a leaf
	list []ioapic
}

func (c *ioapic) reg(off uintptr) *uint32 {
	return (*uint32)(unsafe.Pointer(c.regs + off))
}

func (c *ioapic) read(r uint32) uint32 {
	*c.reg(ioapicSelect) = r
	return *c.reg(ioapicWindow)
}

func (c *ioapic) write(r, v uint32) {
	*c.reg(ioapicSelect) = r
	*c.reg(ioapicWindow) = v
}

// initIOAPICs maps the controllers and masks all their entries.
func initIOAPICs() {
	for _, a := range madt.IOAPICs() {
		c := ioapic{regs: MapDevice(uint64(a.Address), PageSize), base: a.Base}
		if c.regs == 0 {
			continue
		}
		c.entries = c.read(ioapicVersion)>>16&0xff + 1
		for i := range c.entries {
			c.write(ioapicTable+2*i, redirMasked)
			c.write(ioapicTable+2*i+1, 0)
		}
		ioapics.list = append(ioapics.list, c)
	}
}

// RouteISA lets an ISA interrupt arrive at q, on the boot processor, wired as the
// firmware says. ENODEV: no I/O APIC takes it.
func RouteISA(irq uint8, q *IRQ) error {
	return routeInterrupt(madt.Route(irq), q.vector, interruptCPU())
}

// routeInterrupt programs and unmasks the entry of a global system interrupt.
// Without an I/O APIC for it, it returns ENODEV; a CPU that the eight bits of
// the destination cannot name is EINVAL.
func routeInterrupt(o acpi.Override, vector uint8, apicID uint32) error {
	ioapics.once.Do(initIOAPICs)
	if apicID > 0xff {
		return unix.EINVAL
	}
	flags := uint32(vector) | redirFixed
	if o.ActiveLow {
		flags |= redirActiveLow
	}
	if o.Level {
		flags |= redirLevel
	}
	ioapics.mu.Lock()
	defer ioapics.mu.Unlock()
	for i := range ioapics.list {
		c := &ioapics.list[i]
		if o.GSI < c.base || o.GSI-c.base >= c.entries {
			continue
		}
		r := ioapicTable + 2*(o.GSI-c.base)
		c.write(r, redirMasked)
		c.write(r+1, apicID<<24)
		c.write(r, flags)
		return nil
	}
	return unix.ENODEV
}

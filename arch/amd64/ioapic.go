//go:build tamarix

package amd64

import (
	"sync"
	"unsafe"

	"tamarix/arch/acpi"
)

const (
	ioapicSelect = 0x00 // IOREGSEL: which register the window shows
	ioapicWindow = 0x10 // IOWIN

	ioapicDefault = 0xfec0_0000 // where the first one is if nobody says
	maxIOAPICs    = 32
)

// ioapics are the machine's. ioapicCount is set once at boot; mu guards the select
// and window registers, and is a leaf.
var (
	ioapics struct {
		mu      sync.Mutex
		windows [maxIOAPICs]ioapicMemory
		list    [maxIOAPICs]ioapic
	}
	ioapicCount int
)

// ioapicMemory are a controller's registers: where they are mapped.
type ioapicMemory uintptr

func (m *ioapicMemory) at(off uintptr) *uint32 {
	return (*uint32)(unsafe.Pointer(uintptr(*m) + off))
}

func (m *ioapicMemory) read(r uint32) uint32 {
	*m.at(ioapicSelect) = r
	return *m.at(ioapicWindow)
}

func (m *ioapicMemory) write(r, v uint32) {
	*m.at(ioapicSelect) = r
	*m.at(ioapicWindow) = v
}

// initIOAPICs finds the controllers, masks all their entries, and wires those
// that the firmware wants as non-maskable interrupts. It runs at boot, before the
// Go runtime. Without a MADT there may still be one, at the place and with the
// wiring that the MP specification gives as the default (1.4, 5.1).
func initIOAPICs() {
	if !hasMADT {
		addIOAPIC(ioapicDefault, 0)
		return
	}
	for _, a := range madt.IOAPICs() {
		addIOAPIC(uint64(a.Address), a.Base)
	}
	for _, n := range madt.NMISources() {
		to := interruptCPU()
		if redirect(ioapics.list[:ioapicCount], acpi.Override{GSI: n.GSI, ActiveLow: n.ActiveLow}, 0, to) != nil {
			earlyPrint("no I/O APIC for a non-maskable interrupt\n")
		}
	}
}

func addIOAPIC(addr uint64, base uint32) {
	w := &ioapics.windows[ioapicCount]
	if *w = ioapicMemory(MapDevice(addr, ioapicWindow+4)); *w == 0 {
		return
	}
	if c, ok := openIOAPIC(w, base); ok && ioapicCount < maxIOAPICs-1 {
		ioapics.list[ioapicCount] = c
		ioapicCount++
	}
}

// RouteISA lets an ISA interrupt arrive at q, on the boot processor, wired as the
// firmware says. ENODEV: no I/O APIC takes it; EINVAL: the processor has an APIC
// id that an I/O APIC cannot name.
func RouteISA(irq uint8, q *IRQ) error {
	ioapics.mu.Lock()
	defer ioapics.mu.Unlock()
	err := redirect(ioapics.list[:ioapicCount], madt.Route(irq), q.vector, interruptCPU())
	if err == nil {
		q.wire.Store(wireISA + uint32(irq))
	}
	return err
}

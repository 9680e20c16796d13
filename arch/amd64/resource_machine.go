//go:build tamarix

package amd64

import (
	"encoding/binary"
	"fmt"

	"tamarix/arch/acpi"
	"tamarix/boot/info"
)

// MemoryResources returns what this package has at which physical addresses, by the
// names of Linux's /proc/iomem.
func MemoryResources() (list []Resource) {
	add := func(start, size uint64, name string) {
		list = append(list, Resource{start, start + size, name})
	}
	list = append(list, imageSegments()...)
	for i, m := range bootInfo.Modules() {
		add(m.Start, m.End-m.Start, fmt.Sprintf("Module %d", i))
	}
	add(rdmsr(msrAPICBase)&(physicalLimit()-1)&^(PageSize-1), PageSize, "Local APIC")
	for i, a := range madt.IOAPICs() {
		add(uint64(a.Address), 0x400, fmt.Sprintf("IOAPIC %d", i))
	}
	if hpetRegs != 0 {
		add(firmware.hpet.Address, hpetSize, "HPET 0")
	}
	for _, r := range ConfigRegions() {
		buses := uint64(r.LastBus) - uint64(r.FirstBus) + 1
		add(r.Address+uint64(r.FirstBus)<<20, buses<<20, fmt.Sprintf("PCI MMCONFIG %04x [bus %02x-%02x]", r.Segment, r.FirstBus, r.LastBus))
	}
	return list
}

// imageSegments returns the segments of the kernel's image, whose ELF header lies in
// memory before it (System V gABI, chapter 5).
func imageSegments() (list []Resource) {
	const base = info.ImageBase - info.DirectMap
	p := PhysicalMemory(base, PageSize)
	if len(p) < 64 || string(p[:4]) != "\x7fELF" {
		return nil
	}
	word := func(at uint64) uint64 { return binary.LittleEndian.Uint64(p[at:]) }
	const load, executable, writable = 1, 1, 2
	at, size, n := word(32), uint64(p[54]), uint64(p[56])
	for ; n > 0 && size >= 56 && at+size <= PageSize; n, at = n-1, at+size {
		if binary.LittleEndian.Uint32(p[at:]) != load {
			continue
		}
		name := "Kernel rodata"
		switch flags := p[at+4]; {
		case flags&executable != 0:
			name = "Kernel code"
		case flags&writable != 0:
			name = "Kernel data"
		}
		start := word(at + 24)
		list = append(list, Resource{start, start + word(at+40), name})
	}
	return list
}

// PortResources returns what is known to be at which I/O ports, by the names of
// Linux's /proc/ioports.
func PortResources() (list []Resource) {
	add := func(start, size uint64, name string) {
		list = append(list, Resource{start, start + size, name})
	}
	add(0x20, 2, "pic1")
	add(0x40, 4, "timer0")
	if f, _ := FADT(); f.Has8042 {
		add(0x60, 1, "keyboard")
		add(0x64, 1, "keyboard")
	}
	if !firmware.fadt.NoCMOSClock {
		add(0x70, 2, "rtc0")
	}
	add(0xa0, 2, "pic2")
	if bootInfo.Framebuffer.Kind == info.EGAText {
		add(0x3c0, 0x20, "vga+")
	}
	if Serial().Present() {
		add(com1, 8, "serial")
	}
	add(0xcf8, 8, "PCI conf1")
	f := &firmware.fadt
	for _, r := range []struct {
		a    acpi.Address
		name string
	}{
		{f.PM1aEvent, "ACPI PM1a_EVT_BLK"}, {f.PM1bEvent, "ACPI PM1b_EVT_BLK"}, {f.PM1a, "ACPI PM1a_CNT_BLK"},
		{f.PM1b, "ACPI PM1b_CNT_BLK"}, {f.PMTimer, "ACPI PM_TMR"}, {f.GPE0, "ACPI GPE0_BLK"}, {f.GPE1, "ACPI GPE1_BLK"},
	} {
		if r.a.Addr != 0 && r.a.Space == acpi.SpacePort {
			add(r.a.Addr, max(uint64(r.a.Bits)/8, 1), r.name)
		}
	}
	return list
}

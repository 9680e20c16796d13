//go:build tamarix

package amd64

import "unsafe"

// PhysicalMemory returns n bytes of physical memory, or nil where the direct
// map does not reach. It is for what the loader left there.
func PhysicalMemory(addr, n uint64) []byte {
	if !directMapped(addr, n) {
		return nil
	}
	return unsafe.Slice((*byte)(physPointer(addr)), n)
}

// directMapped reports whether the direct map has all of that memory. There may
// be holes in it.
func directMapped(addr, n uint64) bool {
	const top = heapBase - directMapBase
	if n == 0 || addr >= top || n > top-addr {
		return false
	}
	for a := addr; a < addr+n; {
		t, shift := kernelRoot, uint(39)
		for {
			e := LoadPTE(entry(t, directMapBase+a, shift))
			if !e.Present() {
				return false
			}
			if shift == PageShift || e&pteLarge != 0 {
				break
			}
			t, shift = e.Frame(), shift-indexBits
		}
		a = (a | (1<<shift - 1)) + 1
	}
	return true
}

// FirmwareMemory returns physical memory for those who read what the firmware left
// there, wherever that is: a function that returns n bytes at an address, or nil
// where the CPU can have no memory. What it maps stays mapped. It is for one
// goroutine.
func FirmwareMemory() func(addr, n uint64) []byte { return new(firmwareMemory).Bytes }

// firmwareMemory is physical memory for those who read the firmware's tables
// ([acpi.Memory]). What the direct map does not have is mapped when it is asked
// for, and stays so: tables may lie anywhere.
type firmwareMemory struct {
	start, end uint64 // what was mapped last
	window     uintptr
}

func (m *firmwareMemory) Bytes(addr, n uint64) []byte {
	if n == 0 || n > physicalLimit() || addr > physicalLimit()-n {
		return nil
	}
	if p := PhysicalMemory(addr, n); p != nil {
		return p
	}
	if addr < m.start || addr+n > m.end {
		start, end := addr&^(PageSize-1), (addr+n+PageSize-1)&^(PageSize-1)
		w := MapDevice(start, end-start)
		if w == 0 {
			return nil
		}
		m.start, m.end, m.window = start, end, w
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(m.window+uintptr(addr-m.start))), n)
}

// physicalLimit returns the end of the CPU's physical addresses (SDM vol. 3A,
// 4.1.4): bits beyond are reserved in a page table.
func physicalLimit() uint64 {
	bits := uint32(36)
	if top, _, _, _ := cpuid(0x80000000, 0); top >= 0x80000008 {
		a, _, _, _ := cpuid(0x80000008, 0)
		bits = a & 0xff
	}
	return 1 << min(bits, 52)
}

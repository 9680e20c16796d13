//go:build tamarix

package pci

import (
	"fmt"
	"sync"

	"github.com/usbarmory/tamago/soc/intel/pci"

	"tamarix/arch/acpi"
	arch "tamarix/arch/amd64"
	"tamarix/dev/mmio"
)

// MapMemory is the machine's [Mapper].
func MapMemory(phys uint64, size uint32) (mmio.Registers, error) { return mmio.Map(phys, size) }

// Machine returns the way to this machine's configuration space.
func Machine() Access {
	if regions := arch.ConfigRegions(); len(regions) > 0 {
		m := &memory{regions: regions, buses: make(map[Root]*mmio.Region)}
		// What the ports reach too is read by them. A table that is wrong
		// shows something else than they do at 00:00.0, which is always there.
		old, v := (&ports{}).Read(Address{}, regID), m.Read(Address{}, regID)
		switch {
		case old == 0xffff_ffff && v != old:
			return m
		case old == v:
			m.ports = &ports{}
			return m
		}
	}
	return &ports{}
}

// Describe returns how configuration space is reached, for the log.
func Describe(a Access) string {
	if m, ok := a.(*memory); ok {
		return fmt.Sprintf("configuration space in memory, bus 0 at %#x", m.regions[0].Address)
	}
	return "configuration space by ports"
}

// ports is the way through CONFIG_ADDRESS and CONFIG_DATA (PCI 3.2.2.3.2).
type ports struct {
	mu sync.Mutex // makes the pair of accesses one; a leaf
}

// Roots implements [Access].
func (p *ports) Roots() []Root { return []Root{{}} }

// Size implements [Access].
func (p *ports) Size(Address) int { return 256 }

// Read implements [Access].
func (p *ports) Read(a Address, off uint16) uint32 {
	if a.Segment != 0 || off >= 256 {
		return 0xffff_ffff
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	d := pci.Device{Bus: uint32(a.Bus), Slot: uint32(a.Slot)}
	return d.Read(uint32(a.Func), uint32(off))
}

// Write implements [Access].
func (p *ports) Write(a Address, off uint16, v uint32) {
	if a.Segment != 0 || off >= 256 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	d := pci.Device{Bus: uint32(a.Bus), Slot: uint32(a.Slot)}
	d.Write(uint32(a.Func), uint32(off), v)
}

// memory is PCI Express's enhanced configuration access mechanism (PCIe 7.2.2):
// 4 KiB for each function. A bus is mapped when it is first looked at.
type memory struct {
	ports   *ports              // for what they reach; nil: not there. Immutable
	regions []acpi.ConfigRegion // immutable
	mu      sync.Mutex          // guards buses; a leaf
	buses   map[Root]*mmio.Region
}

// Roots implements [Access].
func (m *memory) Roots() []Root {
	var list []Root
	seen := map[uint16]bool{}
	for _, r := range m.regions {
		if !seen[r.Segment] {
			seen[r.Segment] = true
			list = append(list, Root{r.Segment, r.FirstBus})
		}
	}
	return list
}

// Size implements [Access].
func (m *memory) Size(a Address) int {
	if m.Read(a, regID) == 0xffff_ffff || m.bus(a) == nil {
		return 256
	}
	return 4096
}

// bus returns the registers of a's bus; nil if no region has it.
func (m *memory) bus(a Address) *mmio.Region {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := Root{a.Segment, a.Bus}
	if b, ok := m.buses[key]; ok {
		return b
	}
	var b *mmio.Region
	for _, r := range m.regions {
		if r.Segment == a.Segment && r.FirstBus <= a.Bus && a.Bus <= r.LastBus {
			b, _ = mmio.Map(r.Address+uint64(a.Bus)<<20, 1<<20)
			break
		}
	}
	m.buses[key] = b
	return b
}

// old reports whether the ports reach the register.
func (m *memory) old(a Address, off uint16) bool {
	return m.ports != nil && a.Segment == 0 && off < 256
}

func offset(a Address, off uint16) uint32 {
	return uint32(a.Slot&31)<<15 | uint32(a.Func&7)<<12 | uint32(off&0xffc)
}

// Read implements [Access].
func (m *memory) Read(a Address, off uint16) uint32 {
	if m.old(a, off) {
		return m.ports.Read(a, off)
	}
	if b := m.bus(a); b != nil {
		return b.Read32(offset(a, off))
	}
	return 0xffff_ffff
}

// Write implements [Access].
func (m *memory) Write(a Address, off uint16, v uint32) {
	if m.old(a, off) {
		m.ports.Write(a, off, v)
		return
	}
	if b := m.bus(a); b != nil {
		b.Write32(offset(a, off), v)
	}
}

package pci

import (
	"cmp"
	"slices"
)

// scanner holds a scan under way.
type scanner struct {
	access Access
	list   []*Device
	done   [256]bool // buses of the segment
}

// Scan returns the devices that can be reached, sorted by address.
func Scan(access Access) []*Device {
	var all []*Device
	for _, root := range access.Roots() {
		s := scanner{access: access}
		s.bus(root.Segment, root.Bus)
		if s.hostBridges() > 1 {
			for b := range 256 {
				s.bus(root.Segment, uint8(b))
			}
		}
		all = append(all, s.list...)
	}
	slices.SortStableFunc(all, func(a, b *Device) int {
		return cmp.Or(cmp.Compare(a.Segment, b.Segment), cmp.Compare(a.Bus, b.Bus),
			cmp.Compare(a.Slot, b.Slot), cmp.Compare(a.Func, b.Func))
	})
	return all
}

func (s *scanner) hostBridges() (n int) {
	for _, d := range s.list {
		if d.Class>>8 == classHostBridge {
			n++
		}
	}
	return n
}

// bus reads a bus and those behind its bridges, none twice. It does not recurse,
// so that no chain of bridges is too long.
func (s *scanner) bus(segment uint16, first uint8) {
	for todo := []uint8{first}; len(todo) > 0; {
		bus := todo[0]
		todo = todo[1:]
		if s.done[bus] {
			continue
		}
		s.done[bus] = true
		for slot := range uint8(32) {
			d := readDevice(s.access, Address{segment, bus, slot, 0})
			if d == nil {
				continue // function 0 must exist (PCI 6.2.1)
			}
			functions := []*Device{d}
			if d.multifunction() {
				for f := uint8(1); f < 8; f++ {
					if d := readDevice(s.access, Address{segment, bus, slot, f}); d != nil {
						functions = append(functions, d)
					}
				}
			}
			for _, d := range functions {
				// Secondary is 0 where the firmware has not set up the bridge.
				if d.HeaderType != headerDevice && d.Secondary > bus {
					todo = append(todo, d.Secondary)
				}
			}
			s.list = append(s.list, functions...)
		}
	}
}

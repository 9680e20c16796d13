package acpi

// ConfigRegion is memory that shows the configuration space of some PCI Express
// buses (PCI Firmware Specification 3.2, 4.1.2): the registers of function f of
// device d on bus b begin at Address + b<<20 + d<<15 + f<<12, also where FirstBus
// is not 0.
type ConfigRegion struct {
	Address           uint64 // physical, of where bus 0 would be
	Segment           uint16 // PCI segment group
	FirstBus, LastBus uint8
}

const maxConfigRegions = 16

// MCFG is what the table of that name says: where PCI Express configuration
// space is in memory.
type MCFG struct {
	Ignored int // entries that make no sense or found no room

	regions  [maxConfigRegions]ConfigRegion
	nRegions int
}

// Regions returns the regions, in the table's order.
func (m *MCFG) Regions() []ConfigRegion { return m.regions[:m.nRegions] }

// Parse reads the table. It reports false for one that has no entry of use.
func (m *MCFG) Parse(t []byte) bool {
	*m = MCFG{}
	const first, size = 44, 16
	for o := first; o+size <= len(t); o += size {
		r := ConfigRegion{le64(t, o), le16(t, o+8), t[o+10], t[o+11]}
		if r.Address == 0 || r.Address&(1<<20-1) != 0 || r.Address>>52 != 0 ||
			r.LastBus < r.FirstBus || m.nRegions == maxConfigRegions || m.overlaps(r) {
			m.Ignored++
			continue
		}
		m.regions[m.nRegions] = r
		m.nRegions++
	}
	return m.nRegions > 0
}

// Below leaves out the regions that are not wholly below limit, the end of the
// addresses that the CPU has.
func (m *MCFG) Below(limit uint64) {
	n := 0
	for _, r := range m.Regions() {
		if r.Address+(uint64(r.LastBus)+1)<<20 > limit {
			m.Ignored++
			continue
		}
		m.regions[n] = r
		n++
	}
	m.nRegions = n
}

// overlaps reports whether a bus of r is in an earlier region.
func (m *MCFG) overlaps(r ConfigRegion) bool {
	for _, o := range m.Regions() {
		if o.Segment == r.Segment && r.FirstBus <= o.LastBus && o.FirstBus <= r.LastBus {
			return true
		}
	}
	return false
}

package tsc

// machine is a computer whose counters follow from one time line. Every reading of
// a counter takes time; hold, if set, says how much more.
type machine struct {
	ns    float64 // since the start
	reads int
	cost  float64 // ns that a reading takes
	hold  func(n int) float64
	hz    float64 // of the time stamp counter
	shift func(ns float64) float64
}

func (m *machine) step() float64 {
	m.reads++
	m.ns += m.cost / 2
	if m.hold != nil {
		m.ns += m.hold(m.reads)
	}
	at := m.ns
	m.ns += m.cost / 2
	return at
}

func (m *machine) tsc() uint64 {
	at := m.step()
	if m.shift != nil {
		at = m.shift(at)
	}
	return uint64(1e9 + at*m.hz/1e9)
}

// reference returns a counter that says it has hz and really has real.
func (m *machine) reference(name string, hz uint64, bits uint, real float64) Reference {
	return Reference{name, hz, bits, func() uint64 {
		return (0xfffff0 + uint64(m.step()*real/1e9)) & (^uint64(0) >> (64 - bits))
	}}
}

func (m *machine) hpet() Reference { return m.reference("hpet", 14318180, 32, 14318180) }
func (m *machine) pm() Reference   { return m.reference("acpi_pm", 3579545, 24, 3579545) }
func (m *machine) pit() Reference  { return m.reference("pit", 1193182, 16, 1193182) }

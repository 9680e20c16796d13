package acpi

// CPU is a processor that the firmware has enabled.
type CPU struct {
	APICID uint32 // not contiguous in general
	UID    uint32 // ACPI's own number of it
}

// IOAPIC is an I/O interrupt controller.
type IOAPIC struct {
	ID      uint8
	Address uint32 // physical address of its registers
	Base    uint32 // first global system interrupt that it takes
}

// Override says that an ISA interrupt is wired differently from the rule (input
// of the same number, active high, edge triggered).
type Override struct {
	IRQ       uint8  // ISA interrupt
	GSI       uint32 // global system interrupt
	ActiveLow bool
	Level     bool
}

const (
	maxCPUs      = 256
	maxIOAPICs   = 16
	maxOverrides = 16
)

// MADT is what the Multiple APIC Description Table says (5.2.12).
type MADT struct {
	LAPIC   uint64 // physical address of the local APICs' registers
	HasPIC  bool   // there are 8259s, to be masked
	Ignored int    // entries that were malformed or found no room

	cpus       [maxCPUs]CPU
	nCPUs      int
	ioapics    [maxIOAPICs]IOAPIC
	nIOAPICs   int
	overrides  [maxOverrides]Override
	nOverrides int
}

// CPUs returns the enabled processors, in the table's order.
func (m *MADT) CPUs() []CPU { return m.cpus[:m.nCPUs] }

// IOAPICs returns the I/O interrupt controllers.
func (m *MADT) IOAPICs() []IOAPIC { return m.ioapics[:m.nIOAPICs] }

// Overrides returns the ISA interrupts that are wired differently.
func (m *MADT) Overrides() []Override { return m.overrides[:m.nOverrides] }

// Route returns how an ISA interrupt arrives: the global system interrupt, its
// polarity and its trigger mode.
func (m *MADT) Route(irq uint8) Override {
	for _, o := range m.Overrides() {
		if o.IRQ == irq {
			return o
		}
	}
	return Override{IRQ: irq, GSI: uint32(irq)}
}

// Entry types, table 5.21.
const (
	madtLAPIC        = 0
	madtIOAPIC       = 1
	madtOverride     = 2
	madtLAPICAddress = 5
	madtX2APIC       = 9

	cpuEnabled = 1 << 0 // table 5.23
)

// Parse reads the table. It reports false for a table too short to be one.
func (m *MADT) Parse(t []byte) bool {
	*m = MADT{}
	if len(t) < 44 {
		return false
	}
	m.LAPIC = uint64(le32(t, 36))
	m.HasPIC = le32(t, 40)&1 != 0
	for o := 44; o+2 <= len(t); {
		n := int(t[o+1])
		if n < 2 || n > len(t)-o {
			m.Ignored++
			break
		}
		m.entry(t[o : o+n])
		o += n
	}
	return true
}

func (m *MADT) entry(e []byte) {
	short := func(n int) bool {
		if len(e) < n {
			m.Ignored++
			return true
		}
		return false
	}
	switch e[0] {
	case madtLAPIC:
		if !short(8) && le32(e, 4)&cpuEnabled != 0 {
			m.addCPU(CPU{APICID: uint32(e[3]), UID: uint32(e[2])})
		}
	case madtX2APIC:
		if !short(16) && le32(e, 8)&cpuEnabled != 0 {
			m.addCPU(CPU{APICID: le32(e, 4), UID: le32(e, 12)})
		}
	case madtIOAPIC:
		if short(12) {
			return
		}
		if m.nIOAPICs == maxIOAPICs {
			m.Ignored++
			return
		}
		m.ioapics[m.nIOAPICs] = IOAPIC{ID: e[2], Address: le32(e, 4), Base: le32(e, 8)}
		m.nIOAPICs++
	case madtOverride:
		if short(10) {
			return
		}
		if m.nOverrides == maxOverrides || e[2] != 0 { // bus 0 is ISA
			m.Ignored++
			return
		}
		f := le16(e, 8) // table 5.26: MPS INTI flags
		m.overrides[m.nOverrides] = Override{
			IRQ: e[3], GSI: le32(e, 4),
			ActiveLow: f&3 == 3, Level: f>>2&3 == 3,
		}
		m.nOverrides++
	case madtLAPICAddress:
		if !short(12) {
			m.LAPIC = le64(e, 4)
		}
	}
}

// addCPU notes a processor, once: firmware may list one both ways.
func (m *MADT) addCPU(c CPU) {
	for _, have := range m.CPUs() {
		if have.APICID == c.APICID {
			return
		}
	}
	if m.nCPUs == maxCPUs {
		m.Ignored++
		return
	}
	m.cpus[m.nCPUs] = c
	m.nCPUs++
}

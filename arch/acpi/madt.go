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

	conforms bool // the table leaves polarity and trigger to the bus
}

// NMISource is a global system interrupt that is to be a non-maskable one.
type NMISource struct {
	GSI       uint32
	ActiveLow bool
}

// LocalNMI says at which pin of its local APIC a processor gets non-maskable
// interrupts.
type LocalNMI struct {
	UID       uint32 // of the processor; AllProcessors for each
	Pin       uint8  // 0 or 1: LINT0, LINT1
	ActiveLow bool
}

// AllProcessors is the UID that stands for every processor.
const AllProcessors = 0xffff_ffff

const (
	maxCPUs      = 512
	maxIOAPICs   = 32
	maxOverrides = 32
	maxNMIs      = 32
)

// MADT is what the Multiple APIC Description Table says (5.2.12).
type MADT struct {
	LAPIC    uint64 // physical address of the local APICs' registers; 0: not told
	HasPIC   bool   // there are 8259s, to be masked
	Ignored  int    // entries that were malformed
	Unknown  int    // entries of kinds that mean nothing here
	Excess   int    // good entries that found no room
	Disabled int    // processors that could be enabled while the machine runs

	cpus       [maxCPUs]CPU
	nCPUs      int
	hasLocal   bool // some of them have local APIC entries
	ioapics    [maxIOAPICs]IOAPIC
	nIOAPICs   int
	overrides  [maxOverrides]Override
	nOverrides int
	sources    [maxNMIs]NMISource
	nSources   int
	nmis       [maxNMIs]LocalNMI
	nNMIs      int
}

// CPUs returns the enabled processors: those of local APIC entries first, then
// those of x2APIC entries, each in the table's order.
func (m *MADT) CPUs() []CPU { return m.cpus[:m.nCPUs] }

// IOAPICs returns the I/O interrupt controllers.
func (m *MADT) IOAPICs() []IOAPIC { return m.ioapics[:m.nIOAPICs] }

// Overrides returns the ISA interrupts that are wired differently.
func (m *MADT) Overrides() []Override { return m.overrides[:m.nOverrides] }

// NMISources returns the interrupts that are to be non-maskable.
func (m *MADT) NMISources() []NMISource { return m.sources[:m.nSources] }

// LocalNMI returns at which pin the processor with the given UID gets
// non-maskable interrupts. Where the table does not say, that is LINT1, active
// high (MP specification 1.4, 3.6.1 and 5.2).
func (m *MADT) LocalNMI(uid uint32) LocalNMI {
	for _, n := range m.nmis[:m.nNMIs] {
		if n.UID == uid || n.UID == AllProcessors {
			return n
		}
	}
	return LocalNMI{UID: uid, Pin: 1}
}

// MaxID returns the largest APIC id of the processors.
func (m *MADT) MaxID() (id uint32) {
	for _, c := range m.CPUs() {
		id = max(id, c.APICID)
	}
	return id
}

// UID returns the UID of the processor with an APIC id; AllProcessors if there is
// none.
func (m *MADT) UID(apicID uint32) uint32 {
	for _, c := range m.CPUs() {
		if c.APICID == apicID {
			return c.UID
		}
	}
	return AllProcessors
}

// Route returns how an ISA interrupt arrives: the global system interrupt, its
// polarity and its trigger mode.
func (m *MADT) Route(irq uint8) Override {
	for _, o := range m.Overrides() {
		if o.IRQ == irq {
			return o
		}
	}
	return Override{IRQ: irq, GSI: uint32(irq), conforms: true}
}

// RouteSCI returns how ACPI's own interrupt arrives, of the number that the FADT
// gives: level triggered and active low, unless an override says otherwise
// (5.2.9, SCI_INT).
func (m *MADT) RouteSCI(sci uint16) Override {
	o := Override{GSI: uint32(sci), conforms: true}
	if sci < 256 {
		o = m.Route(uint8(sci))
	}
	if o.conforms {
		o.Level, o.ActiveLow = true, true
	}
	return o
}

// Entry types, table 5.21.
const (
	madtLAPIC        = 0
	madtIOAPIC       = 1
	madtOverride     = 2
	madtNMISource    = 3
	madtLocalNMI     = 4
	madtLAPICAddress = 5
	madtX2APIC       = 9
	madtX2NMI        = 0xa

	cpuEnabled       = 1 << 0 // table 5.23
	cpuOnlineCapable = 1 << 1

	firstX2ID = 255 // xAPIC ids end before: 255 is "all"
)

// madtSizes are the least sizes of the entries that are read.
var madtSizes = [...]uint8{
	madtLAPIC: 8, madtIOAPIC: 12, madtOverride: 10, madtNMISource: 8, madtLocalNMI: 6,
	madtLAPICAddress: 12, madtX2APIC: 16, madtX2NMI: 12,
}

// Parse reads the table. onlineCapable is [FADT.OnlineCapable]: whether a
// processor's flag of that name means anything. It reports false for a table too
// short to be one.
func (m *MADT) Parse(t []byte, onlineCapable bool) bool {
	*m = MADT{}
	if len(t) < 44 {
		return false
	}
	m.LAPIC = uint64(le32(t, 36))
	m.HasPIC = le32(t, 40)&1 != 0
	// In two passes: where there are local APIC entries, x2APIC entries are for
	// ids beyond theirs (5.2.12.12), and firmware that lists a processor both
	// ways means one.
	for _, x2 := range [...]bool{false, true} {
		for o := 44; o+2 <= len(t); {
			n := int(t[o+1])
			if n < 2 || n > len(t)-o {
				if !x2 {
					m.Ignored++
				}
				break
			}
			if (t[o] == madtX2APIC) == x2 {
				m.entry(t[o:o+n], onlineCapable)
			}
			o += n
		}
	}
	return true
}

func (m *MADT) entry(e []byte, onlineCapable bool) {
	kind := int(e[0])
	if kind >= len(madtSizes) || madtSizes[kind] == 0 {
		m.Unknown++
		return
	}
	if len(e) < int(madtSizes[kind]) {
		m.Ignored++
		return
	}
	switch kind {
	case madtLAPIC:
		if e[3] != 0xff {
			m.processor(CPU{APICID: uint32(e[3]), UID: uint32(e[2])}, le32(e, 4), onlineCapable)
			m.hasLocal = m.nCPUs > 0
		}
	case madtX2APIC:
		c := CPU{APICID: le32(e, 4), UID: le32(e, 12)}
		if c.APICID == 0xffff_ffff || c.APICID < firstX2ID && m.hasLocal {
			return
		}
		m.processor(c, le32(e, 8), onlineCapable)
	case madtIOAPIC:
		a := IOAPIC{ID: e[2], Address: le32(e, 4), Base: le32(e, 8)}
		if a.Address == 0 {
			m.Ignored++
			return
		}
		put(m, m.ioapics[:], &m.nIOAPICs, a)
	case madtOverride:
		f := le16(e, 8)
		o := Override{IRQ: e[3], GSI: le32(e, 4), ActiveLow: activeLow(f), Level: f>>2&3 == 3, conforms: f&0xf == 0}
		if e[2] != 0 || f&3 == 2 || f>>2&3 == 2 { // bus 0 is ISA; 2 is reserved
			m.Ignored++
			return
		}
		put(m, m.overrides[:], &m.nOverrides, o)
	case madtNMISource:
		put(m, m.sources[:], &m.nSources, NMISource{GSI: le32(e, 4), ActiveLow: activeLow(le16(e, 2))})
	case madtLocalNMI:
		uid := uint32(e[2])
		if uid == 0xff {
			uid = AllProcessors
		}
		m.localNMI(uid, e[5], le16(e, 3))
	case madtX2NMI:
		m.localNMI(le32(e, 4), e[8], le16(e, 2))
	case madtLAPICAddress:
		m.LAPIC = le64(e, 4)
	}
}

// activeLow reads the polarity from MPS INTI flags (table 5.26).
func activeLow(flags uint16) bool { return flags&3 == 3 }

func (m *MADT) localNMI(uid uint32, pin uint8, flags uint16) {
	if pin > 1 {
		m.Ignored++
		return
	}
	put(m, m.nmis[:], &m.nNMIs, LocalNMI{uid, pin, activeLow(flags)})
}

// put appends v to a list, as long as there is room.
func put[T any](m *MADT, list []T, n *int, v T) {
	if *n == len(list) {
		m.Excess++
		return
	}
	list[*n] = v
	*n++
}

// processor notes a processor, once. One that is not enabled, but could be, is
// only counted; before ACPI 6.3 no flag says which can.
func (m *MADT) processor(c CPU, flags uint32, onlineCapable bool) {
	if flags&cpuEnabled == 0 {
		if !onlineCapable || flags&cpuOnlineCapable != 0 {
			m.Disabled++
		}
		return
	}
	for _, have := range m.CPUs() {
		if have.APICID == c.APICID {
			return
		}
	}
	put(m, m.cpus[:], &m.nCPUs, c)
}

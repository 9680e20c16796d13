package acpi

// Address is a Generic Address Structure (5.2.3.2): a register and the space it
// lies in.
type Address struct {
	Space uint8  // SpaceMemory, SpacePort or SpaceConfig
	Bits  uint16 // more than the table's eight bits can say, for a block
	Addr  uint64 // 0: there is no such register
}

// Address spaces, table 5.1.
const (
	SpaceMemory = 0
	SpacePort   = 1
	SpaceConfig = 2 // PCI configuration space, of bus 0 in segment 0
)

// usable reports whether a is a register that can exist in memory or ports.
func (a Address) usable() bool {
	switch a.Space {
	case SpaceMemory:
		return a.Addr != 0 && a.Addr>>52 == 0
	case SpacePort:
		return a.Addr != 0 && a.Addr>>16 == 0
	}
	return false
}

// Config returns what a register in configuration space is: device, function
// and offset, on bus 0. ok is false if it can be none.
func (a Address) Config() (device, function uint8, offset uint16, ok bool) {
	d, f, o := a.Addr>>32&0xffff, a.Addr>>16&0xffff, a.Addr&0xffff
	if a.Space != SpaceConfig || a.Addr>>48 != 0 || d > 31 || f > 7 || o > 0xfff {
		return 0, 0, 0, false
	}
	return uint8(d), uint8(f), uint16(o), true
}

// FADT is what the Fixed ACPI Description Table says (5.2.9). Registers that
// the machine does not have, or whose place makes no sense, are zero.
type FADT struct {
	Revision, Minor uint8

	DSDT         uint64 // physical address
	FACS         uint64 // likewise
	SCIInterrupt uint16 // ISA interrupt, or global system interrupt
	SMICommand   uint16 // port; 0: ACPI mode is on always
	EnableACPI   uint8  // written to SMICommand to enter ACPI mode

	// Fixed hardware. Bits of the blocks is the size of the whole block, whose
	// first half is status and whose second half enables.
	PM1aEvent, PM1bEvent Address
	PM1a, PM1b           Address // control
	GPE0, GPE1           Address
	PMTimer              Address // counts at 3.579545 MHz
	PMTimer32            bool    // it counts in 32 bits, not in 24

	// HardwareReduced: there is no fixed hardware; sleep goes by two bytes.
	HardwareReduced           bool
	SleepControl, SleepStatus Address

	Reset      Address // 8 bits
	ResetValue uint8
	HasReset   bool

	// The PC's old devices. An FADT too old to say has them.
	Has8042       bool  // the keyboard controller
	LegacyDevices bool  // devices that the user can see on an ISA or LPC bus
	NoVGA         bool  // VGA registers and memory must not be probed
	NoMSI         bool  // message-signalled interrupts must not be used
	NoCMOSClock   bool  // there is no real-time clock at ports 0x70, 0x71
	Century       uint8 // CMOS index of the century; 0: none
}

const (
	fadtTimer32         = 1 << 8 // of Flags, table 5.10
	fadtResetSupported  = 1 << 10
	fadtHardwareReduced = 1 << 20

	fadtLegacyDevices = 1 << 0 // of IAPC_BOOT_ARCH, table 5.11
	fadt8042          = 1 << 1
	fadtNoVGA         = 1 << 2
	fadtNoMSI         = 1 << 3
	fadtNoCMOS        = 1 << 5

	fadtSize1 = 116 // in ACPI 1.0
)

// Parse reads the table. It reports false for one too short to be of use.
// Fields that an older, shorter table lacks are left zero.
func (f *FADT) Parse(t []byte) bool {
	*f = FADT{Has8042: true, LegacyDevices: true}
	if len(t) < fadtSize1 {
		return false
	}
	f.Revision = t[8]
	f.DSDT, f.FACS = uint64(le32(t, 40)), uint64(le32(t, 36))
	f.SCIInterrupt = le16(t, 46)
	if p := le32(t, 48); p>>16 == 0 {
		f.SMICommand = uint16(p)
	}
	f.EnableACPI = t[52]
	f.Century = t[108]
	flags := le32(t, 112)
	if len(t) >= 129 {
		f.Reset = address(t, 116)
		f.ResetValue = t[128]
		_, _, _, config := f.Reset.Config()
		f.HasReset = flags&fadtResetSupported != 0 && (f.Reset.usable() || config)
	}
	// Before revision 3 these bytes were reserved, and not zero everywhere.
	if f.Revision >= 3 {
		b := le16(t, 109)
		f.LegacyDevices = b&fadtLegacyDevices != 0
		f.Has8042 = b&fadt8042 != 0
		f.NoVGA = b&fadtNoVGA != 0
		f.NoMSI = b&fadtNoMSI != 0
		f.NoCMOSClock = b&fadtNoCMOS != 0
		if len(t) >= 132 {
			f.Minor = t[131] & 0xf
		}
	}
	if len(t) >= 148 {
		if a := le64(t, 132); a != 0 {
			f.FACS = a
		}
		if a := le64(t, 140); a != 0 {
			f.DSDT = a
		}
	}
	f.HardwareReduced = f.Revision >= 5 && flags&fadtHardwareReduced != 0
	if f.HardwareReduced {
		if len(t) >= 268 {
			f.SleepControl, f.SleepStatus = register(t, 244, 8), register(t, 256, 8)
		}
		return true
	}
	// Blocks: the 32-bit port, the extended address, the smallest size and,
	// where it varies, the byte that tells the size.
	f.PM1aEvent = block(t, 56, 148, 4, t[88])
	f.PM1bEvent = block(t, 60, 160, 4, t[88])
	f.PM1a = block(t, 64, 172, 2, 2)
	f.PM1b = block(t, 68, 184, 2, 2)
	f.PMTimer = block(t, 76, 208, 4, 4)
	f.PMTimer32 = flags&fadtTimer32 != 0
	f.GPE0 = block(t, 80, 220, 2, t[92])
	f.GPE1 = block(t, 84, 232, 2, t[93])
	return true
}

// OnlineCapable reports whether the MADT's flag of that name has a meaning: since
// ACPI 6.3.
func (f *FADT) OnlineCapable() bool { return f.Revision > 6 || f.Revision == 6 && f.Minor >= 3 }

// block returns a block of registers of so many bytes: from its extended
// address at x if that can be, else from its port number at o. A block smaller
// than least is none, nor is one without two halves.
func block(t []byte, o, x int, least, bytes uint8) Address {
	if bytes < least || bytes%2 != 0 {
		return Address{}
	}
	bits := uint16(bytes) * 8
	if a := register(t, x, bits); a.Addr != 0 {
		return a
	}
	if a := (Address{SpacePort, bits, uint64(le32(t, o))}); a.usable() {
		return a
	}
	return Address{}
}

// register returns a register in memory or ports. Its size is known better than
// many a table tells it.
func register(t []byte, o int, bits uint16) Address {
	if o+12 > len(t) {
		return Address{}
	}
	a := address(t, o)
	if !a.usable() {
		return Address{}
	}
	a.Bits = bits
	return a
}

func address(t []byte, o int) Address {
	return Address{Space: t[o], Bits: uint16(t[o+1]), Addr: le64(t, o+4)}
}

// The PM1 registers (4.8.3).
const (
	SCIEnable  = 1 << 0  // of control: the machine is in ACPI mode
	WakeStatus = 1 << 15 // of status; written as 1 it is cleared

	sleepTypeShift = 10
	sleepTypeMask  = 7 << sleepTypeShift
	sleepEnable    = 1 << 13
)

// SleepType puts SLP_TYP into a value of a PM1 control register.
func SleepType(control uint16, typ uint8) uint16 {
	return control&^(sleepTypeMask|sleepEnable) | uint16(typ&7)<<sleepTypeShift
}

// SleepNow adds the bit that enters the sleep state.
func SleepNow(control uint16) uint16 { return control | sleepEnable }

// ReducedSleep returns the byte that, written to [FADT.SleepControl], enters the
// sleep state with the given SLP_TYP (4.8.3.7), and the one that clears the wake
// status before.
func ReducedSleep(typ uint8) (control, status uint8) { return typ&7<<2 | 1<<5, 1 << 7 }

// HPET is the High Precision Event Timer's place (IA-PC HPET specification,
// 3.2.4).
type HPET struct {
	Address uint64 // physical, of its registers
}

// Parse reads the table. It reports false if it does not describe a timer in
// memory.
func (h *HPET) Parse(t []byte) bool {
	*h = HPET{}
	if len(t) < 56 {
		return false
	}
	a := address(t, 40)
	if a.Space != SpaceMemory || !a.usable() || a.Addr&7 != 0 {
		return false
	}
	h.Address = a.Addr
	return true
}

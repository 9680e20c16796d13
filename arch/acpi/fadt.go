package acpi

// Address is a Generic Address Structure (5.2.3.2): a register and the space it
// lies in.
type Address struct {
	Space uint8 // SpaceMemory or SpacePort
	Bits  uint8
	Addr  uint64 // 0: there is no such register
}

// Address spaces, table 5.1.
const (
	SpaceMemory = 0
	SpacePort   = 1
)

// FADT is what the Fixed ACPI Description Table says (5.2.9) about power and
// reset.
type FADT struct {
	DSDT         uint64 // physical address
	PM1a, PM1b   Address
	SMICommand   uint16 // port; 0: ACPI mode is on always
	EnableACPI   uint8  // written to SMICommand to enter ACPI mode
	Reset        Address
	ResetValue   uint8
	HasReset     bool
	NoCMOSClock  bool   // there is no real-time clock at ports 0x70, 0x71
	Century      uint8  // CMOS index of the century; 0: none
	SCIInterrupt uint16 // ISA interrupt, or global system interrupt
}

const (
	fadtResetSupported = 1 << 10 // of Flags, table 5.10
	fadtNoCMOS         = 1 << 5  // of IAPC_BOOT_ARCH, table 5.11

	sleepEnable = 1 << 13 // of the PM1 control register, table 4.16
)

// SleepValue returns the word that, written to PM1 control, enters the sleep
// state with the given SLP_TYP.
func SleepValue(typ uint8) uint16 { return uint16(typ&7)<<10 | sleepEnable }

// Parse reads the table. It reports false for one too short to be of use.
// Fields that an older, shorter table lacks are left zero.
func (f *FADT) Parse(t []byte) bool {
	*f = FADT{}
	if len(t) < 116 {
		return false
	}
	f.DSDT = uint64(le32(t, 40))
	f.SCIInterrupt = le16(t, 46)
	f.SMICommand = uint16(le32(t, 48))
	f.EnableACPI = t[52]
	f.PM1a = Address{SpacePort, 16, uint64(le32(t, 64))}
	f.PM1b = Address{SpacePort, 16, uint64(le32(t, 68))}
	f.Century = t[108]
	f.NoCMOSClock = le16(t, 109)&fadtNoCMOS != 0
	if len(t) >= 129 {
		f.Reset = address(t, 116)
		f.ResetValue = t[128]
		f.HasReset = le32(t, 112)&fadtResetSupported != 0 && f.Reset.Addr != 0
	}
	if len(t) >= 148 {
		if a := le64(t, 140); a != 0 {
			f.DSDT = a
		}
	}
	if len(t) >= 196 {
		if a := address(t, 172); a.Addr != 0 {
			f.PM1a = a
		}
		if a := address(t, 184); a.Addr != 0 {
			f.PM1b = a
		}
	}
	return true
}

func address(t []byte, o int) Address {
	return Address{Space: t[o], Bits: t[o+1], Addr: le64(t, o+4)}
}

// HPET is the High Precision Event Timer's place (IA-PC HPET specification,
// 3.2.4).
type HPET struct {
	Address uint64 // physical, of its registers
}

// Parse reads the table. It reports false if it does not describe a timer in
// memory.
func (h *HPET) Parse(t []byte) bool {
	*h = HPET{}
	if len(t) < 56 || t[40] != SpaceMemory {
		return false
	}
	h.Address = le64(t, 44)
	return h.Address != 0
}

// Table returns the whole table at a physical address, checked, for the one
// that no list holds: the DSDT. nil if it is not good.
func (t *Tables) Table(addr uint64) []byte {
	if t.mem == nil || addr == 0 {
		return nil
	}
	return t.load(addr)
}

package amd64

// apicState is what decides in which mode the local APICs run: xAPIC, with
// registers in memory and ids of 8 bits, or x2APIC, with registers that are MSRs
// and ids of 32 bits (SDM vol. 3A, 11.12). All CPUs run in the same.
type apicState struct {
	has    bool   // the CPU has x2APIC mode
	on     bool   // the firmware has left it on
	guest  bool   // the machine is virtual
	locked bool   // and it cannot be left (IA32_XAPIC_DISABLE_STATUS)
	maxID  uint32 // of the CPUs that are to run
	never  bool   // nox2apic on the command line
	always bool   // x2apic on the command line
}

// firstX2ID is the first id that xAPIC mode cannot have: 255 there means all
// CPUs.
const firstX2ID = 255

// x2 returns whether x2APIC mode it is, and why, for the log. Devices' interrupts
// reach a real CPU in that mode by way of an interrupt-remapping unit only (SDM
// vol. 3A, 11.12.7), which is not driven here; hypervisors do without. So firmware
// that has left it on is not followed where there is a choice.
func (s *apicState) x2() (yes bool, why string) {
	switch {
	case s.on && s.locked:
		return true, "the CPU is locked in it"
	case !s.has && !s.on:
		return false, "the CPU has no other"
	case s.maxID >= firstX2ID:
		return true, "there are APIC ids from 255 on"
	case s.never:
		return false, "the command line wants it"
	case s.always:
		return true, "the command line wants it"
	case s.on && s.guest:
		return true, "the firmware has left it on"
	case s.on:
		return false, "x2APIC mode, in which the firmware has left it, would need interrupt remapping"
	}
	return false, "nothing needs x2APIC mode"
}

// Bits of the interrupt command register (SDM vol. 3A, 11.6.1). The destination
// is in bits 56 to 63, in x2APIC mode in bits 32 to 63.
const (
	icrPending = 1 << 12
	icrAssert  = 1 << 14
	icrNMI     = 4 << 8
	icrInit    = 5 << 8
	icrStartup = 6 << 8
	icrSelf    = 1 << 18 // whatever the destination

	xapicDestination = 24 // of the register's upper half
	x2Destination    = 32
)

// x2Command returns the interrupt command of x2APIC mode.
//
//go:nosplit
func x2Command(to, command uint32) uint64 { return uint64(to)<<x2Destination | uint64(command) }

// startupCommand is the command that starts a CPU, which waits after INIT, in real
// mode at the beginning of a page below 1 MiB.
func startupCommand(page uint64) uint32 { return icrStartup | icrAssert | uint32(page>>PageShift) }

// messageAddress returns where a device, or an I/O APIC, writes to interrupt a
// CPU (SDM vol. 3A, 11.11.1). ok is false for an id that 8 bits cannot name:
// there would have to be an interrupt-remapping unit.
func messageAddress(apicID uint32) (addr uint64, ok bool) {
	return 0xfee0_0000 | uint64(apicID&0xff)<<12, apicID < firstX2ID
}

// An entry of a local vector table for an interrupt pin (SDM vol. 3A, 11.5.1).
const (
	lvtMasked    = 1 << 16
	lvtActiveLow = 1 << 13
)

// nmiPins returns the entries for the pins LINT0 and LINT1 of a CPU that gets
// non-maskable interrupts at the given one, all else masked. Their trigger is
// always the edge.
func nmiPins(pin uint8, activeLow bool) [2]uint32 {
	e := uint32(icrNMI)
	if activeLow {
		e |= lvtActiveLow
	}
	v := [2]uint32{lvtMasked, lvtMasked}
	v[pin&1] = e
	return v
}

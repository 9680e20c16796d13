//go:build tamarix

package amd64

// Machine checks (SDM vol. 3B, chapter 16): hardware that has found itself in error.
// The kernel does not try to go on; it says what the hardware says.
const (
	vectorMachineCheck = 18

	msrMCGCap    = 0x179 // bits 0-7: how many banks
	msrMCGStatus = 0x17a
	msrMC0Status = 0x401 // of bank 0; those of the next four further on
	msrMC0Addr   = 0x402

	mcValid   = 1 << 63 // of the status
	mcHasAddr = 1 << 58

	maxMCBanks   = 32 // whose registers lie there
	maxMCReports = 4
)

// reportChecks writes the first banks of this CPU that hold an error, to the serial
// port or to the report on the screen.
func reportChecks(onScreen bool) {
	n := 0
	for bank := range min(uint32(rdmsr(msrMCGCap))&255, maxMCBanks) {
		status := rdmsr(msrMC0Status + 4*bank)
		if status&mcValid == 0 || n == maxMCReports {
			continue
		}
		n++
		var l line
		l.str("bank ").dec(uint64(bank)).str(": status ").hex(status)
		if status&mcHasAddr != 0 {
			l.str(", address ").hex(rdmsr(msrMC0Addr + 4*bank))
		}
		if onScreen {
			emergency.report.Message(l.String())
			continue
		}
		serialPrint(l.String())
		serialPrint("\n")
	}
}

//go:build tamarix

package amd64

// The page attribute table says what the caching bits of a page-table entry mean
// (SDM vol. 3A, 11.12). All CPUs have the same: that of a reset, but for entry 1,
// which was write-through and which nothing uses. Write-combining gathers stores
// to a framebuffer in the CPU, where uncached ones would each cross the bus.
const (
	msrPAT   = 0x277
	patReset = 0x0007_0406_0007_0406
	patValue = patReset&^(0xff<<8) | 1<<8 // entry 1: WC

	cr0CD = 1 << 30 // no caching
)

// pteWriteCombining is PWT, PAT entry 1, where the CPU has a PAT; else memory is
// mapped uncached. Set once at boot.
var pteWriteCombining = pteNoCache

// patInit makes write-combining mappings possible, before any is made.
func patInit() {
	if _, _, _, d := cpuid(1, 0); d>>16&1 != 0 {
		patLoad()
		pteWriteCombining = 1 << 3
	}
}

// patLoad gives the CPU that runs it the common table, as SDM vol. 3A, 11.12.4,
// has it: nothing is cached meanwhile, nor kept of before.
func patLoad() {
	if rdmsr(msrPAT) == patValue {
		return
	}
	flags := pin()
	cr0 := readCR0()
	writeCR0(cr0 | cr0CD)
	wbinvd()
	writeCR3(readCR3())
	wrmsr(msrPAT, patValue)
	wbinvd()
	writeCR3(readCR3())
	writeCR0(cr0)
	unpin(flags)
}

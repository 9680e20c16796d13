//go:build tamarix

package amd64

// Control registers and model-specific registers (SDM vol. 3A, 2.5; vol. 4).
const (
	cr0MP = 1 << 1
	cr0EM = 1 << 2
	cr0TS = 1 << 3
	cr0NE = 1 << 5
	cr0WP = 1 << 16

	cr4MCE        = 1 << 6
	cr4OSFXSR     = 1 << 9
	cr4OSXMMEXCPT = 1 << 10
	cr4UMIP       = 1 << 11
	cr4FSGSBASE   = 1 << 16
	cr4OSXSAVE    = 1 << 18
	cr4SMEP       = 1 << 20
	cr4SMAP       = 1 << 21

	msrAPICBase     = 0x1b
	msrEFER         = 0xc0000080
	msrSTAR         = 0xc0000081
	msrLSTAR        = 0xc0000082
	msrCSTAR        = 0xc0000083
	msrSFMASK       = 0xc0000084
	msrGSBase       = 0xc0000101
	msrKernelGSBase = 0xc0000102
	msrTSCAux       = 0xc0000103

	eferSCE = 1 << 0

	// flagsCleared are cleared at SYSCALL: TF IF DF IOPL NT AC, and RF.
	flagsCleared = 0x100 | 0x200 | 0x400 | 0x3000 | 0x4000 | flagRF | flagAC
)

// What the boot CPU has; every CPU must have the same. Set once at boot.
var (
	hasMCE, hasSMEP, hasUMIP, cpuHasXSAVE, hasRDRAND, hasRDTSCP, hasX2APIC bool

	hasC1E bool // HLT may stop the local APIC's timer
	c1eOff bool // and did on the boot CPU, until it was told not to

	xsaveMask uint32 // what XSAVE and XRSTOR move: XCR0 without SSE; 0: FXSAVE
	frameMask uint32 // what signal frames hold: XCR0; 0: FXSAVE's image
	xcr0      uint64 = xfeatureX87 | xfeatureSSE
	xsaveSize        = fxSize // of the image users see: FXSAVE's without XSAVE
	mxcsrMask uint32 = 0xffbf
)

func detectFeatures() {
	max, _, _, _ := cpuid(0, 0)
	_, _, c, d := cpuid(1, 0)
	hasMCE = d>>7&1 != 0
	hasC1E = haltMayStopTimer(cpuid)
	cpuHasXSAVE = c>>26&1 != 0
	hasX2APIC = c>>21&1 != 0
	hasRDRAND = c>>30&1 != 0
	if max >= 7 {
		_, b, c, _ := cpuid(7, 0)
		hasFSGSBASE = b&1 != 0
		hasSMEP = b>>7&1 != 0
		hasSMAP = b>>20&1 != 0
		hasUMIP = c>>2&1 != 0
	}
	_, _, _, d = cpuid(0x80000001, 0)
	hasRDTSCP = d>>27&1 != 0
	if d>>20&1 == 0 {
		noExec = 0
	}
}

// cpuLoad makes the CPU that runs it what the kernel wants: control registers,
// descriptor tables, system call entry, APIC.
func cpuLoad(c *percpu) {
	writeCR0(readCR0()&^(cr0EM|cr0TS) | cr0MP | cr0NE | cr0WP)
	cr4 := readCR4() | cr4OSFXSR | cr4OSXMMEXCPT
	if hasMCE {
		cr4 |= cr4MCE
	}
	if hasFSGSBASE {
		cr4 |= cr4FSGSBASE
	}
	if hasSMEP {
		cr4 |= cr4SMEP
	}
	if hasSMAP {
		cr4 |= cr4SMAP
	}
	if hasUMIP {
		cr4 |= cr4UMIP
	}
	writeCR4(cr4)
	if pteWriteCombining != pteNoCache {
		patLoad()
	}
	loadGDT(gdtPtr[c.index].operand())
	loadIDT(idtPtr.operand())
	loadTR(selTSS)
	wrmsr(msrGSBase, c.self)
	wrmsr(msrKernelGSBase, 0)
	if hasRDTSCP {
		wrmsr(msrTSCAux, uint64(c.index)) // what the vDSO's getcpu reads
	}
	wrmsr(msrEFER, rdmsr(msrEFER)|eferSCE)
	wrmsr(msrSTAR, selUser32<<48|selKernelCode<<32)
	wrmsr(msrLSTAR, pcSyscallEntry())
	wrmsr(msrSFMASK, flagsCleared)
	if hasC1E {
		haltLightly(c)
	}
	apicInit(c)
}

// haltLightly keeps HLT from leading to C1E, where the timer that is to end the halt
// does not run (AMD BKDG, "Interrupt Pending and CMP-Halt Register"). Some firmware
// sets this up when it is asked for ACPI mode; that is done to turn off only.
func haltLightly(c *percpu) {
	const (
		msrHalt = 0xc001_0055
		bits    = 1<<28 | 1<<27 // C1eOnCmpHalt, SmiOnCmpHalt
	)
	if v := rdmsr(msrHalt); v&bits != 0 {
		wrmsr(msrHalt, v&^bits)
		c1eOff = c1eOff || c.index == 0
	}
}

// enableXSAVE gives this CPU's users all the state the kernel can keep for
// them. Not before the Go runtime has looked: it would use AVX itself.
//
//go:nosplit
func enableXSAVE() {
	if !cpuHasXSAVE {
		return
	}
	writeCR4(readCR4() | cr4OSXSAVE)
	xsetbv(xcr0)
}

// xsaveInit decides what that state is.
func xsaveInit() {
	var image [fxSize + 64]byte
	if m := fxsaveMask(&image); m != 0 {
		mxcsrMask = m
	}
	if !cpuHasXSAVE {
		return
	}
	a, _, _, d := cpuid(0xd, 0)
	want := (uint64(d)<<32 | uint64(a)) & xfeatureMask
	if want&xfeatureAVX == 0 {
		want &= xfeatureX87 | xfeatureSSE
	}
	if want&(7<<5) != 7<<5 {
		want &^= 7 << 5
	}
	size := xsaveMinimum
	for i := uint32(2); i < 32; i++ {
		if want>>i&1 != 0 {
			n, at, _, _ := cpuid(0xd, i)
			size = max(size, int(at+n))
		}
	}
	if size > PageSize-xsaveOffset {
		want &= xfeatureX87 | xfeatureSSE
		size = xsaveMinimum
	}
	xcr0, xsaveSize = want, size
	xsaveMask = uint32(want) &^ xfeatureSSE
	if hasXSAVE() {
		frameMask, frameSoftware = uint32(want), softwareBytes()
	}
}

// fxsaveMask returns MXCSR_MASK (SDM vol. 1, 11.6.6).
func fxsaveMask(p *[fxSize + 64]byte) uint32

// XFeatures returns XCR0: the state components users have.
func XFeatures() uint64 { return xcr0 }

// XSaveSize returns the size of the XSAVE image for XFeatures.
func XSaveSize() int { return xsaveSize }

func hardwareRandom() uint64 {
	if !hasRDRAND {
		return rdtsc()
	}
	return rdrand()
}

func rdrand() uint64

//go:build tamarix

package amd64

// apicMap decides on the mode and maps the registers. The MADT and the CPU should
// agree on where they are; the CPU knows.
func apicMap() {
	s := apicState{has: hasX2APIC, on: rdmsr(msrAPICBase)&apicBaseX2 != 0, guest: clocks.declared.Hypervisor, maxID: madt.MaxID()}
	s.locked = legacyAPICDisabled()
	_, s.never = bootInfo.Option("nox2apic")
	_, s.always = bootInfo.Option("x2apic")
	if x2apic, apicWhy = s.x2(); x2apic {
		return
	}
	base := rdmsr(msrAPICBase) & (physicalLimit() - 1) &^ (PageSize - 1)
	if apicRegs = MapDevice(base, PageSize); apicRegs == 0 {
		fatal("cannot map the local APIC", base)
	}
}

// legacyAPICDisabled reports whether x2APIC mode cannot be left: an attempt would
// fault (Intel, "Legacy xAPIC disable", IA32_XAPIC_DISABLE_STATUS).
func legacyAPICDisabled() bool {
	const (
		msrCapabilities = 0x10a
		hasStatus       = 1 << 21
		msrStatus       = 0xbd
		disabled        = 1 << 0
	)
	if max, _, _, _ := cpuid(0, 0); max < 7 {
		return false
	}
	if _, _, _, d := cpuid(7, 0); d>>29&1 == 0 || rdmsr(msrCapabilities)&hasStatus == 0 {
		return false
	}
	return rdmsr(msrStatus)&disabled != 0
}

// apicSetMode brings this CPU's APIC into the mode that all have. From x2APIC
// mode the way back leads by disabled.
func apicSetMode() {
	base := rdmsr(msrAPICBase)
	if x2apic {
		if base&apicBaseX2 == 0 {
			wrmsr(msrAPICBase, base|apicBaseOn)
			wrmsr(msrAPICBase, base|apicBaseOn|apicBaseX2)
		}
		return
	}
	if base&apicBaseX2 != 0 {
		wrmsr(msrAPICBase, base&^(apicBaseOn|apicBaseX2))
	}
	wrmsr(msrAPICBase, base&^apicBaseX2|apicBaseOn)
}

// apicInit readies the APIC of c, which runs it.
func apicInit(c *percpu) {
	apicSetMode()
	apicWrite(apicTPR, 0)
	apicWrite(apicSpurious, apicEnable|vectorSpurious)
	apicWrite(apicLVTTimer, vectorTimer) // one-shot
	apicWrite(apicDivide, apicDivideBy1)
	last := apicRead(apicVersion) >> 16 & 0xff // of the local vector table
	if last >= 4 {
		apicWrite(apicLVTPerf, lvtMasked)
	}
	const delivery, smi = 7 << 8, 2 << 8
	if last >= 5 && apicRead(apicLVTHeat)&delivery != smi { // the firmware's, if so
		apicWrite(apicLVTHeat, lvtMasked)
	}
	if last >= 6 {
		apicWrite(apicLVTCMCI, lvtMasked)
	}
	// One CPU is enough to hear of a non-maskable interrupt.
	pins := [2]uint32{lvtMasked, lvtMasked}
	if c.index == 0 {
		n := madt.LocalNMI(madt.UID(readAPICID()))
		pins = nmiPins(n.Pin, n.ActiveLow)
	}
	apicWrite(apicLVT0, pins[0])
	apicWrite(apicLVT1, pins[1])
	apicWrite(apicErrors, 0)
	apicWrite(apicLVTError, vectorError)
	// What the firmware's own handlers took and never finished would hold up
	// everything of lower priority. Bounded: 256 vectors at most are in service.
	for n, v := 0, uintptr(0); v < 8 && n < 256; v++ {
		for ; apicRead(apicISR+v*0x10) != 0 && n < 256; n++ {
			endOfInterrupt()
		}
	}
}

//go:build tamarix

package amd64

// CPUs describes the CPUs that run. They are taken to be alike.
func CPUs() []CPUInfo {
	one := identify(cpuid)
	one.Microcode = microcode(one.Vendor)
	list := make([]CPUInfo, NumCPU())
	for i := range list {
		list[i] = one
		list[i].Index = i
		list[i].APICID = cpuByIndex(i).apicID
	}
	return list
}

// microcode returns the revision of the microcode that the firmware has loaded
// (SDM vol. 3A, 9.11.7; AMD64 APM vol. 2, 17.10.2), or 0. The register exists in
// all of these vendors' CPUs that have long mode.
func microcode(vendor string) uint32 {
	const msrUpdate = 0x8b
	switch vendor {
	case "GenuineIntel":
		wrmsr(msrUpdate, 0)
		cpuid(1, 0)
		return uint32(rdmsr(msrUpdate) >> 32)
	case "AuthenticAMD":
		return uint32(rdmsr(msrUpdate))
	}
	return 0
}

// HWCAP returns AT_HWCAP: CPUID 1, EDX.
func HWCAP() uint64 {
	_, _, _, d := cpuid(1, 0)
	return uint64(d)
}

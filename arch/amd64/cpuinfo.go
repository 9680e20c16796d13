//go:build tamarix

package amd64

// CPUInfo describes a CPU, for /proc/cpuinfo.
type CPUInfo struct {
	Index                   int
	APICID                  uint32
	Vendor, Brand           string
	Family, Model, Stepping int
	Flags                   []string // Linux's names
}

// CPUs describes the CPUs that run. They are taken to be alike.
func CPUs() []CPUInfo {
	var one CPUInfo
	_, b, c, d := cpuid(0, 0)
	one.Vendor = letters(b, d, c)
	if max, _, _, _ := cpuid(0x80000000, 0); max >= 0x80000004 {
		var s string
		for leaf := uint32(0x80000002); leaf <= 0x80000004; leaf++ {
			s += letters(cpuid(leaf, 0))
		}
		one.Brand = s
	}
	a, _, _, _ := cpuid(1, 0)
	one.Stepping = int(a & 15)
	one.Model = int(a>>4&15 | a>>12&0xf0)
	one.Family = int(a >> 8 & 15)
	if one.Family == 15 {
		one.Family += int(a >> 20 & 255)
	}
	one.Flags = cpuFlags()
	list := make([]CPUInfo, NumCPU())
	for i := range list {
		list[i] = one
		list[i].Index = i
		list[i].APICID = cpuByIndex(i).apicID
	}
	return list
}

// letters makes a string of registers, without the NULs and outer blanks.
func letters(regs ...uint32) string {
	var s []byte
	for _, r := range regs {
		for range 4 {
			if ch := byte(r); ch != 0 {
				s = append(s, ch)
			}
			r >>= 8
		}
	}
	return string(s)
}

// HWCAP returns AT_HWCAP: CPUID 1, EDX.
func HWCAP() uint64 {
	_, _, _, d := cpuid(1, 0)
	return uint64(d)
}

// flagNames are the names Linux gives to feature bits (asm/cpufeatures.h), by
// leaf and register.
var flagNames = []struct {
	leaf, sub uint32
	register  int // 0 EAX to 3 EDX
	names     map[int]string
}{
	{1, 0, 3, map[int]string{0: "fpu", 1: "vme", 2: "de", 3: "pse", 4: "tsc", 5: "msr", 6: "pae", 7: "mce", 8: "cx8", 9: "apic", 11: "sep", 12: "mtrr", 13: "pge", 14: "mca", 15: "cmov", 16: "pat", 17: "pse36", 19: "clflush", 23: "mmx", 24: "fxsr", 25: "sse", 26: "sse2", 28: "ht"}},
	{1, 0, 2, map[int]string{0: "pni", 1: "pclmulqdq", 3: "monitor", 9: "ssse3", 12: "fma", 13: "cx16", 19: "sse4_1", 20: "sse4_2", 21: "x2apic", 22: "movbe", 23: "popcnt", 25: "aes", 26: "xsave", 28: "avx", 29: "f16c", 30: "rdrand", 31: "hypervisor"}},
	{7, 0, 1, map[int]string{0: "fsgsbase", 3: "bmi1", 5: "avx2", 7: "smep", 8: "bmi2", 9: "erms", 16: "avx512f", 17: "avx512dq", 18: "rdseed", 19: "adx", 20: "smap", 23: "clflushopt", 24: "clwb", 28: "avx512cd", 29: "sha_ni", 30: "avx512bw", 31: "avx512vl"}},
	{7, 0, 2, map[int]string{2: "umip", 3: "pku", 9: "vaes", 10: "vpclmulqdq", 22: "rdpid"}},
	{7, 0, 3, map[int]string{4: "fsrm"}},
	{0x80000001, 0, 3, map[int]string{11: "syscall", 20: "nx", 26: "pdpe1gb", 27: "rdtscp", 29: "lm"}},
	{0x80000001, 0, 2, map[int]string{0: "lahf_lm", 5: "abm", 6: "sse4a", 8: "3dnowprefetch"}},
}

func cpuFlags() (list []string) {
	max, _, _, _ := cpuid(0, 0)
	for _, f := range flagNames {
		if f.leaf < 1<<31 && f.leaf > max {
			continue
		}
		a, b, c, d := cpuid(f.leaf, f.sub)
		w := [4]uint32{a, b, c, d}[f.register]
		for i := range 32 {
			if name := f.names[i]; name != "" && w>>i&1 != 0 {
				list = append(list, name)
			}
		}
	}
	return list
}

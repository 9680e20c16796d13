package amd64

import "strings"

// CPUInfo describes a CPU, for /proc/cpuinfo.
type CPUInfo struct {
	Index                   int
	APICID                  uint32
	Vendor, Brand           string
	Family, Model, Stepping int
	Microcode               uint32 // its revision; 0: not known
	Level                   uint32 // the highest leaf of CPUID
	CacheKB                 uint32 // the largest cache; 0: not known
	Line                    int    // what CLFLUSH flushes, in bytes
	PhysicalBits            int
	VirtualBits             int
	Flags                   []string // Linux's names
}

// identify returns what CPUID says of the CPU that runs it.
func identify(cpuid func(leaf, sub uint32) (a, b, c, d uint32)) (one CPUInfo) {
	level, b, c, d := cpuid(0, 0)
	one.Level = level
	one.Vendor = letters(b, d, c)
	ext, _, _, _ := cpuid(0x80000000, 0)
	if ext >= 0x80000004 && ext < 0x80010000 {
		var s string
		for leaf := uint32(0x80000002); leaf <= 0x80000004; leaf++ {
			s += letters(cpuid(leaf, 0))
		}
		one.Brand = strings.TrimSpace(s)
	}
	a, b, _, d := cpuid(1, 0)
	one.Stepping = int(a & 15)
	one.Model = int(a>>4&15 | a>>12&0xf0)
	one.Family = int(a >> 8 & 15)
	if one.Family == 15 {
		one.Family += int(a >> 20 & 255)
	}
	one.Line = 64
	if d>>19&1 != 0 && b>>8&255 != 0 {
		one.Line = int(b>>8&255) * 8
	}
	one.PhysicalBits, one.VirtualBits = 36, 48
	if ext >= 0x80000008 && ext < 0x80010000 {
		a, _, _, _ := cpuid(0x80000008, 0)
		one.PhysicalBits, one.VirtualBits = int(a&255), int(a>>8&255)
	}
	one.CacheKB = largestCache(one.Vendor, level, ext, cpuid)
	one.Flags = cpuFlags(level, ext, cpuid)
	return one
}

// largestCache returns the size of the largest cache, by the leaf that describes caches
// one by one: 4 of Intel's CPUs, 0x8000001d of AMD's, which has the same form (SDM
// vol. 2A, CPUID; AMD64 APM vol. 3, E.4.15).
func largestCache(vendor string, level, ext uint32, cpuid func(leaf, sub uint32) (a, b, c, d uint32)) (kb uint32) {
	leaf := uint32(0)
	switch {
	case vendor == "GenuineIntel" && level >= 4:
		leaf = 4
	case ext >= 0x8000001d && ext < 0x80010000:
		leaf = 0x8000001d
	default:
		return 0
	}
	for i := range uint32(8) {
		a, b, c, _ := cpuid(leaf, i)
		if a&31 == 0 {
			break
		}
		ways, parts, line, sets := uint64(b>>22)+1, uint64(b>>12&0x3ff)+1, uint64(b&0xfff)+1, uint64(c)+1
		if n := ways * parts * line / 8 * sets / 128; n < 1<<31 {
			kb = max(kb, uint32(n))
		}
	}
	return kb
}

// haltMayStopTimer reports whether the CPU is one of AMD's in which HLT, once all cores
// have executed it, may lead to the state C1E, where the local APICs' timers stand
// still, if the firmware has set it up so (erratum 400 in the revision guides of
// families 0Fh and 10h; the BKDG of 11h has the same register). It allocates nothing.
func haltMayStopTimer(cpuid func(leaf, sub uint32) (a, b, c, d uint32)) bool {
	_, b, c, d := cpuid(0, 0)
	sig, _, features, _ := cpuid(1, 0)
	const hypervisor = 1 << 31
	amd := b == 0x68747541 && d == 0x69746e65 && c == 0x444d4163 // "AuthenticAMD"
	if !amd || sig>>8&15 != 15 || features&hypervisor != 0 {
		return false
	}
	switch extended, model := sig>>20&255, sig>>4&15|sig>>12&0xf0; extended {
	case 0:
		return model >= 0x40
	case 1, 2:
		return true
	}
	return false
}

// letters makes a string of registers, without the NULs.
func letters(regs ...uint32) string {
	var s []byte
	for _, r := range regs {
		for range 4 {
			if ch := byte(r); ch >= ' ' && ch <= '~' {
				s = append(s, ch)
			}
			r >>= 8
		}
	}
	return string(s)
}

// flagNames are the names Linux gives to feature bits (asm/cpufeatures.h), by leaf
// and register, from bit 0 on; - stands for a bit without one.
var flagNames = [...]struct {
	leaf, sub uint32
	register  int // 0 EAX to 3 EDX
	names     string
}{
	{1, 0, 3, "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts acpi mmx fxsr sse sse2 ss ht tm ia64 pbe"},
	{0x80000001, 0, 3, "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt pdpe1gb rdtscp - lm 3dnowext 3dnow"},
	{0x80000007, 0, 3, "- - - - - - - hw_pstate constant_tsc cpb"},
	{1, 0, 2, "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - pcid dca sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c rdrand hypervisor"},
	{0x80000001, 0, 2, "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop skinit wdt - lwp fma4 tce - nodeid_msr - tbm topoext perfctr_core perfctr_nb - bpext ptsc perfctr_llc mwaitx"},
	{6, 0, 0, "dtherm ida arat - pln - pts hwp hwp_notify hwp_act_window hwp_epp hwp_pkg_req"},
	{7, 0, 1, "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a avx512f avx512dq rdseed adx smap avx512ifma - clflushopt clwb intel_pt avx512pf avx512er avx512cd sha_ni avx512bw avx512vl"},
	{7, 0, 2, "- avx512vbmi umip pku - waitpkg avx512_vbmi2 - gfni vaes vpclmulqdq avx512_vnni avx512_bitalg tme avx512_vpopcntdq - la57 - - - - - rdpid - bus_lock_detect cldemote - movdiri movdir64b enqcmd"},
	{7, 0, 3, "- - avx512_4vnniw avx512_4fmaps fsrm - - - avx512_vp2intersect - md_clear - - - serialize - tsxldtrk - pconfig arch_lbr ibt - amx_bf16 avx512_fp16 amx_tile amx_int8 - - flush_l1d arch_capabilities"},
	{0xd, 1, 0, "xsaveopt xsavec xgetbv1 xsaves"},
	{0x80000008, 0, 1, "clzero irperf xsaveerptr - rdpru - - - - wbnoinvd"},
}

func cpuFlags(level, ext uint32, cpuid func(leaf, sub uint32) (a, b, c, d uint32)) (list []string) {
	for _, f := range flagNames {
		if top := max(level, ext*(f.leaf>>31)); f.leaf > top || f.leaf>>31 != 0 && ext >= 0x80010000 {
			continue
		}
		a, b, c, d := cpuid(f.leaf, f.sub)
		w := [4]uint32{a, b, c, d}[f.register]
		for name := range strings.FieldsSeq(f.names) {
			if w&1 != 0 && name != "-" {
				list = append(list, name)
				if name == "constant_tsc" {
					list = append(list, "nonstop_tsc")
				}
			}
			w >>= 1
		}
	}
	return list
}

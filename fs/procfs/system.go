package procfs

import (
	"fmt"
	"strings"

	arch "tamarix/arch/amd64"
	"tamarix/mm"
)

// Nanoseconds of the units that /proc counts in: USER_HZ is 100 (sysconf(3), _SC_CLK_TCK).
const (
	second = 1_000_000_000
	tick   = second / 100
)

const pageKB = arch.PageSize >> 10

func uptime(p *FS, w *writer) {
	s := p.src.System()
	w.printf("%d.%02d %d.%02d\n", s.Uptime/second, s.Uptime%second/tick, s.Idle/second, s.Idle%second/tick)
}

func loadAvg(p *FS, w *writer) {
	s := p.src.System()
	w.printf("%.2f %.2f %.2f %d/%d %d\n", s.Load[0], s.Load[1], s.Load[2], s.Running, s.Tasks, s.LastPID)
}

func version(p *FS, w *writer) {
	s := p.src.System()
	w.printf("Linux version %s (%s) (%s) %s\n", s.Release, s.Builder, s.Compiler, s.Version)
}

func systemStat(p *FS, w *writer) {
	n := arch.NumCPU()
	var user, system, idle int64
	lines := make([]string, n)
	for i := range n {
		u, s, d := arch.CPUTimes(i)
		user, system, idle = user+u, system+s, idle+d
		lines[i] = fmt.Sprintf("cpu%d %d 0 %d %d 0 0 0 0 0 0\n", i, u/tick, s/tick, d/tick)
	}
	w.printf("cpu  %d 0 %d %d 0 0 0 0 0 0\n", user/tick, system/tick, idle/tick)
	for _, l := range lines {
		w.print(l)
	}
	counts := arch.InterruptCounts()
	total := uint64(0)
	for i := range counts {
		total += sum(counts[i].PerCPU)
	}
	s := p.src.System()
	w.printf("intr %d", total)
	for i := range counts {
		w.printf(" %d", sum(counts[i].PerCPU))
	}
	w.printf("\nctxt %d\nbtime %d\nprocesses %d\nprocs_running %d\nprocs_blocked %d\n",
		s.Switches, s.Boot, s.Forks, s.Running, s.Blocked)
	w.print("softirq 0 0 0 0 0 0 0 0 0 0 0\n")
}

func sum(v []uint64) (n uint64) {
	for _, x := range v {
		n += x
	}
	return n
}

// interrupts has the form of Linux's: a column for each CPU, devices' lines with
// what their interrupt comes through.
func interrupts(_ *FS, w *writer) {
	w.print("           ")
	for i := range arch.NumCPU() {
		w.printf("%-11s", fmt.Sprintf("CPU%d", i))
	}
	w.print("\n")
	for _, c := range arch.InterruptCounts() {
		w.printf("%3s:", c.Label)
		for _, v := range c.PerCPU {
			w.printf(" %10d", v)
		}
		if c.Chip != "" {
			w.printf("  %-16s", c.Chip)
		}
		w.printf("  %s\n", c.Name)
	}
}

func cpuInfo(_ *FS, w *writer) {
	cpus := arch.CPUs()
	mhz := float64(arch.TSCHz()) / 1e6
	for i := range cpus {
		c := &cpus[i]
		w.printf("processor\t: %d\nvendor_id\t: %s\ncpu family\t: %d\nmodel\t\t: %d\nmodel name\t: %s\nstepping\t: %d\n",
			c.Index, c.Vendor, c.Family, c.Model, c.Brand, c.Stepping)
		if c.Microcode != 0 {
			w.printf("microcode\t: %#x\n", c.Microcode)
		}
		w.printf("cpu MHz\t\t: %.3f\n", mhz)
		if c.CacheKB != 0 {
			w.printf("cache size\t: %d KB\n", c.CacheKB)
		}
		w.printf("physical id\t: 0\nsiblings\t: %d\ncore id\t\t: %d\ncpu cores\t: %d\napicid\t\t: %d\ninitial apicid\t: %d\n",
			len(cpus), c.Index, len(cpus), c.APICID, c.APICID)
		w.printf("fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %d\nwp\t\t: yes\nflags\t\t: %s\nbugs\t\t:\nbogomips\t: %.2f\n",
			c.Level, strings.Join(c.Flags, " "), 2*mhz)
		w.printf("clflush size\t: %d\ncache_alignment\t: %d\naddress sizes\t: %d bits physical, %d bits virtual\npower management:\n\n",
			c.Line, c.Line, c.PhysicalBits, c.VirtualBits)
	}
}

// memInfo is true to the page: every frame that the machine has is in one of the
// uses that mm and arch count.
func memInfo(_ *FS, w *writer) {
	s := mm.ReadVMStat()
	f := &s.Frames
	available := f.Free + reclaimable()
	line := func(name string, pages uint64) { w.printf("%-15s %8d kB\n", name+":", pages*pageKB) }
	line("MemTotal", f.Total)
	line("MemFree", f.Free)
	line("MemAvailable", available)
	line("Buffers", 0)
	line("Cached", f.Cache)
	line("SwapCached", 0)
	line("Active", f.Anon+f.Cache)
	line("Inactive", 0)
	line("Active(anon)", f.Anon+f.Cache)
	line("Inactive(anon)", 0)
	line("Active(file)", 0)
	line("Inactive(file)", 0)
	line("Unevictable", 0)
	line("Mlocked", 0)
	line("SwapTotal", 0)
	line("SwapFree", 0)
	line("Dirty", 0)
	line("Writeback", 0)
	line("AnonPages", f.Anon)
	line("Mapped", s.Mapped)
	line("Shmem", f.Cache) // every file lives in memory
	line("KReclaimable", 0)
	line("Slab", f.Kernel)
	line("SReclaimable", 0)
	line("SUnreclaim", f.Kernel)
	line("KernelStack", 0)
	line("PageTables", f.PageTable)
	line("CommitLimit", f.Total/2)
	line("Committed_AS", f.Anon+f.Cache)
	w.printf("VmallocTotal:   34359738367 kB\nVmallocUsed:           0 kB\nVmallocChunk:          0 kB\n")
	if r := arch.MemoryTest(); r.Passes > 0 {
		line("EarlyMemtestBad", r.Bad/arch.PageSize)
	}
	w.printf("HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\nHugepagesize:       2048 kB\n")
}

// reclaimable is how many pages could be had without taking them from anybody:
// none, since all files live in memory.
func reclaimable() uint64 { return 0 }

func vmStat(_ *FS, w *writer) {
	s := mm.ReadVMStat()
	f := &s.Frames
	for _, l := range []struct {
		name string
		v    uint64
	}{
		{"nr_free_pages", f.Free},
		{"nr_anon_pages", f.Anon},
		{"nr_mapped", s.Mapped},
		{"nr_file_pages", f.Cache},
		{"nr_shmem", f.Cache},
		{"nr_page_table_pages", f.PageTable},
		{"nr_kernel_pages", f.Kernel},
		{"nr_reserved_pages", f.Reserved},
		{"nr_address_spaces", s.Spaces},
		{"pgpgin", 0},
		{"pgpgout", 0},
		{"pswpin", 0},
		{"pswpout", 0},
		{"pgfree", s.PgFree},
		{"pgfault", s.PgFault},
		{"pgmajfault", s.PgMajFault},
		{"oom_kill", s.OOMKills},
		{"cow_copies", s.COWCopies},
		{"cow_claims", s.COWClaims},
		{"zero_fills", s.ZeroFills},
		{"pt_pages", s.PTPages},
		{"table_shares", s.TableShares},
		{"table_copies", s.TableCopies},
		{"fork_entries", s.ForkCopied},
		{"pgreclaim", s.Reclaimed},
		{"shootdowns", s.Shootdowns},
		// Every frame there is, by use: for tests that count them.
		{"frames_total", f.Total},
		{"frames_free", f.Free},
		{"frames_anon", f.Anon},
		{"frames_cache", f.Cache},
		{"frames_pagetable", f.PageTable},
		{"frames_kernel", f.Kernel},
		{"frames_reserved", f.Reserved},
	} {
		w.printf("%s %d\n", l.name, l.v)
	}
}

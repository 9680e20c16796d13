package procfs

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/fs"
	"tamarix/mm"
)

// maxArgs bounds what is shown of a command line or an environment: more than
// execve(2) lets through by default.
const maxArgs = 2 << 20

func trim(s string) string { return strings.TrimSpace(s) }

func cutLine(s string) string {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return s[:i]
	}
	return s
}

// cmdline shows the arguments as they are in the process's memory now. A process
// that has overwritten its last NUL shows on into its environment (setproctitle).
func cmdline(_ *fs.Context, d *dir, w *writer) error {
	as := d.proc.AddressSpace()
	if as == nil {
		return nil // a zombie
	}
	defer as.Unref()
	l := as.Layout()
	b := remote(as, l.ArgStart, l.ArgEnd, maxArgs)
	if n := len(b); n > 0 && b[n-1] != 0 && uint64(n) == l.ArgEnd-l.ArgStart {
		if i := bytes.IndexByte(b, 0); i >= 0 {
			b = b[:i]
		} else {
			more := remote(as, l.ArgEnd, l.EnvEnd, arch.PageSize)
			if i := bytes.IndexByte(more, 0); i >= 0 {
				more = more[:i]
			}
			b = append(b, more...)
		}
	}
	w.Write(b)
	return nil
}

func environ(_ *fs.Context, d *dir, w *writer) error {
	as := d.proc.AddressSpace()
	if as == nil {
		return nil
	}
	defer as.Unref()
	l := as.Layout()
	w.Write(remote(as, l.EnvStart, l.EnvEnd, maxArgs))
	return nil
}

func auxv(_ *fs.Context, d *dir, w *writer) error {
	as := d.proc.AddressSpace()
	if as == nil {
		return nil
	}
	defer as.Unref()
	w.Write(as.Layout().Auxv)
	return nil
}

func wchan(_ *fs.Context, d *dir, w *writer) error {
	if c := d.info().WChan; c != "" {
		w.print(c)
	} else {
		w.print("0")
	}
	return nil
}

func ioCounts(_ *fs.Context, d *dir, w *writer) error {
	i := d.info()
	w.printf("rchar: %d\nwchar: %d\nsyscr: %d\nsyscw: %d\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n",
		i.ReadChars, i.WriteChars, i.ReadCalls, i.WriteCalls)
	return nil
}

// orMinusOne shows a group that is missing as -1.
func orMinusOne(v int32) int32 {
	if v == 0 {
		return -1
	}
	return v
}

// ttyNumber is a device number as /proc/PID/stat shows it (new_encode_dev).
func ttyNumber(dev uint64) uint32 {
	major, minor := unix.Major(dev), unix.Minor(dev)
	return minor&0xff | major<<8 | minor&^0xff<<12
}

// stat is /proc/PID/stat: one line of 52 fields.
func stat(ctx *fs.Context, d *dir, w *writer) error {
	i := d.info()
	var st mm.Stats
	var l mm.Layout
	rssLimit := d.proc.Limits()[unix.RLIMIT_RSS].Cur
	if as := d.proc.AddressSpace(); as != nil {
		st, l = as.Stats(), as.Layout()
		as.Unref()
		if mayTrace(ctx, d.p.src, d.proc) != nil {
			// Addresses are not for strangers.
			l = mm.Layout{StartCode: 1, EndCode: 1}
			i.ExitStatus = 0
		}
	} else {
		rssLimit = 0
	}
	fg := i.Foreground
	if i.TTY == 0 {
		fg = -1
	}
	w.printf("%d (%s) %c %d %d %d %d %d %d", d.proc.TID(), i.Comm, i.State, i.PPID, i.PGID, i.SID, ttyNumber(i.TTY), orMinusOne(fg), i.Flags)
	w.printf(" %d %d %d %d", i.MinorFaults, i.ChildMinorFaults, i.MajorFaults, i.ChildMajorFaults)
	w.printf(" %d %d %d %d", i.User/tick, i.System/tick, i.ChildUser/tick, i.ChildSystem/tick)
	w.printf(" %d %d %d 0 %d", i.Priority, i.Nice, i.Threads, i.Start/tick)
	w.printf(" %d %d %d", st.TotalVM*arch.PageSize, st.RSS(), rssLimit)
	w.printf(" %d %d %d 0 0", l.StartCode, l.EndCode, l.StartStack)
	w.printf(" %d %d %d %d", low31(i.Pending), low31(i.Blocked), low31(i.Ignored), low31(i.Caught))
	wchan := 0
	if i.WChan != "" {
		wchan = 1
	}
	w.printf(" %d 0 0 %d %d %d %d 0 0 0", wchan, i.ExitSignal, i.CPU, i.RTPriority, i.Policy)
	w.printf(" %d %d %d %d %d %d %d %d\n", l.StartData, l.EndData, l.StartBrk, l.ArgStart, l.ArgEnd, l.EnvStart, l.EnvEnd, i.ExitStatus)
	return nil
}

// low31 is the part of a signal set that fits where stat shows it.
func low31(set uint64) uint64 { return set & 0x7fffffff }

func statm(_ *fs.Context, d *dir, w *writer) error {
	var st mm.Stats
	var l mm.Layout
	if as := d.proc.AddressSpace(); as != nil {
		st, l = as.Stats(), as.Layout()
		as.Unref()
	}
	text := (l.EndCode+arch.PageSize-1)/arch.PageSize - l.StartCode/arch.PageSize
	w.printf("%d %d %d %d 0 %d 0\n", st.TotalVM, st.RSS(), st.RSSFile+st.RSSShmem, text, st.DataVM+st.StackVM)
	return nil
}

// stateNames are the words of status for the letters of stat.
var stateNames = map[byte]string{
	'R': "R (running)", 'S': "S (sleeping)", 'D': "D (disk sleep)", 'T': "T (stopped)",
	't': "t (tracing stop)", 'X': "X (dead)", 'Z': "Z (zombie)", 'I': "I (idle)",
}

// escapeComm shows a command name in status: newline and backslash escaped.
func escapeComm(s string) string {
	return strings.NewReplacer("\\", "\\\\", "\n", "\\n").Replace(s)
}

// status is /proc/PID/status.
func status(ctx *fs.Context, d *dir, w *writer) error {
	i := d.info()
	c := d.proc.Cred()
	if c == nil {
		return unix.ESRCH
	}
	umask, slots := -1, 0
	if fi := d.proc.FSInfo(); fi != nil {
		umask = int(fi.Umask())
		fi.Unref()
	}
	if ft := d.proc.Files(); ft != nil {
		slots = ft.Capacity()
		ft.Unref(ctx)
	}
	w.printf("Name:\t%s\n", escapeComm(i.Comm))
	if umask >= 0 {
		w.printf("Umask:\t%04o\n", umask)
	}
	w.printf("State:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n",
		stateNames[i.State], d.proc.TGID(), d.proc.TID(), i.PPID, i.Tracer)
	w.printf("Uid:\t%d\t%d\t%d\t%d\nGid:\t%d\t%d\t%d\t%d\nFDSize:\t%d\nGroups:\t", c.UID, c.EUID, c.SUID, c.FSUID, c.GID, c.EGID, c.SGID, c.FSGID, slots)
	for _, g := range c.Groups {
		w.printf("%d ", g)
	}
	if len(c.Groups) == 0 {
		w.print(" ")
	}
	w.printf("\nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", d.proc.TGID(), d.proc.TID(), i.PGID, i.SID)
	w.print("Kthread:\t0\n")
	if as := d.proc.AddressSpace(); as != nil {
		memStatus(w, as)
		as.Unref()
	}
	noNewPrivs := 0
	if c.NoNewPrivs {
		noNewPrivs = 1
	}
	w.printf("CoreDumping:\t0\nTHP_enabled:\t0\nuntag_mask:\t0xffffffffffffffff\nThreads:\t%d\nSigQ:\t%d/%d\n", i.Threads, i.Queued, i.QueueLimit)
	w.printf("SigPnd:\t%016x\nShdPnd:\t%016x\nSigBlk:\t%016x\nSigIgn:\t%016x\nSigCgt:\t%016x\n", i.Pending, i.Shared, i.Blocked, i.Ignored, i.Caught)
	w.printf("CapInh:\t%016x\nCapPrm:\t%016x\nCapEff:\t%016x\nCapBnd:\t%016x\nCapAmb:\t%016x\n", uint64(c.Inheritable), uint64(c.Permitted), uint64(c.Effective), uint64(c.Bounding), uint64(c.Ambient))
	w.printf("NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\nSpeculation_Store_Bypass:\tunknown\nSpeculationIndirectBranch:\tunknown\n", noNewPrivs)
	n := arch.NumCPU()
	w.printf("Cpus_allowed:\t%s\nCpus_allowed_list:\t%s\n", cpuMask(n), cpuList(n))
	w.printf("Mems_allowed:\t1\nMems_allowed_list:\t0\n")
	w.printf("voluntary_ctxt_switches:\t%d\nnonvoluntary_ctxt_switches:\t%d\n", i.Voluntary, i.Involuntary)
	w.printf("cow_copies:\t%d\ncow_claims:\t%d\nzero_fills:\t%d\n", i.COWCopies, i.COWClaims, i.ZeroFills)
	return nil
}

// memStatus writes the Vm and Rss lines.
func memStatus(w *writer, as *mm.AddressSpace) {
	st, l := as.Stats(), as.Layout()
	text := (l.EndCode+arch.PageSize-1)&^(arch.PageSize-1) - l.StartCode&^(arch.PageSize-1)
	textPages := min(text/arch.PageSize, st.ExecVM)
	line := func(name string, pages uint64) { w.printf("%s:\t%8d kB\n", name, pages*pageKB) }
	line("VmPeak", st.PeakVM)
	line("VmSize", st.TotalVM)
	line("VmLck", st.LockedVM)
	line("VmPin", 0)
	line("VmHWM", st.PeakRSS)
	line("VmRSS", st.RSS())
	line("RssAnon", st.RSSAnon)
	line("RssFile", st.RSSFile)
	line("RssShmem", st.RSSShmem)
	line("VmData", st.DataVM)
	line("VmStk", st.StackVM)
	line("VmExe", textPages)
	line("VmLib", st.ExecVM-textPages)
	line("VmPTE", st.PageTables)
	line("VmSwap", 0)
	line("HugetlbPages", 0)
}

// cpuMask shows the first n CPUs as a mask in groups of 32 bits.
func cpuMask(n int) string {
	var b strings.Builder
	for word := (n - 1) / 32; word >= 0; word-- {
		k := min(n-32*word, 32)
		m := uint32(1<<uint(k) - 1)
		if b.Len() > 0 {
			fmt.Fprintf(&b, ",%08x", m)
		} else {
			fmt.Fprintf(&b, "%x", m)
		}
	}
	return b.String()
}

// cpuList shows the first n CPUs as a list: "0-3".
func cpuList(n int) string {
	if n == 1 {
		return "0"
	}
	return fmt.Sprintf("0-%d", n-1)
}

// limitNames are the lines of /proc/PID/limits, in its order, by RLIMIT number.
var limitNames = [NumLimits]struct{ name, unit string }{
	unix.RLIMIT_CPU: {"Max cpu time", "seconds"}, unix.RLIMIT_FSIZE: {"Max file size", "bytes"},
	unix.RLIMIT_DATA: {"Max data size", "bytes"}, unix.RLIMIT_STACK: {"Max stack size", "bytes"},
	unix.RLIMIT_CORE: {"Max core file size", "bytes"}, unix.RLIMIT_RSS: {"Max resident set", "bytes"},
	unix.RLIMIT_NPROC: {"Max processes", "processes"}, unix.RLIMIT_NOFILE: {"Max open files", "files"},
	unix.RLIMIT_MEMLOCK: {"Max locked memory", "bytes"}, unix.RLIMIT_AS: {"Max address space", "bytes"},
	unix.RLIMIT_LOCKS: {"Max file locks", "locks"},
	// The rest is not in x/sys/unix: UAPI asm-generic/resource.h.
	11: {"Max pending signals", "signals"}, 12: {"Max msgqueue size", "bytes"},
	13: {"Max nice priority", ""}, 14: {"Max realtime priority", ""}, 15: {"Max realtime timeout", "us"},
}

func limits(_ *fs.Context, d *dir, w *writer) error {
	w.printf("%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units")
	value := func(v uint64) string {
		if v == unix.RLIM_INFINITY {
			return "unlimited"
		}
		return fmt.Sprint(v)
	}
	for i, l := range d.proc.Limits() {
		n := limitNames[i]
		w.printf("%-25s %-20s %-20s ", n.name, value(l.Cur), value(l.Max))
		if n.unit != "" {
			w.printf("%-10s", n.unit)
		}
		w.print("\n")
	}
	return nil
}

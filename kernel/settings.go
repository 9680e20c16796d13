package kernel

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"

	"tamarix/arch/klog"
	"tamarix/fs"
	"tamarix/fs/devfs"
	"tamarix/fs/procfs"
	"tamarix/fs/tty"
	"tamarix/mm"
	"tamarix/proc"
)

// What is below /proc/sys (proc(5)). A setting that cannot be changed here is
// not writable: EPERM, rather than a value without effect.

// constant is a setting with a fixed value.
func constant(path, value string) procfs.Setting {
	return procfs.Setting{Path: path, Mode: 0o444, Get: func(*fs.Context) string { return value }}
}

// shown is a setting that can be read.
func shown(path string, get func() string) procfs.Setting {
	return procfs.Setting{Path: path, Mode: 0o444, Get: func(*fs.Context) string { return get() }}
}

// number is a setting that holds a number between lo and hi.
func number(path string, lo, hi int64, get func() int64, set func(int64) error) procfs.Setting {
	return procfs.Setting{
		Path: path, Mode: 0o644,
		Get: func(*fs.Context) string { return strconv.FormatInt(get(), 10) },
		Set: func(_ *fs.Context, v string) error {
			n, err := strconv.ParseInt(v, 0, 64)
			if err != nil || n < lo || n > hi {
				return unix.EINVAL
			}
			return set(n)
		},
	}
}

// name is a setting that holds a text.
func name(path string, get func() string, set func(string) error) procfs.Setting {
	return procfs.Setting{
		Path: path, Mode: 0o644,
		Get: func(*fs.Context) string { return get() },
		Set: func(_ *fs.Context, v string) error { return set(v) },
	}
}

// defaultLogLevel is the level of a kernel message without one (DEFAULT_MESSAGE_LOGLEVEL).
const defaultLogLevel = klog.Warning

func settings() []procfs.Setting {
	bootID := devfs.UUID(proc.FillRandom)
	return []procfs.Setting{
		name("kernel/hostname", hostname, setHostname),
		name("kernel/domainname", domainname, setDomainname),
		constant("kernel/ostype", utsSysname),
		constant("kernel/osrelease", utsRelease),
		constant("kernel/version", utsVersion),
		constant("kernel/ngroups_max", "65536"),
		constant("kernel/cap_last_cap", strconv.Itoa(unix.CAP_LAST_CAP)),
		constant("kernel/core_pattern", ""),
		constant("kernel/core_uses_pid", "0"),
		constant("kernel/overflowuid", "65534"),
		constant("kernel/overflowgid", "65534"),
		constant("kernel/tainted", "0"),
		number("kernel/sysrq", 0, 1<<31-1,
			func() int64 { return int64(sysrqMask.Load()) },
			func(n int64) error { sysrqMask.Store(int32(n)); return nil }),
		constant("kernel/pty/max", strconv.Itoa(tty.MaxPTYs)),
		constant("kernel/random/poolsize", strconv.Itoa(devfs.PoolBits)),
		constant("kernel/random/entropy_avail", strconv.Itoa(devfs.PoolBits)),
		constant("kernel/random/boot_id", bootID),
		shown("kernel/random/uuid", func() string { return devfs.UUID(proc.FillRandom) }),
		shown("kernel/pty/nr", func() string { return strconv.Itoa(terminals.PTYs()) }),
		number("kernel/pid_max", 301, proc.PIDMaxLimit,
			func() int64 { return int64(proc.PIDMax()) },
			func(n int64) error { return proc.SetPIDMax(int32(n)) }),
		number("kernel/threads-max", 1, 1<<31-1,
			func() int64 { return int64(proc.ThreadsMax()) }, proc.SetThreadsMax),
		shown("kernel/randomize_va_space", func() string { return strconv.Itoa(proc.RandomizeVASpace) }),
		{
			Path: "kernel/printk", Mode: 0o644,
			Get: func(*fs.Context) string {
				return fmt.Sprintf("%d\t%d\t1\t%d", klog.ConsoleLevel(), defaultLogLevel, levelDefault)
			},
			Set: func(_ *fs.Context, v string) error {
				var level int
				if _, err := fmt.Sscan(v, &level); err != nil || level < 1 || level > 15 {
					return unix.EINVAL
				}
				klog.SetConsoleLevel(klog.Level(level))
				return nil
			},
		},
		constant("vm/overcommit_memory", "0"),
		constant("vm/overcommit_ratio", "50"),
		constant("vm/max_map_count", strconv.Itoa(mm.MaxMapCount)),
		constant("vm/mmap_min_addr", strconv.Itoa(mm.PageSize)),
		constant("vm/swappiness", "0"),
		number("fs/file-max", 1, 1<<40,
			func() int64 { _, limit := fs.FileCount(); return limit },
			func(n int64) error { fs.SetFileMax(n); return nil }),
		shown("fs/file-nr", func() string {
			n, limit := fs.FileCount()
			return fmt.Sprintf("%d\t0\t%d", n, limit)
		}),
		constant("fs/nr_open", strconv.Itoa(fs.MaxFDs)),
		constant("fs/pipe-max-size", strconv.Itoa(fs.PipeMaxSize)),
		constant("fs/protected_hardlinks", "0"),
		constant("fs/protected_symlinks", "0"),
	}
}

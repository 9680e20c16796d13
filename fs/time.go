package fs

import (
	"time"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
)

// Now returns the wall clock in nanoseconds since 1970, for time stamps. Like
// Linux's (ktime_get_coarse_real_ts64), they are as of the last tick.
func Now() int64 { return arch.CoarseWall() }

// relatime is how old an access time may become before a read renews it (mount(8), relatime).
const relatime = int64(24 * time.Hour)

// touchAtime notes an access to the object at p, as the mount's options say.
func touchAtime(p Path) {
	b := p.Dentry.node.Load().base
	flags := uint64(0)
	if p.Mount != nil {
		flags = p.Mount.Flags()
	}
	if flags&(unix.MS_NOATIME|unix.MS_RDONLY) != 0 || flags&unix.MS_NODIRATIME != 0 && b.IsDir() {
		return
	}
	now := Now()
	old := b.atime.Load()
	if flags&unix.MS_RELATIME != 0 && old > b.mtime.Load() && old > b.ctime.Load() && now-old < relatime {
		return
	}
	b.atime.Store(now)
}

// Timespec converts nanoseconds since 1970 to seconds and nanoseconds.
func Timespec(ns int64) unix.Timespec {
	s := ns / 1e9
	ns -= s * 1e9
	if ns < 0 {
		s--
		ns += 1e9
	}
	return unix.Timespec{Sec: s, Nsec: ns}
}

package kernel

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/proc"
)

// structBytes returns the bytes of a Linux structure, for copying it to or from
// user memory as it is.
func structBytes[T any](p *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(p)), unsafe.Sizeof(*p))
}

// devWord is a device number as struct stat holds it (new_encode_dev, linux/kdev_t.h).
func devWord(dev uint64) uint64 {
	major, minor := unix.Major(dev), unix.Minor(dev)
	return uint64(minor&0xff | major<<8 | minor&^0xff<<12)
}

// putStat copies st to the struct stat at user address addr.
func putStat(t *proc.Task, addr uint64, st *fs.Attr) error {
	out := unix.Stat_t{
		Dev: devWord(st.Dev), Ino: st.Ino, Nlink: uint64(st.Nlink), Mode: st.Mode,
		Uid: st.UID, Gid: st.GID, Rdev: devWord(st.Rdev), Size: st.Size,
		Blksize: st.BlockSize, Blocks: st.Blocks,
		Atim: fs.Timespec(st.Atime), Mtim: fs.Timespec(st.Mtime), Ctim: fs.Timespec(st.Ctime),
	}
	return t.AS.CopyOut(addr, structBytes(&out))
}

func sysStat(t *proc.Task, a *Args) (uintptr, error) { return stat(t, atCwd, a[0], a[1], 0) }
func sysLstat(t *proc.Task, a *Args) (uintptr, error) {
	return stat(t, atCwd, a[0], a[1], unix.AT_SYMLINK_NOFOLLOW)
}

func sysFstat(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	if err := ctx.Fstat(fdArg(a[0]), &ctx.Attr); err != nil {
		return 0, err
	}
	return 0, putStat(t, a[1], &ctx.Attr)
}

func sysNewfstatat(t *proc.Task, a *Args) (uintptr, error) {
	return stat(t, fdArg(a[0]), a[1], a[2], int(int32(a[3])))
}

const statFlags = unix.AT_SYMLINK_NOFOLLOW | unix.AT_EMPTY_PATH | unix.AT_NO_AUTOMOUNT

func stat(t *proc.Task, dirfd int32, path, buf uint64, flags int) (uintptr, error) {
	if flags&^statFlags != 0 {
		return 0, unix.EINVAL
	}
	p, err := pathArg(t, path)
	if err != nil {
		return 0, err
	}
	ctx := t.FSContext()
	if err := ctx.Stat(dirfd, p, flags, &ctx.Attr); err != nil {
		return 0, err
	}
	return 0, putStat(t, buf, &ctx.Attr)
}

// statxSyncType is AT_STATX_SYNC_TYPE (linux/fcntl.h).
const statxSyncType = 0x6000

func sysStatx(t *proc.Task, a *Args) (uintptr, error) {
	flags, mask := int(int32(a[2])), uint32(a[3])
	if mask&unix.STATX__RESERVED != 0 || flags&^(statFlags|statxSyncType) != 0 ||
		flags&statxSyncType == statxSyncType {
		return 0, unix.EINVAL
	}
	p := ""
	if a[1] != 0 || flags&unix.AT_EMPTY_PATH == 0 {
		var err error
		if p, err = pathArg(t, a[1]); err != nil {
			return 0, err
		}
	}
	ctx := t.FSContext()
	st := &ctx.Attr
	if err := ctx.Stat(fdArg(a[0]), p, flags, st); err != nil {
		return 0, err
	}
	ts := func(ns int64) unix.StatxTimestamp {
		v := fs.Timespec(ns)
		return unix.StatxTimestamp{Sec: v.Sec, Nsec: uint32(v.Nsec)}
	}
	out := unix.Statx_t{
		Mask:    unix.STATX_BASIC_STATS | unix.STATX_BTIME | unix.STATX_MNT_ID,
		Blksize: uint32(st.BlockSize), Nlink: st.Nlink, Uid: st.UID, Gid: st.GID, Mode: uint16(st.Mode),
		Ino: st.Ino, Size: uint64(st.Size), Blocks: uint64(st.Blocks),
		Atime: ts(st.Atime), Btime: ts(st.Btime), Ctime: ts(st.Ctime), Mtime: ts(st.Mtime),
		Rdev_major: unix.Major(st.Rdev), Rdev_minor: unix.Minor(st.Rdev),
		Dev_major: unix.Major(st.Dev), Dev_minor: unix.Minor(st.Dev),
		Mnt_id: uint64(st.MountID), Attributes_mask: unix.STATX_ATTR_MOUNT_ROOT,
	}
	if st.MountRoot {
		out.Attributes |= unix.STATX_ATTR_MOUNT_ROOT
	}
	return 0, t.AS.CopyOut(a[4], structBytes(&out))
}

func sysAccess(t *proc.Task, a *Args) (uintptr, error) { return access(t, atCwd, a[0], a[1], 0) }
func sysFaccessat(t *proc.Task, a *Args) (uintptr, error) {
	return access(t, fdArg(a[0]), a[1], a[2], 0)
}
func sysFaccessat2(t *proc.Task, a *Args) (uintptr, error) {
	return access(t, fdArg(a[0]), a[1], a[2], int(int32(a[3])))
}

func access(t *proc.Task, dirfd int32, path, mode uint64, flags int) (uintptr, error) {
	if uint32(mode)&^7 != 0 {
		return 0, unix.EINVAL
	}
	p, err := pathArg(t, path)
	if err != nil {
		return 0, err
	}
	return 0, t.FSContext().Access(dirfd, p, uint32(mode), flags)
}

func sysChmod(t *proc.Task, a *Args) (uintptr, error) { return chmod(t, atCwd, a[0], a[1], 0) }
func sysFchmodat(t *proc.Task, a *Args) (uintptr, error) {
	return chmod(t, fdArg(a[0]), a[1], a[2], 0)
}
func sysFchmodat2(t *proc.Task, a *Args) (uintptr, error) {
	flags := int(int32(a[3]))
	if flags&^(unix.AT_SYMLINK_NOFOLLOW|unix.AT_EMPTY_PATH) != 0 {
		return 0, unix.EINVAL
	}
	return chmod(t, fdArg(a[0]), a[1], a[2], flags)
}
func sysFchmod(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.FSContext().Fchmod(fdArg(a[0]), uint32(a[1]))
}

func chmod(t *proc.Task, dirfd int32, path, mode uint64, flags int) (uintptr, error) {
	p, err := pathArg(t, path)
	if err != nil {
		return 0, err
	}
	return 0, t.FSContext().Chmod(dirfd, p, uint32(mode), flags)
}

func sysChown(t *proc.Task, a *Args) (uintptr, error) { return chown(t, atCwd, a[0], a[1], a[2], 0) }
func sysLchown(t *proc.Task, a *Args) (uintptr, error) {
	return chown(t, atCwd, a[0], a[1], a[2], unix.AT_SYMLINK_NOFOLLOW)
}
func sysFchown(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.FSContext().Fchown(fdArg(a[0]), uint32(a[1]), uint32(a[2]))
}
func sysFchownat(t *proc.Task, a *Args) (uintptr, error) {
	flags := int(int32(a[4]))
	if flags&^(unix.AT_SYMLINK_NOFOLLOW|unix.AT_EMPTY_PATH) != 0 {
		return 0, unix.EINVAL
	}
	return chown(t, fdArg(a[0]), a[1], a[2], a[3], flags)
}

func chown(t *proc.Task, dirfd int32, path, uid, gid uint64, flags int) (uintptr, error) {
	p, err := pathArg(t, path)
	if err != nil {
		return 0, err
	}
	return 0, t.FSContext().Chown(dirfd, p, uint32(uid), uint32(gid), flags)
}

// Bounds of time stamps: what fits into nanoseconds since 1970 in 64 bits.
const (
	minStamp = -9223372036
	maxStamp = 9223372035
)

// stamp converts seconds and nanoseconds, cutting to what can be kept.
func stamp(sec, nsec int64) int64 {
	return max(minStamp, min(maxStamp, sec))*1e9 + nsec
}

func sysUtimensat(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	flags := int(int32(a[3]))
	var times *[2]fs.TimeSpec
	if a[2] != 0 {
		var raw [2]unix.Timespec
		if err := ctx.AS.CopyIn(structBytes(&raw), a[2]); err != nil {
			return 0, err
		}
		times = new([2]fs.TimeSpec)
		for i, r := range raw {
			switch {
			case r.Nsec == unix.UTIME_NOW:
				times[i].Now = true
			case r.Nsec == unix.UTIME_OMIT:
				times[i].Omit = true
			case r.Nsec < 0 || r.Nsec > 999999999:
				return 0, unix.EINVAL
			default:
				times[i].NS = stamp(r.Sec, r.Nsec)
			}
		}
		if times[0].Omit && times[1].Omit {
			return 0, nil
		}
	}
	if flags&^(unix.AT_SYMLINK_NOFOLLOW|unix.AT_EMPTY_PATH) != 0 {
		return 0, unix.EINVAL
	}
	if a[1] == 0 && fdArg(a[0]) != atCwd {
		if flags != 0 {
			return 0, unix.EINVAL
		}
		return 0, ctx.Futimens(fdArg(a[0]), times)
	}
	p, err := pathArg(t, a[1])
	if err != nil {
		return 0, err
	}
	return 0, ctx.Utimens(fdArg(a[0]), p, times, flags)
}

func sysUtimes(t *proc.Task, a *Args) (uintptr, error)    { return utimes(t, atCwd, a[0], a[1]) }
func sysFutimesat(t *proc.Task, a *Args) (uintptr, error) { return utimes(t, fdArg(a[0]), a[1], a[2]) }

func utimes(t *proc.Task, dirfd int32, path, tv uint64) (uintptr, error) {
	ctx := t.FSContext()
	var times *[2]fs.TimeSpec
	if tv != 0 {
		var raw [2]unix.Timeval
		if err := ctx.AS.CopyIn(structBytes(&raw), tv); err != nil {
			return 0, err
		}
		times = new([2]fs.TimeSpec)
		for i, r := range raw {
			if r.Usec < 0 || r.Usec > 999999 {
				return 0, unix.EINVAL
			}
			times[i].NS = stamp(r.Sec, r.Usec*1000)
		}
	}
	if path == 0 && dirfd != atCwd {
		return 0, ctx.Futimens(dirfd, times)
	}
	p, err := pathArg(t, path)
	if err != nil {
		return 0, err
	}
	return 0, ctx.Utimens(dirfd, p, times, 0)
}

func sysUtime(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	var times *[2]fs.TimeSpec
	if a[1] != 0 {
		var raw [2]int64 // struct utimbuf
		if err := ctx.AS.CopyIn(structBytes(&raw), a[1]); err != nil {
			return 0, err
		}
		times = &[2]fs.TimeSpec{{NS: stamp(raw[0], 0)}, {NS: stamp(raw[1], 0)}}
	}
	p, err := pathArg(t, a[0])
	if err != nil {
		return 0, err
	}
	return 0, ctx.Utimens(atCwd, p, times, 0)
}

// putStatfs copies r to the struct statfs at addr.
func putStatfs(t *proc.Task, addr uint64, r *fs.StatfsResult) error {
	out := unix.Statfs_t{
		Type: r.Type, Bsize: r.BlockSize, Blocks: r.Blocks, Bfree: r.BlocksFree, Bavail: r.BlocksAvail,
		Files: r.Files, Ffree: r.FilesFree, Namelen: fs.NameMax, Frsize: r.BlockSize, Flags: r.Flags,
		Fsid: unix.Fsid{Val: [2]int32{int32(r.Fsid), int32(r.Fsid >> 32)}},
	}
	return t.AS.CopyOut(addr, structBytes(&out))
}

func sysStatfs(t *proc.Task, a *Args) (uintptr, error) {
	p, err := pathArg(t, a[0])
	if err != nil {
		return 0, err
	}
	r, err := t.FSContext().Statfs(p)
	if err != nil {
		return 0, err
	}
	return 0, putStatfs(t, a[1], &r)
}

func sysFstatfs(t *proc.Task, a *Args) (uintptr, error) {
	r, err := t.FSContext().Fstatfs(fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	return 0, putStatfs(t, a[1], &r)
}

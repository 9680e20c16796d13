package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/proc"
)

func sysOpen(t *proc.Task, a *Args) (uintptr, error) {
	return open(t, atCwd, a[0], &fs.OpenHow{Flags: openFlags(a[1]), Mode: uint32(a[2]) & 0o7777})
}

func sysOpenat(t *proc.Task, a *Args) (uintptr, error) {
	return open(t, fdArg(a[0]), a[1], &fs.OpenHow{Flags: openFlags(a[2]), Mode: uint32(a[3]) & 0o7777})
}

func sysCreat(t *proc.Task, a *Args) (uintptr, error) {
	return open(t, atCwd, a[0], &fs.OpenHow{Flags: openFlags(unix.O_CREAT | unix.O_WRONLY | unix.O_TRUNC), Mode: uint32(a[1]) & 0o7777})
}

// openFlags keeps the flags that open(2) knows; 64-bit programs always have O_LARGEFILE.
func openFlags(v uint64) int { return int(int32(v)) & fs.OpenFlags }

// open opens and installs a descriptor. The number is reserved first, so that
// nothing is created when there is none (EMFILE).
func open(t *proc.Task, dirfd int32, path uint64, how *fs.OpenHow) (uintptr, error) {
	p, err := pathArg(t, path)
	if err != nil {
		return 0, err
	}
	ctx := t.FSContext()
	fd, err := ctx.Files.Reserve(ctx.Limits.NoFile.Load())
	if err != nil {
		return 0, err
	}
	f, err := ctx.OpenHow(dirfd, p, how)
	if err != nil {
		ctx.Files.Release(fd)
		return 0, err
	}
	ctx.Files.Fill(fd, f, how.Flags&unix.O_CLOEXEC != 0)
	return uintptr(fd), nil
}

// Sizes of struct open_how (linux/openat2.h).
const (
	openHowSize    = 24
	openHowSizeMax = 4096
)

// resolveCached is RESOLVE_CACHED (linux/openat2.h).
const resolveCached = 0x20

// resolveFlags pairs RESOLVE_* with what package fs calls them.
var resolveFlags = [...]struct {
	abi uint64
	fs  int
}{
	{unix.RESOLVE_NO_XDEV, fs.LookupNoXdev},
	{unix.RESOLVE_NO_MAGICLINKS, fs.LookupNoMagic},
	{unix.RESOLVE_NO_SYMLINKS, fs.LookupNoSymlink | fs.LookupNoMagic},
	{unix.RESOLVE_BENEATH, fs.LookupBeneath},
	{unix.RESOLVE_IN_ROOT, fs.LookupInRoot},
	{resolveCached, fs.LookupCached},
}

func sysOpenat2(t *proc.Task, a *Args) (uintptr, error) {
	size := a[3]
	if size < openHowSize {
		return 0, unix.EINVAL
	}
	if size > openHowSizeMax {
		return 0, unix.E2BIG
	}
	ctx := t.FSContext()
	raw := make([]byte, size)
	if err := ctx.AS.CopyIn(raw, a[2]); err != nil {
		return 0, err
	}
	for _, b := range raw[openHowSize:] {
		if b != 0 {
			return 0, unix.E2BIG
		}
	}
	flags := binary.LittleEndian.Uint64(raw)
	mode := binary.LittleEndian.Uint64(raw[8:])
	resolve := binary.LittleEndian.Uint64(raw[16:])
	if flags&^uint64(fs.OpenFlags) != 0 || mode&^0o7777 != 0 {
		return 0, unix.EINVAL
	}
	if mode != 0 && flags&unix.O_CREAT == 0 && flags&unix.O_TMPFILE != unix.O_TMPFILE {
		return 0, unix.EINVAL
	}
	if flags&unix.O_PATH != 0 && flags&^(unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC) != 0 {
		return 0, unix.EINVAL
	}
	if resolve&(unix.RESOLVE_BENEATH|unix.RESOLVE_IN_ROOT) == unix.RESOLVE_BENEATH|unix.RESOLVE_IN_ROOT {
		return 0, unix.EINVAL
	}
	how := &fs.OpenHow{Flags: int(flags), Mode: uint32(mode)}
	for _, r := range resolveFlags {
		if resolve&r.abi != 0 {
			how.Resolve |= r.fs
			resolve &^= r.abi
		}
	}
	if resolve != 0 {
		return 0, unix.EINVAL
	}
	return open(t, fdArg(a[0]), a[1], how)
}

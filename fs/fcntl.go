package fs

import (
	"math"

	"golang.org/x/sys/unix"
)

// setfl are the flags that F_SETFL changes (SETFL_MASK, fs/fcntl.c).
const setfl = unix.O_APPEND | unix.O_NONBLOCK | fasync | unix.O_DIRECT | unix.O_NOATIME

// SetStatusFlags is F_SETFL.
func (ctx *Context) SetStatusFlags(f *File, flags int) error {
	old := f.Flags()
	if flags&unix.O_NOATIME != 0 && old&unix.O_NOATIME == 0 && !ctx.isOwner(f.inode.Base()) {
		return unix.EPERM
	}
	if _, pipe := f.ops.(*pipeEnd); flags&unix.O_DIRECT != 0 && !pipe {
		return unix.EINVAL
	}
	if s, ok := f.ops.(FlagSetter); ok {
		if err := s.SetFlags(ctx, f, old, old&^setfl|flags&setfl); err != nil {
			return err
		}
	}
	for {
		old := f.flags.Load()
		if f.flags.CompareAndSwap(old, old&^setfl|uint32(flags&setfl)) {
			return nil
		}
	}
}

// Owner returns F_GETOWN's and F_GETSIG's answers.
func (f *File) Owner() (id, sig int32) { return f.owner.id.Load(), f.owner.sig.Load() }

// SetOwner is F_SETOWN: a process, or a process group when negative.
func (f *File) SetOwner(id int32) { f.owner.id.Store(id) }

// SetOwnerSignal is F_SETSIG.
func (f *File) SetOwnerSignal(sig int32) error {
	if sig < 0 || sig > 64 {
		return unix.EINVAL
	}
	f.owner.sig.Store(sig)
	return nil
}

// Seals is F_GET_SEALS.
func (f *File) Seals() (uint32, error) {
	s, ok := f.inode.(Sealer)
	if !ok {
		return 0, unix.EINVAL
	}
	return s.Seals()
}

// allSeals are the seals there are (linux/fcntl.h).
const allSeals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_FUTURE_WRITE

// AddSeals is F_ADD_SEALS.
func (f *File) AddSeals(seals uint32) error {
	if f.mode&ModeWrite == 0 {
		return unix.EPERM
	}
	if seals&^allSeals != 0 {
		return unix.EINVAL
	}
	s, ok := f.inode.(Sealer)
	if !ok {
		return unix.EINVAL
	}
	return s.AddSeals(seals)
}

// Fallocate is fallocate(2).
func (ctx *Context) Fallocate(f *File, mode uint32, off, n int64) error {
	if off < 0 || n <= 0 {
		return unix.EINVAL
	}
	const known = unix.FALLOC_FL_KEEP_SIZE | unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_COLLAPSE_RANGE |
		unix.FALLOC_FL_ZERO_RANGE | unix.FALLOC_FL_INSERT_RANGE | unix.FALLOC_FL_UNSHARE_RANGE
	if mode&^known != 0 {
		return unix.EOPNOTSUPP
	}
	if mode&unix.FALLOC_FL_PUNCH_HOLE != 0 && mode&unix.FALLOC_FL_KEEP_SIZE == 0 {
		return unix.EOPNOTSUPP
	}
	if f.mode&ModeWrite == 0 {
		return unix.EBADF
	}
	switch b := f.inode.Base(); {
	case b.Type() == unix.S_IFIFO:
		return unix.ESPIPE
	case b.IsDir():
		return unix.EISDIR
	case !b.IsRegular():
		return unix.ENODEV
	}
	if off > math.MaxInt64-n || off+n > MaxFileSize {
		return unix.EFBIG
	}
	a, ok := f.ops.(Allocator)
	if !ok {
		return unix.EOPNOTSUPP
	}
	return a.Fallocate(ctx, f, mode, off, n)
}

// Requests that every file answers (asm-generic/ioctls.h).
const (
	fionclex = 0x5450
	fioclex  = 0x5451
	fionbio  = 0x5421
	fioasync = 0x5452
	fioqsize = 0x5460
	fionread = 0x541b
)

// Ioctl is ioctl(2) on descriptor fd.
func (ctx *Context) Ioctl(fd int32, cmd uint32, arg uint64) (uintptr, error) {
	f, err := ctx.Files.Get(fd)
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	switch cmd {
	case fioclex, fionclex:
		return 0, ctx.Files.SetCloseOnExec(fd, cmd == fioclex)
	case fionbio, fioasync:
		on, err := ctx.AS.Read32(arg)
		if err != nil {
			return 0, err
		}
		bit := unix.O_NONBLOCK
		if cmd == fioasync {
			bit = fasync
		}
		flags := f.Flags() & setfl &^ bit
		if on != 0 {
			flags |= bit
		}
		return 0, ctx.SetStatusFlags(f, flags)
	case fionread, fioqsize:
		b := f.inode.Base()
		var st Attr
		if !b.IsRegular() && !(cmd == fioqsize && b.IsDir()) {
			break
		}
		if err := f.inode.Stat(ctx, &st); err != nil {
			return 0, err
		}
		if cmd == fioqsize {
			return 0, ctx.AS.Write64(arg, uint64(st.Size))
		}
		f.posMu.Lock()
		left := st.Size - f.pos
		f.posMu.Unlock()
		return 0, ctx.AS.Write32(arg, uint32(int32(left)))
	}
	return f.ops.Ioctl(ctx, f, cmd, arg)
}

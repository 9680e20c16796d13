package fs

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/mm"
)

// FileMode tells what an open file may do; fixed when it is opened.
type FileMode uint32

// The bits of a FileMode.
const (
	ModeRead   FileMode = 1 << iota
	ModeWrite           // writing allowed
	ModePath            // O_PATH: only a name
	ModeStream          // no position: reads and writes are not serialised, lseek gives ESPIPE
	ModeNoPos           // a position without a meaning, always 0: not serialised either
	ModeExec            // opened for execution: writers get ETXTBSY meanwhile
	modeWriter          // counted in InodeBase.writers
	ModePoll            // has wait queues: epoll accepts it
	modeNoLink          // O_TMPFILE with O_EXCL: cannot be given a name
)

// FileOps is what an open file does. Implementations embed [BaseOps] for the
// calls they do not have. Every method may be called by several tasks at once.
type FileOps interface {
	// Read moves data into it from position *pos and advances *pos. 0, nil is the
	// end of the file. For files with ModeStream pos is to be ignored. Interrupted
	// with nothing moved: wait.ErrRestartSys.
	Read(ctx *Context, f *File, it *mm.Iter, pos *int64) (int, error)
	// Write takes data from it.
	Write(ctx *Context, f *File, it *mm.Iter, pos *int64) (int, error)
	// Seek returns the new position for lseek(2); called with the position locked;
	// f.Pos() is the present one. The caller stores the result.
	Seek(ctx *Context, f *File, off int64, whence int) (int64, error)
	// Readdir emits names from d.Pos on until d.Emit returns false.
	Readdir(ctx *Context, f *File, d *DirContext) error
	// Poll returns the POLL* events that hold now and, when pt is not nil, adds
	// the queues that will be woken when that changes.
	Poll(f *File, pt *wait.PollTable) uint32
	// Ioctl: ENOTTY for requests it does not know. arg is the caller's word, often a user address in ctx.AS.
	Ioctl(ctx *Context, f *File, cmd uint32, arg uint64) (uintptr, error)
	// Mmap returns the object that a mapping of this file maps; access rights have been checked.
	Mmap(ctx *Context, f *File, m *MmapRequest) (*mm.Object, error)
	Fsync(ctx *Context, f *File, dataOnly bool) error
	// Release is called once, when the last reference to f is dropped.
	Release(f *File)
}

// MmapRequest is what a mapping asks of a file. The file may change Offset (to
// map a different place of the object) and set Special fields.
type MmapRequest struct {
	Offset int64 // bytes
	Len    uint64
	Prot   int // PROT_*
	Shared bool
}

// Flusher is a FileOps that wants to know of each close(2) of a descriptor.
type Flusher interface {
	Flush(ctx *Context, f *File) error
}

// Allocator is a FileOps with fallocate(2).
type Allocator interface {
	Fallocate(ctx *Context, f *File, mode uint32, off, n int64) error
}

// FlagSetter is a FileOps that wants to approve or learn changed status flags (F_SETFL).
type FlagSetter interface {
	SetFlags(ctx *Context, f *File, old, new int) error
}

// BaseOps is a FileOps that can do nothing; embed it.
type BaseOps struct{}

// Read implements FileOps.
func (BaseOps) Read(*Context, *File, *mm.Iter, *int64) (int, error) { return 0, unix.EINVAL }

// Write implements FileOps.
func (BaseOps) Write(*Context, *File, *mm.Iter, *int64) (int, error) { return 0, unix.EINVAL }

// Seek implements FileOps.
func (BaseOps) Seek(*Context, *File, int64, int) (int64, error) { return 0, unix.ESPIPE }

// Readdir implements FileOps.
func (BaseOps) Readdir(*Context, *File, *DirContext) error { return unix.ENOTDIR }

// Poll implements FileOps: always ready.
func (BaseOps) Poll(*File, *wait.PollTable) uint32 { return PollDefault }

// Ioctl implements FileOps.
func (BaseOps) Ioctl(*Context, *File, uint32, uint64) (uintptr, error) { return 0, unix.ENOTTY }

// Mmap implements FileOps.
func (BaseOps) Mmap(*Context, *File, *MmapRequest) (*mm.Object, error) { return nil, unix.ENODEV }

// Fsync implements FileOps.
func (BaseOps) Fsync(*Context, *File, bool) error { return unix.EINVAL }

// Release implements FileOps.
func (BaseOps) Release(*File) {}

// PollDefault is what poll says of files that never block.
const PollDefault = unix.POLLIN | unix.POLLOUT | PollRDNorm | PollWRNorm

// POLL* bits that x/sys/unix lacks (asm-generic/poll.h, linux/eventpoll.h).
const (
	PollRDNorm = 0x40
	PollRDBand = 0x80
	PollWRNorm = 0x100
	PollWRBand = 0x200
	PollMsg    = 0x400
	PollFree   = 0x4000
)

// File is an open file description: what open(2) makes and dup(2) and fork(2) share.
type File struct {
	refs  atomic.Int64
	flags atomic.Uint32 // O_* access mode and status flags

	path  Path     // immutable; holds the mount
	inode Inode    // immutable; holds the inode
	ops   FileOps  // set once before the file is published
	mode  FileMode // immutable after open

	posMu sync.Mutex // guards pos across a whole read, write, lseek or getdents
	pos   int64

	owner fileOwner // F_SETOWN, F_SETSIG

	epMu sync.Mutex // guards eps
	eps  []*epItem  // epoll registrations of this file
	priv any
}

// Path returns where the file was opened.
func (f *File) Path() Path { return f.path }

// Inode returns the opened inode.
func (f *File) Inode() Inode { return f.inode }

// Ops returns the operations.
func (f *File) Ops() FileOps { return f.ops }

// Mode returns what the file may do.
func (f *File) Mode() FileMode { return f.mode }

// AddMode sets bits of the mode; only from Inode.Open or a device's open function.
func (f *File) AddMode(m FileMode) { f.mode |= m }

// Flags returns the O_* access mode and status flags.
func (f *File) Flags() int { return int(f.flags.Load()) }

// SetFlags replaces the flags; only from Inode.Open or a device's open function.
func (f *File) SetFlags(flags int) { f.flags.Store(uint32(flags)) }

// Nonblock reports whether O_NONBLOCK is set.
func (f *File) Nonblock() bool { return f.flags.Load()&unix.O_NONBLOCK != 0 }

// Pos returns the position; only valid where the position is locked.
func (f *File) Pos() int64 { return f.pos }

// Private and SetPrivate hold something for the FileOps that share one value between files.
func (f *File) Private() any { return f.priv }

// SetPrivate stores what Private returns; only before the file is published.
func (f *File) SetPrivate(v any) { f.priv = v }

// Ref adds a reference to a file that the caller holds already.
func (f *File) Ref() *File { f.refs.Add(1); return f }

// Refs returns the number of references, for the collection of sockets in flight.
func (f *File) Refs() int64 { return f.refs.Load() }

// tryRef adds a reference unless the file is being released.
func (f *File) tryRef() bool {
	for {
		r := f.refs.Load()
		if r <= 0 {
			return false
		}
		if f.refs.CompareAndSwap(r, r+1) {
			return true
		}
	}
}

// Unref drops a reference; the last one closes the file.
func (f *File) Unref() {
	if f.refs.Add(-1) == 0 {
		f.release()
	}
}

// unrefLater is Unref for a caller that holds locks which closing a file takes.
func (f *File) unrefLater() {
	if f.refs.Add(-1) == 0 {
		go f.release()
	}
}

// Sealer is an inode that takes seals (F_ADD_SEALS, memfd_create(2)).
type Sealer interface {
	Seals() (uint32, error)
	AddSeals(seals uint32) error
}

package fs

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Inode is one object of a file system. A file system embeds [InodeBase], which
// implements every method with the errno that is right for an object that
// cannot do it, and overrides what it can.
//
// Locking: the VFS calls Create, Mkdir, Mknod, Symlink, Link, Unlink, Rmdir and
// Rename with Base().mu of every directory involved held for writing, and Lookup
// with it held at least for reading, after checking permissions, existence and
// types. A new name (of Create, Mkdir, Mknod, Symlink, Link, Rename) may be
// kept; other names, and a symbolic link's text, may point into scratch memory.
type Inode interface {
	// Base returns the part every inode has.
	Base() *InodeBase

	// Stat fills in what stat(2) shows. InodeBase's own suffices for most.
	Stat(ctx *Context, st *Attr) error
	// SetAttr changes attributes; permissions have been checked.
	SetAttr(ctx *Context, set *SetAttr) error

	// Lookup finds a name in this directory: ENOENT when there is none.
	Lookup(ctx *Context, name string) (Inode, error)
	// Create makes a regular file, with link count 1. mode has type and permission bits.
	Create(ctx *Context, name string, mode uint32) (Inode, error)
	Mkdir(ctx *Context, name string, mode uint32) (Inode, error)
	// Mknod makes a device node, FIFO or socket.
	Mknod(ctx *Context, name string, mode uint32, rdev uint64) (Inode, error)
	Symlink(ctx *Context, name, target string) (Inode, error)
	Link(ctx *Context, name string, target Inode) error
	Unlink(ctx *Context, name string, victim Inode) error
	Rmdir(ctx *Context, name string, victim Inode) error
	// Rename moves oldName here to newName in newDir. target is what newName names
	// now, or nil. flags may hold RENAME_EXCHANGE (then target is not nil).
	Rename(ctx *Context, oldName string, newDir Inode, newName string, target Inode, flags uint) error
	// Tmpfile makes a regular file without a name (O_TMPFILE), with link count 0.
	Tmpfile(ctx *Context, mode uint32) (Inode, error)

	// Readlink returns a symbolic link's text.
	Readlink(ctx *Context) (string, error)

	// Open returns the operations for a new open file f of this regular file or
	// directory (devices and FIFOs never come here).
	Open(ctx *Context, f *File) (FileOps, error)

	Getxattr(ctx *Context, name string) ([]byte, error)
	// Setxattr sets an attribute; flags are XATTR_CREATE and XATTR_REPLACE.
	Setxattr(ctx *Context, name string, value []byte, flags int) error
	Removexattr(ctx *Context, name string) error
	Listxattr(ctx *Context) ([]string, error)

	// Evict gives back what the inode holds outside Go's heap. Called once, when
	// it has neither names nor open files.
	Evict()
}

// Magic is an inode whose symbolic link jumps straight to an object instead of
// being read as text (/proc/PID/exe, /proc/PID/fd/N).
type Magic interface {
	// FollowLink returns where the link leads.
	FollowLink(ctx *Context) (Path, error)
}

// Revalidator is an inode of a file system whose names come and go by
// themselves (procfs): a cached name is used only while Revalidate is true.
// Called on every walk over the name: it must be cheap and must not sleep.
type Revalidator interface {
	Revalidate(ctx *Context, name string) bool
}

// Uncached is a directory inode whose names are not to be cached at all, neither
// found nor missing.
type Uncached interface{ NoNameCache() }

// Transient is an inode whose name is not remembered: the next lookup makes it
// anew (/proc/PID, of which there would be one for every process that ever was).
type Transient interface{ Transient() }

// Attr is what statx(2) shows of an inode. Times are nanoseconds since 1970.
type Attr struct {
	Dev, Ino                   uint64
	Mode                       uint32 // S_IFMT and permission bits
	Nlink, UID, GID            uint32
	Rdev                       uint64
	Size                       int64
	BlockSize                  int64 // preferred I/O size
	Blocks                     int64 // 512-byte units
	Atime, Mtime, Ctime, Btime int64
	MountID                    int
	MountRoot                  bool
}

// SetAttr is a change of attributes: only the fields named in Valid.
type SetAttr struct {
	Valid               SetMask
	Mode                uint32 // permission bits (07777)
	UID, GID            uint32
	Size                int64
	Atime, Mtime, Ctime int64 // nanoseconds since 1970
	File                *File // ftruncate: the open file
}

// SetMask tells which fields of a SetAttr count.
type SetMask uint32

// The fields of a SetAttr.
const (
	SetMode SetMask = 1 << iota
	SetUID
	SetGID
	SetSize
	SetAtime
	SetMtime
	SetCtime
)

// InodeBase is what the VFS keeps of every inode. Attributes are single atomic
// words, so that path walks check permissions without a lock.
type InodeBase struct {
	Super *SuperBlock // immutable
	Ino   uint64      // immutable
	Rdev  uint64      // device number of a device node (unix.Mkdev); immutable

	mode  atomic.Uint32
	uid   atomic.Uint32
	gid   atomic.Uint32
	nlink atomic.Uint32
	size  atomic.Int64
	atime atomic.Int64
	mtime atomic.Int64
	ctime atomic.Int64
	btime int64 // immutable

	// mu is the inode lock (Linux: i_rwsem). Directory: guards its names. Regular
	// file: serialises writes, truncation, and size changes. See doc.go for the order.
	mu sync.RWMutex

	refs    atomic.Int64 // open files; evictedRef once evicted
	writers atomic.Int32 // open for writing; below zero: executed, writing denied

	locks atomic.Pointer[lockList] // record locks and flocks, made on first use
	fifo  atomic.Pointer[pipe]     // S_IFIFO: the pipe while somebody has it open
	small sync.Mutex               // guards making and dropping fifo, and making box; a leaf but for pipe.mu

	boxed atomic.Bool // box is made
	box   inodeBox    // see boxOf
}

const evictedRef = -1 << 40

// Init sets up a new inode: type and permissions in mode, owner, times now, link
// count 1 (2 for a directory).
func (b *InodeBase) Init(sb *SuperBlock, ino uint64, mode, uid, gid uint32) {
	b.Super, b.Ino = sb, ino
	b.mode.Store(mode)
	b.uid.Store(uid)
	b.gid.Store(gid)
	b.nlink.Store(1)
	if mode&unix.S_IFMT == unix.S_IFDIR {
		b.nlink.Store(2)
	}
	now := Now()
	b.btime = now
	b.atime.Store(now)
	b.mtime.Store(now)
	b.ctime.Store(now)
}

// Base implements Inode.
func (b *InodeBase) Base() *InodeBase { return b }

// Mode returns type and permission bits.
func (b *InodeBase) Mode() uint32 { return b.mode.Load() }

// Type returns the S_IFMT bits.
func (b *InodeBase) Type() uint32 { return b.mode.Load() & unix.S_IFMT }

// IsDir reports whether the inode is a directory.
func (b *InodeBase) IsDir() bool { return b.Type() == unix.S_IFDIR }

// IsRegular reports whether the inode is a regular file.
func (b *InodeBase) IsRegular() bool { return b.Type() == unix.S_IFREG }

// UID returns the owner.
func (b *InodeBase) UID() uint32 { return b.uid.Load() }

// GID returns the group.
func (b *InodeBase) GID() uint32 { return b.gid.Load() }

// SetOwner replaces mode's permission bits and the owner without any check (for
// file systems whose attributes follow something else, such as procfs).
func (b *InodeBase) SetOwner(perm, uid, gid uint32) {
	b.mode.Store(b.Type() | perm&0o7777)
	b.uid.Store(uid)
	b.gid.Store(gid)
}

// Nlink returns the link count.
func (b *InodeBase) Nlink() uint32 { return b.nlink.Load() }

// SetNlink sets the link count.
func (b *InodeBase) SetNlink(n uint32) { b.nlink.Store(n) }

// AddNlink changes the link count and returns the new one.
func (b *InodeBase) AddNlink(d int32) uint32 { return b.nlink.Add(uint32(d)) }

// Size returns the size in bytes.
func (b *InodeBase) Size() int64 { return b.size.Load() }

// StoreSize sets the size in bytes.
func (b *InodeBase) StoreSize(n int64) { b.size.Store(n) }

// Lock, Unlock, RLock and RUnlock take the inode lock (see mu).
func (b *InodeBase) Lock() { b.mu.Lock() }

// Unlock releases Lock.
func (b *InodeBase) Unlock() { b.mu.Unlock() }

// RLock takes the inode lock for reading.
func (b *InodeBase) RLock() { b.mu.RLock() }

// RUnlock releases RLock.
func (b *InodeBase) RUnlock() { b.mu.RUnlock() }

// Touch sets modification and change time to now: the content changed.
func (b *InodeBase) Touch() {
	now := Now()
	b.mtime.Store(now)
	b.ctime.Store(now)
}

// TouchChange sets the change time to now: an attribute changed.
func (b *InodeBase) TouchChange() { b.ctime.Store(Now()) }

// Times returns access, modification, change and birth time in nanoseconds since 1970.
func (b *InodeBase) Times() (atime, mtime, ctime, btime int64) {
	return b.atime.Load(), b.mtime.Load(), b.ctime.Load(), b.btime
}

// SetTimes sets access and modification time without any check.
func (b *InodeBase) SetTimes(atime, mtime int64) { b.atime.Store(atime); b.mtime.Store(mtime) }

// Stat implements Inode with the attributes kept here.
func (b *InodeBase) Stat(ctx *Context, st *Attr) error {
	b.FillAttr(st)
	return nil
}

// FillAttr stores the attributes kept here into st.
func (b *InodeBase) FillAttr(st *Attr) {
	size := b.Size()
	st.Dev = 0
	if b.Super != nil {
		st.Dev = b.Super.Dev
	}
	st.Ino, st.Rdev = b.Ino, b.Rdev
	st.Mode, st.Nlink, st.UID, st.GID = b.Mode(), b.Nlink(), b.UID(), b.GID()
	st.Size, st.BlockSize, st.Blocks = size, 4096, (size+511)>>9
	st.Atime, st.Mtime, st.Ctime, st.Btime = b.atime.Load(), b.mtime.Load(), b.ctime.Load(), b.btime
	st.MountID, st.MountRoot = 0, false
}

// SetAttr implements Inode for everything but the size.
func (b *InodeBase) SetAttr(ctx *Context, set *SetAttr) error {
	if set.Valid&SetSize != 0 {
		return unix.EINVAL
	}
	b.ApplyAttr(set)
	return nil
}

// ApplyAttr stores all of set but the size.
func (b *InodeBase) ApplyAttr(set *SetAttr) {
	if set.Valid&SetMode != 0 {
		b.mode.Store(b.Type() | set.Mode&0o7777)
	}
	if set.Valid&SetUID != 0 {
		b.uid.Store(set.UID)
	}
	if set.Valid&SetGID != 0 {
		b.gid.Store(set.GID)
	}
	if set.Valid&SetAtime != 0 {
		b.atime.Store(set.Atime)
	}
	if set.Valid&SetMtime != 0 {
		b.mtime.Store(set.Mtime)
	}
	if set.Valid&SetCtime != 0 {
		b.ctime.Store(set.Ctime)
	}
}

// The rest are the defaults: what an object answers that cannot do it.

// Lookup implements Inode.
func (b *InodeBase) Lookup(*Context, string) (Inode, error) { return nil, b.notDir(unix.ENOENT) }

// Create implements Inode.
func (b *InodeBase) Create(*Context, string, uint32) (Inode, error) {
	return nil, b.notDir(unix.EACCES)
}

// Mkdir implements Inode.
func (b *InodeBase) Mkdir(*Context, string, uint32) (Inode, error) { return nil, b.notDir(unix.EPERM) }

// Mknod implements Inode.
func (b *InodeBase) Mknod(*Context, string, uint32, uint64) (Inode, error) {
	return nil, b.notDir(unix.EPERM)
}

// Symlink implements Inode.
func (b *InodeBase) Symlink(*Context, string, string) (Inode, error) {
	return nil, b.notDir(unix.EPERM)
}

// Link implements Inode.
func (b *InodeBase) Link(*Context, string, Inode) error { return b.notDir(unix.EPERM) }

// Unlink implements Inode.
func (b *InodeBase) Unlink(*Context, string, Inode) error { return b.notDir(unix.EPERM) }

// Rmdir implements Inode.
func (b *InodeBase) Rmdir(*Context, string, Inode) error { return b.notDir(unix.EPERM) }

// Rename implements Inode.
func (b *InodeBase) Rename(*Context, string, Inode, string, Inode, uint) error {
	return b.notDir(unix.EPERM)
}

// Tmpfile implements Inode.
func (b *InodeBase) Tmpfile(*Context, uint32) (Inode, error) { return nil, b.notDir(unix.EOPNOTSUPP) }

// Readlink implements Inode.
func (b *InodeBase) Readlink(*Context) (string, error) { return "", unix.EINVAL }

// Open implements Inode.
func (b *InodeBase) Open(*Context, *File) (FileOps, error) { return nil, unix.ENXIO }

// Getxattr implements Inode.
func (b *InodeBase) Getxattr(*Context, string) ([]byte, error) { return nil, unix.EOPNOTSUPP }

// Setxattr implements Inode.
func (b *InodeBase) Setxattr(*Context, string, []byte, int) error { return unix.EOPNOTSUPP }

// Removexattr implements Inode.
func (b *InodeBase) Removexattr(*Context, string) error { return unix.EOPNOTSUPP }

// Listxattr implements Inode.
func (b *InodeBase) Listxattr(*Context) ([]string, error) { return nil, unix.EOPNOTSUPP }

// Evict implements Inode.
func (b *InodeBase) Evict() {}

func (b *InodeBase) notDir(errno unix.Errno) error {
	if !b.IsDir() {
		return unix.ENOTDIR
	}
	return errno
}

// open takes a reference for an open file; false when the inode is gone.
func (b *InodeBase) open() bool {
	for {
		r := b.refs.Load()
		if r < 0 {
			return false
		}
		if b.refs.CompareAndSwap(r, r+1) {
			return true
		}
	}
}

// release drops an open file's reference of ino and evicts it when it was the
// last and no name is left.
func release(ino Inode) {
	b := ino.Base()
	if b.refs.Add(-1) == 0 {
		evictIfDead(ino)
	}
}

// evictIfDead evicts ino if it has no names and no open files. Called after
// either count fell.
func evictIfDead(ino Inode) {
	b := ino.Base()
	if b.nlink.Load() == 0 && b.refs.CompareAndSwap(0, evictedRef) {
		ino.Evict()
	}
}

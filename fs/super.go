package fs

import (
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// FileSystem is a kind of file system that mount(2) can name.
type FileSystem struct {
	Name string
	// NeedsDevice: the source names a block device (shown without "nodev" in /proc/filesystems).
	NeedsDevice bool
	// Mount makes (or finds, for file systems with one instance) a super block.
	// data is mount(2)'s option string.
	Mount func(ctx *Context, source string, flags uint64, data string) (*SuperBlock, error)
}

var fileSystems struct {
	mu sync.RWMutex // guards m; leaf
	m  map[string]*FileSystem
}

// RegisterFileSystem makes a kind of file system known to mount(2).
func RegisterFileSystem(t *FileSystem) {
	fileSystems.mu.Lock()
	defer fileSystems.mu.Unlock()
	if fileSystems.m == nil {
		fileSystems.m = make(map[string]*FileSystem)
	}
	fileSystems.m[t.Name] = t
}

// FileSystemByName returns the kind of that name, or nil.
func FileSystemByName(name string) *FileSystem {
	fileSystems.mu.RLock()
	defer fileSystems.mu.RUnlock()
	return fileSystems.m[name]
}

// FileSystems returns the text of /proc/filesystems.
func FileSystems() string {
	fileSystems.mu.RLock()
	defer fileSystems.mu.RUnlock()
	names := make([]string, 0, len(fileSystems.m))
	for n, t := range fileSystems.m {
		if t.NeedsDevice {
			names = append(names, "\t"+n)
		} else {
			names = append(names, "nodev\t"+n)
		}
	}
	sort.Strings(names)
	if len(names) == 0 {
		return ""
	}
	return strings.Join(names, "\n") + "\n"
}

// SuperOps is what a file system as a whole can do. Embed [BaseSuper].
type SuperOps interface {
	Statfs(st *Statfs) error
	Sync() error
	// Remount applies mount(2)'s MS_REMOUNT options.
	Remount(ctx *Context, flags uint64, data string) error
	// Options returns the options for /proc/mounts, each with a leading comma (",size=4k").
	Options() string
	// Kill is called when the last mount of the super block is gone.
	Kill()
}

// Statfs is what statfs(2) shows of a file system; the VFS fills in type and flags.
type Statfs struct {
	BlockSize                       int64
	Blocks, BlocksFree, BlocksAvail uint64
	Files, FilesFree                uint64
}

// BaseSuper is a SuperOps without anything to do.
type BaseSuper struct{}

// Statfs implements SuperOps.
func (BaseSuper) Statfs(st *Statfs) error { st.BlockSize = 4096; return nil }

// Sync implements SuperOps.
func (BaseSuper) Sync() error { return nil }

// Remount implements SuperOps.
func (BaseSuper) Remount(*Context, uint64, string) error { return nil }

// Options implements SuperOps.
func (BaseSuper) Options() string { return "" }

// Kill implements SuperOps.
func (BaseSuper) Kill() {}

// SuperBlock is one instance of a file system.
type SuperBlock struct {
	FSType string // name of the kind
	Magic  int64  // *_MAGIC of linux/magic.h
	Dev    uint64 // st_dev
	Ops    SuperOps

	root     *Dentry
	nextIno  atomic.Uint64
	flags    atomic.Uint64 // MS_RDONLY and the like that concern the whole instance
	active   atomic.Int64  // mounts that live
	keep     bool          // internal instance, never killed
	volatile bool          // names appear by themselves: do not remember that one is missing
	renameMu sync.RWMutex  // held for writing while a directory moves; for reading by d_path and ancestry checks
}

var nextAnonDev atomic.Uint32

// NewSuperBlock returns an instance with a new anonymous device number. root is
// set later with SetRoot, since inodes want the super block first.
func NewSuperBlock(fsType string, magic int64, ops SuperOps) *SuperBlock {
	sb := &SuperBlock{FSType: fsType, Magic: magic, Ops: ops}
	sb.Dev = unix.Mkdev(0, nextAnonDev.Add(1))
	return sb
}

// SetRoot gives the instance its root directory.
func (sb *SuperBlock) SetRoot(root Inode) {
	sb.root = NewDentry("/", root)
}

// Root returns the root's dentry.
func (sb *SuperBlock) Root() *Dentry { return sb.root }

// NextIno returns a fresh inode number, from 1 on.
func (sb *SuperBlock) NextIno() uint64 { return sb.nextIno.Add(1) }

// ReadOnly reports whether the whole instance is read-only.
func (sb *SuperBlock) ReadOnly() bool { return sb.flags.Load()&unix.MS_RDONLY != 0 }

// KeepAlive marks an instance that lives on without mounts (devfs, procfs: one
// instance, mounted any number of times).
func (sb *SuperBlock) KeepAlive() { sb.keep = true }

// SetVolatile marks an instance whose names appear by themselves (procfs): that
// a name is missing is not remembered.
func (sb *SuperBlock) SetVolatile() { sb.volatile = true }

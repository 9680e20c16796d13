package fs

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/mm"
)

// Limits are the resource limits (getrlimit(2)) that file calls look at. One
// Limits is shared by the threads of a process; package proc stores into it.
type Limits struct {
	FileSize atomic.Uint64 // RLIMIT_FSIZE, bytes
	NoFile   atomic.Uint64 // RLIMIT_NOFILE, descriptors
}

// NewLimits returns the limits of the first process: no file size limit, 1024 descriptors.
func NewLimits() *Limits {
	l := new(Limits)
	l.FileSize.Store(unix.RLIM_INFINITY)
	l.NoFile.Store(1024)
	return l
}

// Context is the file system as one task sees it. It belongs to that task's
// goroutine and is never used by two goroutines at once; the objects it points
// to may be shared. It is made once per task (it holds scratch memory that
// spares the calls below it from allocating).
type Context struct {
	Cred   *Cred            // current credentials, replaced by the owner only
	Thread *wait.Thread     // what sleeps when a call blocks
	FS     *FSInfo          // root, current directory, umask; shared under CLONE_FS
	Files  *FDTable         // descriptors; shared under CLONE_FILES
	AS     *mm.AddressSpace // where user pointers point
	Limits *Limits          // shared by the threads of a process
	PID    int32            // thread group id: owner of record locks in F_GETLK
	IO     IOCounts         // what it has read and written
	Task   any              // *proc.Task, for /proc/self and the controlling terminal

	// Signal sends sig to the calling task (SIGPIPE, SIGXFSZ). Never nil after NewContext.
	Signal func(sig unix.Signal)

	// Scratch, used by the owner's goroutine during one call.
	nd    nameidata
	Iter  mm.Iter // for the system call that is running; Iter2 for calls with two sides
	Iter2 mm.Iter
	pos   int64 // position of pread and friends
	pos2  int64
	// PathBuf holds the path names of the system call that runs, copied from user memory.
	PathBuf [2][]byte
	Attr    Attr       // of stat
	dir     DirContext // of getdents
	set     SetAttr    // of chmod, chown, utimensat, truncate

	spare *File // closed, for the next open

	pollTab *wait.PollTable // of poll and select; made at the first of them that may sleep
	pollFDs []PollFD        // see PollBuf
	word    [8]byte         // of eventfd and its like
	rwf     int             // RWF_* of the preadv2 or pwritev2 that runs
}

// NewContext returns a context with empty descriptor table, root credentials
// and the given root directory as root and current directory.
func NewContext(root Path, t *wait.Thread) *Context {
	return &Context{
		Cred:   RootCred(),
		Thread: t,
		FS:     NewFSInfo(root),
		Files:  NewFDTable(),
		Limits: NewLimits(),
		Signal: func(unix.Signal) {},
	}
}

// FSInfo is what CLONE_FS shares: root and current directory and the umask.
type FSInfo struct {
	refs  atomic.Int32
	umask atomic.Uint32

	dirs atomic.Pointer[fsDirs] // replaced under mu
	mu   sync.Mutex             // leaf but for the mounts' counters
}

// fsDirs is a root and a current directory, immutable: every walk loads it.
type fsDirs struct{ root, cwd Path }

// noDirs is what is left to an FSInfo without references.
var noDirs fsDirs

// NewFSInfo returns an FSInfo with one reference, root and current directory at
// root, and umask 022.
func NewFSInfo(root Path) *FSInfo {
	fi := new(FSInfo)
	fi.dirs.Store(&fsDirs{root, root})
	fi.refs.Store(1)
	fi.umask.Store(0o022)
	root.get()
	root.get()
	return fi
}

// Ref adds a reference (clone with CLONE_FS).
func (fi *FSInfo) Ref() *FSInfo { fi.refs.Add(1); return fi }

// Unref drops a reference; the last one lets go of root and current directory.
func (fi *FSInfo) Unref() {
	if fi.refs.Add(-1) != 0 {
		return
	}
	fi.mu.Lock()
	old := fi.dirs.Swap(&noDirs)
	fi.mu.Unlock()
	old.root.put()
	old.cwd.put()
}

// Shared reports whether more than one task uses fi.
func (fi *FSInfo) Shared() bool { return fi.refs.Load() > 1 }

// Fork returns an independent copy with one reference (clone without CLONE_FS, unshare).
func (fi *FSInfo) Fork() *FSInfo {
	n := new(FSInfo)
	fi.mu.Lock()
	dirs := fi.dirs.Load()
	dirs.root.get()
	dirs.cwd.get()
	fi.mu.Unlock()
	n.dirs.Store(dirs)
	n.refs.Store(1)
	n.umask.Store(fi.umask.Load())
	return n
}

// Umask returns the file mode creation mask.
func (fi *FSInfo) Umask() uint32 { return fi.umask.Load() }

// SetUmask sets the mask (its permission bits) and returns the old one: umask(2).
func (fi *FSInfo) SetUmask(m uint32) uint32 { return fi.umask.Swap(m & 0o777) }

// Root returns the root directory.
func (fi *FSInfo) Root() Path { return fi.dirs.Load().root }

// Cwd returns the current directory.
func (fi *FSInfo) Cwd() Path { return fi.dirs.Load().cwd }

// SetRoot replaces the root directory.
func (fi *FSInfo) SetRoot(p Path) { fi.change(func(d *fsDirs) *Path { return &d.root }, p) }

// SetCwd replaces the current directory.
func (fi *FSInfo) SetCwd(p Path) { fi.change(func(d *fsDirs) *Path { return &d.cwd }, p) }

func (fi *FSInfo) change(which func(*fsDirs) *Path, p Path) {
	p.get()
	fi.mu.Lock()
	dirs := *fi.dirs.Load()
	where := which(&dirs)
	old := *where
	*where = p
	fi.dirs.Store(&dirs)
	fi.mu.Unlock()
	old.put()
}

// replace moves root and current directory from old to p where they equal old
// (pivot_root(2) does this to every process).
func (fi *FSInfo) replace(old, p Path) {
	if fi.Root() == old {
		fi.SetRoot(p)
	}
	if fi.Cwd() == old {
		fi.SetCwd(p)
	}
}

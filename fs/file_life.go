package fs

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tamarix/mm"
)

// openFiles counts open file descriptions of the whole system (fs.file-nr).
var openFiles atomic.Int64

// fileMax is the highest number of them (fs.file-max): ENFILE for those without CAP_SYS_ADMIN.
var fileMax atomic.Int64

func init() { fileMax.Store(1 << 17) }

// FileCount returns the number of open file descriptions and its limit.
func FileCount() (n, limit int64) { return openFiles.Load(), fileMax.Load() }

// SetFileMax sets the limit (fs.file-max).
func SetFileMax(n int64) { fileMax.Store(n) }

// newFile returns a file at p with one reference and the mode bits that flags
// ask for. ENOENT when the inode is gone, ENFILE, ENOMEM.
func (ctx *Context) newFile(p Path, flags int) (*File, error) {
	ino := p.Inode()
	if openFiles.Add(1) > fileMax.Load() && !ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
		openFiles.Add(-1)
		return nil, unix.ENFILE
	}
	if !mm.Admit() {
		openFiles.Add(-1)
		return nil, unix.ENOMEM
	}
	if !ino.Base().open() {
		openFiles.Add(-1)
		return nil, unix.ENOENT
	}
	f := ctx.spare
	if f == nil {
		f = new(File)
	}
	ctx.spare = nil
	f.path, f.inode = p, ino
	f.flags.Store(uint32(flags &^ (unix.O_CREAT | unix.O_EXCL | unix.O_TRUNC | unix.O_CLOEXEC)))
	p.get()
	switch {
	case flags&unix.O_PATH != 0:
		f.mode = ModePath
	case flags&unix.O_ACCMODE == unix.O_RDONLY:
		f.mode = ModeRead
	case flags&unix.O_ACCMODE == unix.O_WRONLY:
		f.mode = ModeWrite
	case flags&unix.O_ACCMODE == unix.O_RDWR:
		f.mode = ModeRead | ModeWrite
	}
	f.refs.Store(1) // last: see recycle
	return f, nil
}

// recycle keeps f, which has been released, for the next file that this task
// opens: a program that opens and closes one file after the other leaves no
// garbage. Only files that nobody can know any more but a thread that is just
// looking at f's old descriptor: FDTable.get takes its reference first and
// then looks whether f is still there.
func (ctx *Context) recycle(f *File) {
	switch f.inode.Base().Type() {
	case unix.S_IFREG, unix.S_IFDIR:
	default:
		return
	}
	if f.eps != nil || f.priv != nil {
		return
	}
	f.path, f.inode, f.ops = Path{}, nil, nil
	f.mode, f.pos = 0, 0
	f.owner.id.Store(0)
	f.owner.sig.Store(0)
	ctx.spare = f
}

// release undoes newFile and tells the operations. Called once, by the last Unref.
func (f *File) release() {
	if len(f.eps) != 0 {
		epollFileGone(f)
	}
	if l := f.inode.Base().locks.Load(); l != nil {
		l.fileGone(f)
	}
	if f.ops != nil {
		f.ops.Release(f)
	}
	b := f.inode.Base()
	if f.mode&modeWriter != 0 {
		b.writers.Add(-1)
	}
	if f.mode&ModeExec != 0 {
		b.writers.Add(1)
	}
	release(f.inode)
	f.path.put()
	openFiles.Add(-1)
}

// closeFD is what closing one descriptor of table t does: flush, record locks
// of the process, and the descriptor's reference.
func (f *File) closeFD(ctx *Context, t *FDTable) error {
	var err error
	if f.mode&ModePath == 0 {
		if l := f.inode.Base().locks.Load(); l != nil {
			l.ownerGone(t)
		}
		if fl, ok := f.ops.(Flusher); ok {
			err = fl.Flush(ctx, f)
		}
	}
	if f.refs.Add(-1) == 0 {
		f.release()
		ctx.recycle(f)
	}
	return err
}

// MapRef implements mm.Backing.
func (f *File) MapRef() { f.Ref() }

// MapUnref implements mm.Backing.
func (f *File) MapUnref() { f.Unref() }

// MapInfo implements mm.Backing: what /proc/PID/maps shows.
func (f *File) MapInfo() (path string, dev, ino uint64) {
	b := f.inode.Base()
	if b.Super != nil {
		dev = b.Super.Dev
	}
	return f.path.String(), dev, b.Ino
}

package procfs

import (
	"sort"
	"strconv"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// fdDir is /proc/PID/fd, whose names are links to open files, or
// /proc/PID/fdinfo, whose names are texts about them.
type fdDir struct {
	dir
	links bool
}

func newFDDir(d *dir, e *entry) fs.Inode {
	n := &fdDir{dir{p: d.p, proc: d.proc}, e.name == "fd"}
	n.Init(d.p.sb, d.p.sb.NextIno(), e.mode, 0, 0)
	own(&n.InodeBase, d.proc)
	return n
}

// openFile returns descriptor fd of p with a new reference, or nil.
func openFile(ctx *fs.Context, p Process, fd int32) *fs.File {
	ft := p.Files()
	if ft == nil {
		return nil
	}
	defer ft.Unref(ctx)
	f, err := ft.GetRaw(fd)
	if err != nil {
		return nil
	}
	return f
}

// parseFD reads a descriptor number without leading zeros; -1 if name is none.
func parseFD(name string) int32 {
	n, err := strconv.ParseInt(name, 10, 32)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != name {
		return -1
	}
	return int32(n)
}

// Lookup implements fs.Inode.
func (n *fdDir) Lookup(ctx *fs.Context, name string) (fs.Inode, error) {
	if err := mayTrace(ctx, n.p.src, n.proc); err != nil {
		return nil, unix.ENOENT
	}
	fd := parseFD(name)
	if fd < 0 {
		return nil, unix.ENOENT
	}
	f := openFile(ctx, n.proc, fd)
	if f == nil {
		return nil, unix.ENOENT
	}
	defer f.Unref()
	if n.links {
		l := &fdLink{d: &n.dir, fd: fd}
		l.Init(n.p.sb, n.p.sb.NextIno(), unix.S_IFLNK|fdMode(f), 0, 0)
		own(&l.InodeBase, n.proc)
		return l, nil
	}
	e := entry{name: name, mode: unix.S_IFREG | 0o444}
	proc := n.proc
	return fdInfo{n.newFile(&e, func(*fs.Context, *fs.File) (fs.FileOps, error) {
		return &text{gen: func(ctx *fs.Context, w *writer) error { return fdText(ctx, w, proc, fd) }}, nil
	}).(*file)}, nil
}

// fdMode shows by its permission bits how a file is open.
func fdMode(f *fs.File) uint32 {
	mode := uint32(0)
	if f.Mode()&fs.ModeRead != 0 {
		mode |= 0o500
	}
	if f.Mode()&fs.ModeWrite != 0 {
		mode |= 0o300
	}
	return mode
}

// Open implements fs.Inode.
func (n *fdDir) Open(*fs.Context, *fs.File) (fs.FileOps, error) {
	return &fdDirFile{dirFile: dirFile{dir: &n.dir}, links: n.links}, nil
}

// Stat implements fs.Inode: the size is the number of open descriptors.
func (n *fdDir) Stat(ctx *fs.Context, st *fs.Attr) error {
	n.FillAttr(st)
	if ft := n.proc.Files(); ft != nil {
		ft.Each(func(int32, *fs.File) bool { st.Size++; return true })
		ft.Unref(ctx)
	}
	return nil
}

type fdDirFile struct {
	dirFile
	links bool
}

// Readdir implements fs.FileOps. A descriptor's position is its number + 2.
func (o *fdDirFile) Readdir(ctx *fs.Context, f *fs.File, d *fs.DirContext) error {
	p := o.dir.proc
	if !p.Alive() {
		return unix.ENOENT
	}
	if err := mayTrace(ctx, o.dir.p.src, p); err != nil {
		return err
	}
	if !d.EmitDots(f) {
		return nil
	}
	ft := p.Files()
	if ft == nil {
		return nil
	}
	var fds []int32
	ft.Each(func(fd int32, _ *fs.File) bool {
		fds = append(fds, fd)
		return true
	})
	ft.Unref(ctx)
	sort.Slice(fds, func(i, j int) bool { return fds[i] < fds[j] })
	typ := uint8(unix.DT_REG)
	if o.links {
		typ = unix.DT_LNK
	}
	for _, fd := range fds {
		pos := int64(fd) + 2
		if d.Pos <= pos && !d.Emit(strconv.Itoa(int(fd)), o.dir.Ino<<16+uint64(fd), typ, pos+1) {
			return nil
		}
	}
	return nil
}

// fdLink is /proc/PID/fd/N: a link that jumps to the open file's place.
type fdLink struct {
	fs.InodeBase
	d  *dir
	fd int32
}

// Transient implements fs.Transient: the number may mean another file soon.
func (*fdLink) Transient() {}

// SetAttr implements fs.Inode.
func (*fdLink) SetAttr(*fs.Context, *fs.SetAttr) error { return unix.EPERM }

// FollowLink implements fs.Magic.
func (l *fdLink) FollowLink(ctx *fs.Context) (fs.Path, error) {
	if err := mayTrace(ctx, l.d.p.src, l.d.proc); err != nil {
		return fs.Path{}, err
	}
	f := openFile(ctx, l.d.proc, l.fd)
	if f == nil {
		return fs.Path{}, unix.ENOENT
	}
	defer f.Unref()
	return f.Path(), nil
}

// Readlink implements fs.Inode.
func (l *fdLink) Readlink(ctx *fs.Context) (string, error) {
	p, err := l.FollowLink(ctx)
	if err != nil {
		return "", err
	}
	name, _ := p.From(ctx.FS.Root())
	return name, nil
}

// fdInfo is /proc/PID/fdinfo/N.
type fdInfo struct{ *file }

// Transient implements fs.Transient.
func (fdInfo) Transient() {}

// FDInfoer is a FileOps that has more to tell in /proc/PID/fdinfo: whole lines.
type FDInfoer interface{ FDInfo() string }

func fdText(ctx *fs.Context, w *writer, p Process, fd int32) error {
	f := openFile(ctx, p, fd)
	if f == nil {
		return unix.ENOENT
	}
	defer f.Unref()
	flags := f.Flags()
	if ft := p.Files(); ft != nil {
		if ft.CloseOnExec(fd) {
			flags |= unix.O_CLOEXEC
		}
		ft.Unref(ctx)
	}
	mnt := 0
	if m := f.Path().Mount; m != nil {
		mnt = m.ID
	}
	w.printf("pos:\t%d\nflags:\t0%o\nmnt_id:\t%d\nino:\t%d\n", f.Pos(), flags, mnt, f.Inode().Base().Ino)
	if o, ok := f.Ops().(FDInfoer); ok {
		w.print(o.FDInfo())
	}
	return nil
}

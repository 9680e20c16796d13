package tty

import (
	"sort"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// ptsFS is the devpts file system (Documentation/filesystems/devpts.rst of
// Linux): one directory with a device node for each pseudo-terminal's slave, and
// ptmx. There is one instance, however often it is mounted.
type ptsFS struct {
	fs.BaseSuper
	sb      *fs.SuperBlock
	root    *ptsDir
	manager *Manager

	// Mount options, guarded by Manager.mu.
	mode     uint32 // of new slaves
	ptmxMode uint32
	gid      int64 // of new slaves; -1: the opener's
}

// ptsDir is the root directory. Its names are Manager.ptys.
type ptsDir struct {
	fs.InodeBase
	pts  *ptsFS
	ptmx *ptsNode
}

// ptsNode is a device node in it.
type ptsNode struct {
	fs.InodeBase
	master *Master // nil: ptmx
}

// The inode numbers that Linux gives: the root 1, ptmx 2, slave n n+3.
const (
	ptsRootIno  = 1
	ptmxIno     = 2
	ptsSlaveIno = 3

	ptmxMajor, ptmxMinor = 5, 2 // TTYAUX_MAJOR of linux/major.h
	ptsDefaultMode       = 0o600
)

// RegisterPTS makes devpts known to mount(2).
func (m *Manager) RegisterPTS() {
	fs.RegisterFileSystem(&fs.FileSystem{
		Name: "devpts",
		Mount: func(ctx *fs.Context, source string, flags uint64, data string) (*fs.SuperBlock, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			p := m.ptsLocked()
			if err := p.setOptions(data); err != nil {
				return nil, err
			}
			return p.sb, nil
		},
	})
}

// ptsLocked returns the instance, making it if need be. Precondition: mu held.
func (m *Manager) ptsLocked() *ptsFS {
	if m.pts != nil {
		return m.pts
	}
	p := &ptsFS{manager: m, mode: ptsDefaultMode, gid: -1}
	p.sb = fs.NewSuperBlock("devpts", unix.DEVPTS_SUPER_MAGIC, p)
	p.sb.KeepAlive()
	p.sb.SetVolatile()
	p.root = &ptsDir{pts: p, ptmx: new(ptsNode)}
	p.root.Init(p.sb, ptsRootIno, unix.S_IFDIR|0o755, 0, 0)
	p.root.ptmx.Init(p.sb, ptmxIno, unix.S_IFCHR, 0, 0)
	p.root.ptmx.Rdev = unix.Mkdev(ptmxMajor, ptmxMinor)
	p.sb.SetRoot(p.root)
	m.pts = p
	return p
}

// newSlave makes the node of a new pseudo-terminal. Precondition: Manager.mu held.
func (p *ptsFS) newSlave(master *Master, cred *fs.Cred) *ptsNode {
	gid := cred.FSGID
	if p.gid >= 0 {
		gid = uint32(p.gid)
	}
	n := &ptsNode{master: master}
	n.Init(p.sb, ptsSlaveIno+uint64(master.index), unix.S_IFCHR|p.mode, cred.FSUID, gid)
	n.Rdev = master.t.dev
	return n
}

// setOptions reads mount options. Precondition: Manager.mu held.
func (p *ptsFS) setOptions(data string) error {
	for _, opt := range strings.Split(data, ",") {
		name, value, _ := strings.Cut(opt, "=")
		base := 10
		if name == "mode" || name == "ptmxmode" {
			base = 8
		}
		switch name {
		case "", "newinstance", "uid", "max":
			continue
		}
		v, err := strconv.ParseUint(value, base, 31)
		if err != nil {
			return unix.EINVAL
		}
		switch name {
		case "mode":
			p.mode = uint32(v) & 0o7777
		case "ptmxmode":
			p.ptmxMode = uint32(v) & 0o7777
			p.root.ptmx.SetOwner(p.ptmxMode, 0, 0)
		case "gid":
			p.gid = int64(v)
		default:
			return unix.EINVAL
		}
	}
	return nil
}

// Remount implements fs.SuperOps.
func (p *ptsFS) Remount(_ *fs.Context, _ uint64, data string) error {
	p.manager.mu.Lock()
	defer p.manager.mu.Unlock()
	return p.setOptions(data)
}

// Options implements fs.SuperOps.
func (p *ptsFS) Options() string {
	p.manager.mu.Lock()
	defer p.manager.mu.Unlock()
	var b strings.Builder
	if p.gid >= 0 {
		b.WriteString(",gid=" + strconv.FormatInt(p.gid, 10))
	}
	b.WriteString(",mode=" + octal(p.mode) + ",ptmxmode=" + octal(p.ptmxMode))
	return b.String()
}

// octal writes a mode as mount options show it: three digits.
func octal(mode uint32) string {
	s := strconv.FormatUint(uint64(mode), 8)
	return strings.Repeat("0", max(3-len(s), 0)) + s
}

// Revalidate implements fs.Revalidator: the name is good while the
// pseudo-terminal lives.
func (n *ptsNode) Revalidate(*fs.Context, string) bool {
	if n.master == nil {
		return true
	}
	t := n.master.t
	t.mu.Lock()
	defer t.mu.Unlock()
	return !n.master.closed
}

// Lookup implements fs.Inode.
func (d *ptsDir) Lookup(_ *fs.Context, name string) (fs.Inode, error) {
	if name == "ptmx" {
		return d.ptmx, nil
	}
	i, err := strconv.Atoi(name)
	if err != nil || strconv.Itoa(i) != name {
		return nil, unix.ENOENT
	}
	if p := d.pts.manager.slave(i); p != nil {
		return p.node, nil
	}
	return nil, unix.ENOENT
}

// Open implements fs.Inode.
func (d *ptsDir) Open(*fs.Context, *fs.File) (fs.FileOps, error) { return &ptsDirFile{dir: d}, nil }

type ptsDirFile struct {
	fs.BaseOps
	dir *ptsDir
}

// Seek implements fs.FileOps.
func (o *ptsDirFile) Seek(_ *fs.Context, f *fs.File, off int64, whence int) (int64, error) {
	switch whence {
	case unix.SEEK_CUR:
		off += f.Pos()
	case unix.SEEK_SET:
	default:
		return 0, unix.EINVAL
	}
	if off < 0 {
		return 0, unix.EINVAL
	}
	return off, nil
}

// Readdir implements fs.FileOps. A name's position is its inode number + 1.
func (o *ptsDirFile) Readdir(_ *fs.Context, f *fs.File, d *fs.DirContext) error {
	if !d.EmitDots(f) {
		return nil
	}
	m := o.dir.pts.manager
	m.mu.Lock()
	var live []int
	for i, p := range m.ptys {
		if p != nil {
			live = append(live, i)
		}
	}
	m.mu.Unlock()
	sort.Ints(live)
	if d.Pos <= ptmxIno && !d.Emit("ptmx", ptmxIno, unix.DT_CHR, ptmxIno+1) {
		return nil
	}
	for _, i := range live {
		ino := int64(ptsSlaveIno + i)
		if d.Pos <= ino && !d.Emit(strconv.Itoa(i), uint64(ino), unix.DT_CHR, ino+1) {
			return nil
		}
	}
	return nil
}

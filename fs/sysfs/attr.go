package sysfs

import (
	"strings"

	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/mm"
)

// attr is a file. All but the base is immutable.
type attr struct {
	node
	get func() string
	set func(string) error
	bin func() []byte
}

func newAttr(a *Attribute) *attr {
	n := &attr{get: a.Get, set: a.Set, bin: a.Bin}
	mode := a.Mode
	if mode == 0 {
		mode = 0o444
		if a.Set != nil {
			mode = 0o644
		}
	}
	n.Init(tree.sb, tree.sb.NextIno(), unix.S_IFREG|mode, 0, 0)
	n.StoreSize(attrSize)
	if a.Bin != nil {
		n.StoreSize(a.Size)
	}
	return n
}

// SetAttr implements fs.Inode: truncation, which a shell's > does, is accepted.
func (n *attr) SetAttr(_ *fs.Context, set *fs.SetAttr) error {
	if set.Valid&(fs.SetMode|fs.SetUID|fs.SetGID) != 0 {
		return unix.EPERM
	}
	return nil
}

// Open implements fs.Inode.
func (n *attr) Open(_ *fs.Context, f *fs.File) (fs.FileOps, error) {
	if f.Mode()&fs.ModeWrite != 0 && n.set == nil || f.Mode()&fs.ModeRead != 0 && n.get == nil && n.bin == nil {
		return nil, unix.EACCES
	}
	return attrFile{n: n}, nil
}

type attrFile struct {
	fs.BaseOps
	n *attr
}

// Read implements fs.FileOps.
func (o attrFile) Read(_ *fs.Context, _ *fs.File, it *mm.Iter, pos *int64) (int, error) {
	n := o.n
	if n.gone.Load() {
		return 0, unix.ENODEV
	}
	var v []byte
	if n.bin != nil {
		v = n.bin()
	} else {
		v = append([]byte(n.get()), '\n')
	}
	if *pos < 0 || *pos >= int64(len(v)) {
		return 0, nil
	}
	k, err := it.CopyTo(v[*pos:])
	*pos += int64(k)
	return k, err
}

// Write implements fs.FileOps. A value comes in one write.
func (o attrFile) Write(_ *fs.Context, _ *fs.File, it *mm.Iter, pos *int64) (int, error) {
	n := o.n
	if n.gone.Load() {
		return 0, unix.ENODEV
	}
	if n.set == nil {
		return 0, unix.EIO
	}
	k := it.Len()
	if k > attrSize {
		return 0, unix.EINVAL
	}
	p := make([]byte, k)
	if _, err := it.CopyFrom(p); err != nil {
		return 0, err
	}
	if err := n.set(strings.TrimSpace(string(p))); err != nil {
		return 0, err
	}
	*pos += int64(k)
	return k, nil
}

// Seek implements fs.FileOps.
func (o attrFile) Seek(_ *fs.Context, f *fs.File, off int64, whence int) (int64, error) {
	return seek(f, off, whence)
}

func seek(f *fs.File, off int64, whence int) (int64, error) {
	if whence == unix.SEEK_CUR {
		off += f.Pos()
	} else if whence != unix.SEEK_SET {
		return 0, unix.EINVAL
	}
	if off < 0 {
		return 0, unix.EINVAL
	}
	return off, nil
}

package kernel

import (
	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/proc"
)

// target tells how an attribute call names its object.
type target uint8

const (
	byPath target = iota
	byLink        // the symbolic link itself
	byFD
)

// object resolves the first argument of an attribute call. The path is valid
// while the caller holds what it names open; done ends that.
func (k target) object(t *proc.Task, arg uint64) (p fs.Path, done func(), err error) {
	ctx := t.FSContext()
	if k == byFD {
		f, err := ctx.Files.Get(fdArg(arg))
		if err != nil {
			return fs.Path{}, nil, err
		}
		return f.Path(), f.Unref, nil
	}
	name, err := pathArg(t, arg)
	if err != nil {
		return fs.Path{}, nil, err
	}
	flags := fs.LookupFollow
	if k == byLink {
		flags = 0
	}
	p, err = ctx.Lookup(atCwd, name, flags)
	return p, func() {}, err
}

// xattrName reads an attribute's name: ERANGE when empty or too long.
func xattrName(t *proc.Task, addr uint64) (string, error) {
	s, err := t.AS.CopyInString(addr, fs.XattrNameMax+1)
	if err == unix.ENAMETOOLONG || err == nil && s == "" {
		return "", unix.ERANGE
	}
	return s, err
}

func (k target) get(t *proc.Task, a *Args) (uintptr, error) {
	p, done, err := k.object(t, a[0])
	if err != nil {
		return 0, err
	}
	defer done()
	name, err := xattrName(t, a[1])
	if err != nil {
		return 0, err
	}
	v, err := t.FSContext().Getxattr(p, name)
	if err != nil {
		return 0, err
	}
	return putSized(t, a[2], a[3], v)
}

// putSized copies v to a buffer of the given size: ERANGE when it does not fit.
// Size 0 asks for the size only.
func putSized(t *proc.Task, addr, size uint64, v []byte) (uintptr, error) {
	if size != 0 {
		if uint64(len(v)) > size {
			return 0, unix.ERANGE
		}
		if err := t.AS.CopyOut(addr, v); err != nil {
			return 0, err
		}
	}
	return uintptr(len(v)), nil
}

func (k target) set(t *proc.Task, a *Args) (uintptr, error) {
	flags := int(int32(a[4]))
	if flags&^(unix.XATTR_CREATE|unix.XATTR_REPLACE) != 0 {
		return 0, unix.EINVAL
	}
	p, done, err := k.object(t, a[0])
	if err != nil {
		return 0, err
	}
	defer done()
	name, err := xattrName(t, a[1])
	if err != nil {
		return 0, err
	}
	if a[3] > fs.XattrSizeMax {
		return 0, unix.E2BIG
	}
	v := make([]byte, a[3])
	if len(v) > 0 {
		if err := t.AS.CopyIn(v, a[2]); err != nil {
			return 0, err
		}
	}
	return 0, t.FSContext().Setxattr(p, name, v, flags)
}

func (k target) list(t *proc.Task, a *Args) (uintptr, error) {
	p, done, err := k.object(t, a[0])
	if err != nil {
		return 0, err
	}
	defer done()
	names, err := t.FSContext().Listxattr(p)
	if err == unix.EOPNOTSUPP {
		err = nil
	}
	if err != nil {
		return 0, err
	}
	var out []byte
	for _, n := range names {
		out = append(append(out, n...), 0)
	}
	return putSized(t, a[1], a[2], out)
}

func (k target) remove(t *proc.Task, a *Args) (uintptr, error) {
	p, done, err := k.object(t, a[0])
	if err != nil {
		return 0, err
	}
	defer done()
	name, err := xattrName(t, a[1])
	if err != nil {
		return 0, err
	}
	return 0, t.FSContext().Removexattr(p, name)
}

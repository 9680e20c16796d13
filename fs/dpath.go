package fs

import (
	"strconv"

	"golang.org/x/sys/unix"
)

func itoa(n uint64) string { return strconv.FormatUint(n, 10) }

// String returns the absolute name of p from the root of the mount tree, as
// d_path shows it; a removed object gets " (deleted)".
func (p Path) String() string {
	s, _ := p.from(Path{})
	return s
}

// From returns the absolute name of p as seen by a task with the given root
// (/proc/PID/cwd, mounts). For a place outside root, reachable is false.
func (p Path) From(root Path) (name string, reachable bool) { return p.from(root) }

func (p Path) from(root Path) (string, bool) {
	if p.Mount == nil {
		return p.Dentry.Name(), true
	}
	var buf [PathMax]byte
	i := len(buf)
	put := func(s string) bool {
		if i < len(s)+1 {
			return false
		}
		i -= len(s)
		copy(buf[i:], s)
		i--
		buf[i] = '/'
		return true
	}
	reached := !root.Valid()
	deleted := p.Dentry.gone.Load()
	at := p
	for {
		if root.Valid() && at == root {
			reached = true
			break
		}
		if at.Dentry == at.Mount.Root {
			up, ok := at.above()
			if !ok {
				break
			}
			at = up
			continue
		}
		sb := at.Mount.Super
		sb.renameMu.RLock()
		parent, name := at.Dentry.parent.Load(), at.Dentry.Name()
		sb.renameMu.RUnlock()
		if parent == at.Dentry { // detached: a pipe, an anonymous inode, a memfd
			if at != p {
				break
			}
			if deleted {
				name += " (deleted)"
			}
			return name, true
		}
		if !put(name) {
			return "", false
		}
		at.Dentry = parent
	}
	s := string(buf[i:])
	if s == "" {
		s = "/"
	}
	if deleted {
		s += " (deleted)"
	}
	return s, reached
}

// Getcwd is getcwd(2): ENOENT when the directory was removed. A directory
// outside the root gets "(unreachable)" in front.
func (ctx *Context) Getcwd() (string, error) {
	cwd := ctx.FS.Cwd()
	if cwd.Dentry.gone.Load() {
		return "", unix.ENOENT
	}
	s, ok := cwd.from(ctx.FS.Root())
	if s == "" {
		return "", unix.ENAMETOOLONG
	}
	if !ok {
		s = "(unreachable)" + s
	}
	return s, nil
}

// dirFor resolves a directory for chdir and chroot: search permission is checked.
func (ctx *Context) dirFor(path string) (Path, error) {
	p, err := ctx.Lookup(unix.AT_FDCWD, path, LookupFollow|LookupDirectory)
	if err != nil {
		return Path{}, err
	}
	return p, ctx.Permission(p.Inode().Base(), MayExec)
}

// Chdir is chdir(2).
func (ctx *Context) Chdir(path string) error {
	p, err := ctx.dirFor(path)
	if err != nil {
		return err
	}
	ctx.FS.SetCwd(p)
	return nil
}

// Fchdir is fchdir(2).
func (ctx *Context) Fchdir(fd int32) error {
	f, err := ctx.Files.GetRaw(fd)
	if err != nil {
		return err
	}
	defer f.Unref()
	b := f.inode.Base()
	if !b.IsDir() {
		return unix.ENOTDIR
	}
	if err := ctx.Permission(b, MayExec); err != nil {
		return err
	}
	ctx.FS.SetCwd(f.path)
	return nil
}

// Chroot is chroot(2).
func (ctx *Context) Chroot(path string) error {
	p, err := ctx.dirFor(path)
	if err != nil {
		return err
	}
	if !ctx.Cred.Capable(unix.CAP_SYS_CHROOT) {
		return unix.EPERM
	}
	ctx.FS.SetRoot(p)
	return nil
}

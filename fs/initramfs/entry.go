package initramfs

import (
	"io"
	"strings"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// linkKey identifies a file that has several names in one archive.
type linkKey struct{ ino, major, minor uint32 }

// entry makes one file. Errors of the input are in in.err.
func (u *unpacker) entry(h header, name string, in *body) error {
	ctx := u.ctx
	for strings.HasPrefix(name, "/") {
		name = name[1:]
	}
	if name == "" || name == "." {
		name = "."
		if h.mode&unix.S_IFMT != unix.S_IFDIR {
			return unix.EINVAL
		}
	}
	path := "/" + name
	perm := h.mode & 0o7777
	switch h.mode & unix.S_IFMT {
	case unix.S_IFDIR:
		if err := u.clear(path, h.mode); err != nil {
			return err
		}
		if err := ctx.Mkdir(unix.AT_FDCWD, path, perm); err != nil && err != unix.EEXIST {
			return err
		}
	case unix.S_IFREG:
		return u.regular(h, path, in)
	case unix.S_IFLNK:
		if h.size == 0 || h.size >= nameMax {
			return unix.ENAMETOOLONG
		}
		target := make([]byte, h.size)
		if _, err := in.next(target); err != nil {
			return err
		}
		if err := u.clear(path, 0); err != nil {
			return err
		}
		text, _, _ := strings.Cut(string(target), "\x00")
		if err := ctx.Symlink(text, unix.AT_FDCWD, path); err != nil {
			return err
		}
	case unix.S_IFCHR, unix.S_IFBLK, unix.S_IFIFO, unix.S_IFSOCK:
		if err := u.clear(path, 0); err != nil {
			return err
		}
		if done, err := u.hardLink(h, path); done || err != nil {
			return err
		}
		if err := ctx.Mknod(unix.AT_FDCWD, path, h.mode, unix.Mkdev(h.rmajor, h.rminor)); err != nil {
			return err
		}
	default:
		return unix.EINVAL
	}
	return u.attributes(h, path)
}

// regular makes a regular file; its content may follow with a later name of it.
func (u *unpacker) regular(h header, path string, in *body) error {
	ctx := u.ctx
	if err := u.clear(path, 0); err != nil {
		return err
	}
	linked, err := u.hardLink(h, path)
	if err != nil {
		return err
	}
	if linked && h.size == 0 {
		return nil
	}
	flags := unix.O_WRONLY | unix.O_CREAT | unix.O_NOFOLLOW
	if linked {
		flags |= unix.O_TRUNC
	}
	f, err := ctx.Open(unix.AT_FDCWD, path, flags, h.mode&0o7777)
	if err != nil {
		return err
	}
	defer f.Unref()
	for {
		n, err := in.next(u.buf)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := ctx.WriteAll(f, u.buf[:n]); err != nil {
			return err
		}
		u.stats.Bytes += int64(n)
	}
	return u.attributes(h, path)
}

// attributes sets owner, mode and times.
func (u *unpacker) attributes(h header, path string) error {
	ctx := u.ctx
	const at = unix.AT_SYMLINK_NOFOLLOW
	if h.uid != 0 || h.gid != 0 {
		if err := ctx.Chown(unix.AT_FDCWD, path, h.uid, h.gid, at); err != nil {
			return err
		}
	}
	if h.mode&unix.S_IFMT != unix.S_IFLNK {
		if err := ctx.Chmod(unix.AT_FDCWD, path, h.mode&0o7777, at); err != nil {
			return err
		}
	}
	t := fs.TimeSpec{NS: int64(h.mtime) * 1e9}
	return ctx.Utimens(unix.AT_FDCWD, path, &[2]fs.TimeSpec{t, t}, at)
}

// clear removes what a later archive replaces; a directory that is to be a
// directory again stays (mode is then the new one's).
func (u *unpacker) clear(path string, mode uint32) error {
	ctx := u.ctx
	var st fs.Attr
	if ctx.Stat(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, &st) != nil {
		return nil
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		if mode&unix.S_IFMT == unix.S_IFDIR {
			return nil
		}
		return ctx.Rmdir(unix.AT_FDCWD, path)
	}
	return ctx.Unlink(unix.AT_FDCWD, path)
}

// hardLink links path to an earlier name of the same file, if there is one.
func (u *unpacker) hardLink(h header, path string) (bool, error) {
	if h.nlink < 2 {
		return false, nil
	}
	key := linkKey{h.ino, h.major, h.minor}
	if first, ok := u.links[key]; ok {
		return true, u.ctx.Link(unix.AT_FDCWD, first, unix.AT_FDCWD, path, 0)
	}
	if u.links == nil {
		u.links = make(map[linkKey]string)
	}
	u.links[key] = path
	return false, nil
}

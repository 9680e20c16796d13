package fs

import (
	"strings"

	"golang.org/x/sys/unix"
)

// Limits of extended attributes (linux/limits.h).
const (
	XattrNameMax = 255
	XattrSizeMax = 65536
	XattrListMax = 65536
)

// xattrRights checks access to attribute name of the object at p (xattr(7)).
func (ctx *Context) xattrRights(p Path, name string, want uint32) error {
	b := p.Inode().Base()
	if want&MayWrite != 0 && p.Mount.ReadOnly() {
		return unix.EROFS
	}
	switch {
	case strings.HasPrefix(name, "security."), strings.HasPrefix(name, "system."):
		if want&MayWrite != 0 && strings.HasPrefix(name, "security.") && !ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
			return unix.EPERM
		}
		return nil
	case strings.HasPrefix(name, "trusted."):
		if !ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
			if want&MayWrite != 0 {
				return unix.EPERM
			}
			return unix.ENODATA
		}
		return nil
	case strings.HasPrefix(name, "user."):
		if !b.IsRegular() && !b.IsDir() {
			if want&MayWrite != 0 {
				return unix.EPERM
			}
			return unix.ENODATA
		}
		if b.IsDir() && b.Mode()&unix.S_ISVTX != 0 && want&MayWrite != 0 && !ctx.isOwner(b) {
			return unix.EPERM
		}
	}
	return ctx.Permission(b, want)
}

// Getxattr returns an attribute of the object at p.
func (ctx *Context) Getxattr(p Path, name string) ([]byte, error) {
	if err := ctx.xattrRights(p, name, MayRead); err != nil {
		return nil, err
	}
	return p.Inode().Getxattr(ctx, name)
}

// Setxattr sets an attribute; flags are XATTR_CREATE and XATTR_REPLACE.
func (ctx *Context) Setxattr(p Path, name string, value []byte, flags int) error {
	if err := ctx.xattrRights(p, name, MayWrite); err != nil {
		return err
	}
	return p.Inode().Setxattr(ctx, name, value, flags)
}

// Removexattr removes an attribute.
func (ctx *Context) Removexattr(p Path, name string) error {
	if err := ctx.xattrRights(p, name, MayWrite); err != nil {
		return err
	}
	return p.Inode().Removexattr(ctx, name)
}

// Listxattr returns the names of all attributes that the caller may know of.
func (ctx *Context) Listxattr(p Path) ([]string, error) { return p.Inode().Listxattr(ctx) }

package tmpfs

import (
	"sort"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/mm"
)

// node is what all inodes of tmpfs have.
type node struct {
	fs.InodeBase
	s *super

	xattrMu sync.Mutex        // guards xattrs; leaf
	xattrs  map[string][]byte // made on first use
}

// special is a device node, FIFO or socket.
type special struct{ node }

// link is a symbolic link.
type link struct {
	node
	target string
}

// Readlink implements fs.Inode.
func (l *link) Readlink(*fs.Context) (string, error) { return l.target, nil }

// Stat implements fs.Inode.
func (l *link) Stat(ctx *fs.Context, st *fs.Attr) error {
	l.FillAttr(st)
	st.Size, st.Blocks = int64(len(l.target)), 0
	return nil
}

// Stat implements fs.Inode.
func (n *special) Stat(ctx *fs.Context, st *fs.Attr) error {
	n.FillAttr(st)
	st.Size, st.Blocks = 0, 0
	return nil
}

// Evict implements fs.Inode.
func (n *node) Evict() { n.s.inodes.Add(-1) }

// Limits on extended attributes: of one value (XATTR_SIZE_MAX, linux/limits.h),
// and of all of one inode, which Linux leaves to the file system.
const (
	xattrValueMax = 65536
	xattrTotalMax = 1 << 18
)

// xattrName checks which name spaces there are: user.* on files and
// directories, security.* and trusted.* everywhere.
func (n *node) xattrName(ctx *fs.Context, name string) error {
	prefix, rest, ok := strings.Cut(name, ".")
	if !ok || rest == "" {
		return unix.EOPNOTSUPP
	}
	switch prefix {
	case "security":
		return nil
	case "trusted":
		if !ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
			return unix.EPERM
		}
		return nil
	case "user":
		return nil
	}
	return unix.EOPNOTSUPP
}

// Getxattr implements fs.Inode.
func (n *node) Getxattr(ctx *fs.Context, name string) ([]byte, error) {
	if err := n.xattrName(ctx, name); err != nil {
		return nil, err
	}
	n.xattrMu.Lock()
	defer n.xattrMu.Unlock()
	v, ok := n.xattrs[name]
	if !ok {
		return nil, unix.ENODATA
	}
	return v, nil // never edited in place
}

// Setxattr implements fs.Inode.
func (n *node) Setxattr(ctx *fs.Context, name string, value []byte, flags int) error {
	if err := n.xattrName(ctx, name); err != nil {
		return err
	}
	if len(value) > xattrValueMax {
		return unix.E2BIG
	}
	n.xattrMu.Lock()
	defer n.xattrMu.Unlock()
	_, have := n.xattrs[name]
	if have && flags&unix.XATTR_CREATE != 0 {
		return unix.EEXIST
	}
	if !have && flags&unix.XATTR_REPLACE != 0 {
		return unix.ENODATA
	}
	total := len(name) + len(value)
	for k, v := range n.xattrs {
		if k != name {
			total += len(k) + len(v)
		}
	}
	if total > xattrTotalMax {
		return unix.ENOSPC
	}
	if !mm.Admit() {
		return unix.ENOMEM
	}
	if n.xattrs == nil {
		n.xattrs = make(map[string][]byte)
	}
	n.xattrs[strings.Clone(name)] = append([]byte(nil), value...)
	n.TouchChange()
	return nil
}

// Removexattr implements fs.Inode.
func (n *node) Removexattr(ctx *fs.Context, name string) error {
	if err := n.xattrName(ctx, name); err != nil {
		return err
	}
	n.xattrMu.Lock()
	defer n.xattrMu.Unlock()
	if _, ok := n.xattrs[name]; !ok {
		return unix.ENODATA
	}
	delete(n.xattrs, name)
	n.TouchChange()
	return nil
}

// Listxattr implements fs.Inode.
func (n *node) Listxattr(ctx *fs.Context) ([]string, error) {
	n.xattrMu.Lock()
	defer n.xattrMu.Unlock()
	names := make([]string, 0, len(n.xattrs))
	for k := range n.xattrs {
		if !strings.HasPrefix(k, "trusted.") || ctx.Cred.Capable(unix.CAP_SYS_ADMIN) {
			names = append(names, k)
		}
	}
	sort.Strings(names)
	return names, nil
}

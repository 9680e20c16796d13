package fs

import (
	"golang.org/x/sys/unix"
)

// Limits of names (linux/limits.h).
const (
	NameMax = 255  // bytes of one component
	PathMax = 4096 // bytes of a path name with its final NUL
)

const maxSymlinks = 40 // path_resolution(7)

// Lookup flags, beyond the AT_* ones.
const (
	LookupFollow    = 1 << iota // follow a symbolic link in the last component
	LookupDirectory             // the result must be a directory: ENOTDIR
	LookupEmpty                 // an empty path means dirfd itself (AT_EMPTY_PATH)
	LookupNoXdev                // RESOLVE_NO_XDEV
	LookupNoMagic               // RESOLVE_NO_MAGICLINKS
	LookupNoSymlink             // RESOLVE_NO_SYMLINKS
	LookupBeneath               // RESOLVE_BENEATH
	LookupInRoot                // RESOLVE_IN_ROOT
	LookupCached                // RESOLVE_CACHED
	lookupParent                // stop at the parent of the last component
	lookupMask      = 1<<iota - 1
)

// lastKind says what the last component of a path is.
type lastKind uint8

const (
	lastNorm lastKind = iota
	lastRoot
	lastDot
	lastDotDot
	lastMagic // a magic link jumped: there is no name
)

// nameidata is the state of one walk. It lives in the Context, so that a walk
// allocates nothing.
type nameidata struct {
	at    Path  // where the walk is
	root  Path  // for absolute names and ".."
	last  qname // last component, with lookupParent
	kind  lastKind
	slash bool // slashes followed the last component
	flags int
	links int // symbolic links followed
	depth int
	first [4]string // what is left to do after each nested link
	more  []string  // after those beyond four: made when there is one
}

// push puts aside what follows a link in the path.
func (nd *nameidata) push(rest string) {
	if nd.depth < len(nd.first) {
		nd.first[nd.depth] = rest
	} else {
		nd.more = append(nd.more[:nd.depth-len(nd.first)], rest)
	}
	nd.depth++
}

// pop returns what was pushed last.
func (nd *nameidata) pop() string {
	nd.depth--
	if nd.depth < len(nd.first) {
		return nd.first[nd.depth]
	}
	return nd.more[nd.depth-len(nd.first)]
}

// Lookup resolves path relative to dirfd (or AT_FDCWD) and returns what it
// names. The Path holds no reference.
func (ctx *Context) Lookup(dirfd int32, path string, flags int) (Path, error) {
	nd := &ctx.nd
	if err := ctx.start(nd, dirfd, path, flags); err != nil {
		return Path{}, err
	}
	if path == "" {
		return ctx.finish(nd)
	}
	if err := ctx.walk(nd, path); err != nil {
		return Path{}, err
	}
	return ctx.finish(nd)
}

// LookupAt is Lookup from a directory given as a Path.
func (ctx *Context) LookupAt(dir Path, path string, flags int) (Path, error) {
	if len(path) >= PathMax {
		return Path{}, unix.ENAMETOOLONG
	}
	nd := &ctx.nd
	nd.reset(dir, ctx.FS.Root(), flags)
	if path == "" {
		return Path{}, unix.ENOENT
	}
	if path[0] == '/' {
		nd.at = nd.root
	}
	if err := ctx.walk(nd, path); err != nil {
		return Path{}, err
	}
	return ctx.finish(nd)
}

func (ctx *Context) finish(nd *nameidata) (Path, error) {
	p := nd.at
	if nd.flags&LookupDirectory != 0 && p.Dentry.node.Load().kind != unix.S_IFDIR {
		return Path{}, unix.ENOTDIR
	}
	return p, nil
}

// lookupParent resolves all of path but its last component, which is returned
// with its kind; slash tells whether slashes followed it.
func (ctx *Context) lookupParent(dirfd int32, path string, flags int) (dir Path, last qname, kind lastKind, slash bool, err error) {
	nd := &ctx.nd
	if err = ctx.start(nd, dirfd, path, flags&^LookupEmpty|lookupParent); err != nil {
		return
	}
	if err = ctx.walk(nd, path); err != nil {
		return
	}
	dir, last, kind, slash = nd.at, nd.last, nd.kind, nd.slash
	return
}

func (nd *nameidata) reset(at, root Path, flags int) {
	nd.at, nd.root, nd.flags = at, root, flags
	nd.links, nd.depth = 0, 0
	nd.last, nd.kind, nd.slash = qname{}, lastRoot, false
}

// start sets nd to where path begins. Errors: ENOENT (empty), ENAMETOOLONG, EBADF, ENOTDIR.
func (ctx *Context) start(nd *nameidata, dirfd int32, path string, flags int) error {
	if len(path) >= PathMax {
		return unix.ENAMETOOLONG
	}
	if path == "" && flags&LookupEmpty == 0 {
		return unix.ENOENT
	}
	root := ctx.FS.Root()
	if path != "" && path[0] == '/' && flags&LookupInRoot == 0 {
		if flags&LookupBeneath != 0 {
			return unix.EXDEV
		}
		nd.reset(root, root, flags)
		return nil
	}
	var at Path
	if dirfd == unix.AT_FDCWD {
		at = ctx.FS.Cwd()
	} else {
		f, err := ctx.Files.GetRaw(dirfd)
		if err != nil {
			return err
		}
		at = f.path
		f.Unref() // the caller's descriptor keeps the mount; a close meanwhile is harmless
		if path != "" && at.Dentry.node.Load().kind != unix.S_IFDIR {
			return unix.ENOTDIR
		}
	}
	if flags&(LookupBeneath|LookupInRoot) != 0 {
		root = at
	}
	nd.reset(at, root, flags)
	return nil
}

// walk resolves path from nd.at. With lookupParent it stops before the last
// component and leaves that in nd.last.
func (ctx *Context) walk(nd *nameidata, path string) error {
	at := nd.at
	node := at.Dentry.node.Load()
	path = trimSlashes(path)
	for {
		if path == "" {
			if nd.depth == 0 {
				nd.at = at
				return nil
			}
			path = trimSlashes(nd.pop())
			continue
		}
		if node.kind != unix.S_IFDIR {
			return unix.ENOTDIR
		}
		if node.base.mode.Load()&0o111 != 0o111 { // else everybody may search it
			if err := ctx.Permission(node.base, MayExec); err != nil {
				return err
			}
		}
		name := component(path)
		if len(name.s) > NameMax {
			return unix.ENAMETOOLONG
		}
		rest := path[len(name.s):] // with its slashes
		path = trimSlashes(rest)
		final := path == "" && nd.depth == 0
		dots := 0
		if name.s[0] == '.' && (len(name.s) == 1 || name.s == "..") {
			dots = len(name.s)
		}
		if final && nd.flags&lookupParent != 0 {
			nd.at = at
			nd.last, nd.slash, nd.kind = name, rest != "", [...]lastKind{lastNorm, lastDot, lastDotDot}[dots]
			return nil
		}
		if dots != 0 {
			if dots == 2 {
				nd.at = at
				if err := ctx.dotdot(nd); err != nil {
					return err
				}
				at = nd.at
				node = at.Dentry.node.Load()
			}
			continue
		}
		var d *Dentry
		if t := at.Dentry.names.Load(); t != nil {
			d = t.find(name)
		}
		if d == nil || !d.fresh(ctx, name) {
			var err error
			if d, err = ctx.lookupSlow(at.Dentry, node, name); err != nil {
				return err
			}
		}
		next := Path{at.Mount, d}
		if d.mounts.Load() != nil {
			next = next.top()
			if nd.flags&LookupNoXdev != 0 && next.Mount != at.Mount {
				return unix.EXDEV
			}
		}
		box := next.Dentry.node.Load()
		if box == nil {
			return unix.ENOENT
		}
		if box.kind == unix.S_IFLNK && (!final || rest != "" || nd.flags&LookupFollow != 0) {
			nd.at = at
			text, err := ctx.follow(nd, next, box, rest)
			if err != nil {
				return err
			}
			path = trimSlashes(text)
			at = nd.at
			node = at.Dentry.node.Load()
			continue
		}
		at, node = next, box
		if box.kind != unix.S_IFDIR && (!final || rest != "") {
			return unix.ENOTDIR
		}
	}
}

// trimSlashes returns s without the slashes it begins with.
func trimSlashes(s string) string {
	for s != "" && s[0] == '/' {
		s = s[1:]
	}
	return s
}

// dotdot goes up one directory, not above nd.root, and out of mounts.
func (ctx *Context) dotdot(nd *nameidata) error {
	for {
		if nd.at == nd.root {
			if nd.flags&LookupBeneath != 0 {
				return unix.EXDEV
			}
			return nil
		}
		if nd.at.Dentry != nd.at.Mount.Root {
			nd.at.Dentry = nd.at.Dentry.parent.Load()
			break
		}
		up, ok := nd.at.above()
		if !ok {
			return nil
		}
		if nd.flags&LookupNoXdev != 0 {
			return unix.EXDEV
		}
		nd.at = up
	}
	if nd.at.Dentry.mounts.Load() != nil {
		m := nd.at.Mount
		nd.at = nd.at.top()
		if nd.flags&LookupNoXdev != 0 && nd.at.Mount != m {
			return unix.EXDEV
		}
	}
	return nil
}

// follow goes through the symbolic link at link: it returns what to walk next,
// having put rest aside.
func (ctx *Context) follow(nd *nameidata, link Path, box *inodeBox, rest string) (string, error) {
	if nd.flags&LookupNoSymlink != 0 || link.Mount.Flags()&unix.MS_NOSYMFOLLOW != 0 {
		return "", unix.ELOOP
	}
	if nd.links++; nd.links > maxSymlinks {
		return "", unix.ELOOP
	}
	if m, ok := box.Inode.(Magic); ok {
		if nd.flags&LookupNoMagic != 0 {
			return "", unix.ELOOP
		}
		if nd.flags&(LookupBeneath|LookupInRoot) != 0 {
			return "", unix.EXDEV
		}
		p, err := m.FollowLink(ctx)
		if err != nil {
			return "", err
		}
		if nd.flags&LookupNoXdev != 0 && p.Mount != nd.at.Mount {
			return "", unix.EXDEV
		}
		nd.at = p
		if rest != "" && p.Dentry.node.Load().kind != unix.S_IFDIR {
			return "", unix.ENOTDIR
		}
		return rest, nil
	}
	text, err := box.Inode.Readlink(ctx)
	if err != nil {
		return "", err
	}
	if text == "" {
		return "", unix.ENOENT
	}
	touchAtime(link)
	if text[0] == '/' {
		if nd.flags&LookupBeneath != 0 {
			return "", unix.EXDEV
		}
		if nd.flags&LookupNoXdev != 0 && nd.root.Mount != nd.at.Mount {
			return "", unix.EXDEV
		}
		nd.at = nd.root
	}
	if rest != "" {
		nd.push(rest)
	}
	return text, nil
}

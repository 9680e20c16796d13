package fs

import (
	"sync"

	"golang.org/x/sys/unix"
)

// Objects without a name in the tree live on two internal file systems, as on
// Linux: pipefs, sockfs and anon_inodefs.
var internal struct {
	once                 sync.Once
	pipes, anon, sockets *Mount
}

const (
	pipefsMagic    = 0x50495045 // PIPEFS_MAGIC, linux/magic.h
	anonInodeMagic = 0x09041934 // ANON_INODE_FS_MAGIC, linux/magic.h
)

type plainInode struct{ InodeBase }

func initInternal() {
	mk := func(name string, magic int64) *Mount {
		sb := NewSuperBlock(name, magic, BaseSuper{})
		root := new(plainInode)
		root.Init(sb, sb.NextIno(), unix.S_IFDIR|0o555, 0, 0)
		sb.SetRoot(root)
		return NewInternalMount(sb)
	}
	internal.pipes = mk("pipefs", pipefsMagic)
	internal.anon = mk("anon_inodefs", anonInodeMagic)
	internal.sockets = mk("sockfs", sockfsMagic)
}

func anonMount() *Mount   { internal.once.Do(initInternal); return internal.anon }
func socketMount() *Mount { internal.once.Do(initInternal); return internal.sockets }
func pipeMount() *Mount   { internal.once.Do(initInternal); return internal.pipes }

// NewAnonFile returns an open file without a name, such as an eventfd. name is
// what readlink on /proc/PID/fd shows: "anon_inode:[eventfd]". flags are the
// O_* access mode and status flags. The file has ModeStream.
func (ctx *Context) NewAnonFile(name string, ops FileOps, flags int) (*File, error) {
	m := anonMount()
	ino := new(plainInode)
	// Linux: one shared inode with mode 0600 and no type bits.
	ino.Init(m.Super, m.Super.NextIno(), 0o600, ctx.Cred.FSUID, ctx.Cred.FSGID)
	f, err := ctx.newFile(Path{m, NewDentry(name, ino)}, flags)
	if err != nil {
		return nil, err
	}
	f.mode |= ModeStream | ModePoll
	f.ops = ops
	return f, nil
}

// NewInodeFile opens an inode that has no name (memfd): like NewAnonFile, but
// the inode's own Open supplies the operations. name is what d_path shows.
func (ctx *Context) NewInodeFile(m *Mount, name string, ino Inode, flags int) (*File, error) {
	f, err := ctx.newFile(Path{m, NewDentry(name, ino)}, flags)
	if err != nil {
		return nil, err
	}
	if err := ctx.openInode(f); err != nil {
		f.Unref()
		return nil, err
	}
	return f, nil
}

const sockfsMagic = 0x534f434b // SOCKFS_MAGIC, linux/magic.h

// NewSocketFile returns the open file of a socket; flags are O_* status flags.
func (ctx *Context) NewSocketFile(ops FileOps, flags int) (*File, error) {
	m := socketMount()
	ino := new(plainInode)
	ino.Init(m.Super, m.Super.NextIno(), unix.S_IFSOCK|0o777, ctx.Cred.FSUID, ctx.Cred.FSGID)
	f, err := ctx.newFile(Path{m, NewDentry("socket:["+itoa(ino.Ino)+"]", ino)}, unix.O_RDWR|flags)
	if err != nil {
		return nil, err
	}
	f.mode |= ModeStream | ModePoll
	f.ops = ops
	return f, nil
}

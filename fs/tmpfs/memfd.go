package tmpfs

import (
	"sync"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// shm is the internal instance that memfds live on, without limits.
var shm struct {
	once  sync.Once
	s     *super
	mount *fs.Mount
}

// NewMemfd makes an open file without a name (memfd_create(2)). name shows as
// "/memfd:name (deleted)". sealing: F_ADD_SEALS is allowed.
func NewMemfd(ctx *fs.Context, name string, sealing bool) (*fs.File, error) {
	shm.once.Do(func() {
		sb, err := New("tmpfs", "size=0,nr_inodes=0")
		if err != nil {
			panic(err) // constant options
		}
		shm.s = sb.Ops.(*super)
		shm.mount = fs.NewInternalMount(sb)
	})
	f := new(file)
	if err := shm.s.newInode(); err != nil {
		return nil, err
	}
	f.s = shm.s
	f.Init(shm.s.sb, shm.s.sb.NextIno(), unix.S_IFREG|0o777, ctx.Cred.FSUID, ctx.Cred.FSGID)
	f.init()
	f.memfd = true
	f.SetNlink(0)
	if sealing {
		f.seals.Store(0)
	}
	of, err := ctx.NewInodeFile(shm.mount, "/memfd:"+name+" (deleted)", f, unix.O_RDWR|0o100000)
	if err != nil {
		f.Evict()
		return nil, err
	}
	return of, nil
}

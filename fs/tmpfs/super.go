package tmpfs

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/fs"
	"tamarix/mm"
)

// super is one instance.
type super struct {
	sb *fs.SuperBlock

	maxPages  atomic.Int64 // 0: no limit
	maxInodes atomic.Int64 // 0: no limit
	pages     atomic.Int64 // held by files
	inodes    atomic.Int64

	root     *dir
	rootMode uint32
	rootUID  uint32
	rootGID  uint32
	reserve  func(n int64) bool // method value, made once
}

func init() {
	for _, name := range []string{"tmpfs", "rootfs", "ramfs"} {
		fs.RegisterFileSystem(&fs.FileSystem{Name: name, Mount: func(ctx *fs.Context, source string, flags uint64, data string) (*fs.SuperBlock, error) {
			return New(name, data)
		}})
	}
}

// New returns an instance. data is a mount(8) option string: size, nr_blocks,
// nr_inodes, mode, uid, gid (tmpfs(5)); EINVAL for what it does not know.
func New(name, data string) (*fs.SuperBlock, error) {
	s := &super{rootMode: 0o1777}
	if name == "rootfs" || name == "ramfs" {
		s.rootMode = 0o755
	}
	total := int64(arch.ReadFrameStats().Total)
	if name != "ramfs" {
		s.maxPages.Store(total / 2)
	}
	s.maxInodes.Store(total / 2)
	if err := s.options(data); err != nil {
		return nil, err
	}
	s.reserve = s.reservePages
	s.sb = fs.NewSuperBlock(name, unix.TMPFS_MAGIC, s)
	s.root = new(dir)
	s.root.s = s
	s.root.Init(s.sb, s.sb.NextIno(), unix.S_IFDIR|s.rootMode, s.rootUID, s.rootGID)
	s.inodes.Add(1)
	s.sb.SetRoot(s.root)
	return s.sb, nil
}

// options applies a comma-separated option string.
func (s *super) options(data string) error {
	for _, opt := range strings.Split(data, ",") {
		key, val, _ := strings.Cut(opt, "=")
		switch key {
		case "":
		case "size":
			n, err := parseSize(val)
			if err != nil {
				return err
			}
			s.maxPages.Store((n + arch.PageSize - 1) / arch.PageSize)
		case "nr_blocks":
			n, err := parseSize(val)
			if err != nil {
				return err
			}
			s.maxPages.Store(n)
		case "nr_inodes":
			n, err := parseSize(val)
			if err != nil {
				return err
			}
			s.maxInodes.Store(n)
		case "mode":
			n, err := strconv.ParseUint(val, 8, 32)
			if err != nil {
				return unix.EINVAL
			}
			s.rootMode = uint32(n) & 0o7777
		case "uid", "gid":
			n, err := strconv.ParseUint(val, 10, 32)
			if err != nil {
				return unix.EINVAL
			}
			if key == "uid" {
				s.rootUID = uint32(n)
			} else {
				s.rootGID = uint32(n)
			}
		case "huge", "mpol", "inode32", "inode64", "noswap": // accepted, without effect
		default:
			return unix.EINVAL
		}
	}
	return nil
}

// parseSize reads a number with an optional suffix k, m, g, t or % (of memory).
func parseSize(v string) (int64, error) {
	if v == "" {
		return 0, unix.EINVAL
	}
	shift := 0
	percent := false
	switch v[len(v)-1] | 0x20 {
	case 'k':
		shift = 10
	case 'm':
		shift = 20
	case 'g':
		shift = 30
	case 't':
		shift = 40
	}
	if v[len(v)-1] == '%' {
		percent = true
	}
	if shift != 0 || percent {
		v = v[:len(v)-1]
	}
	n, err := strconv.ParseUint(v, 0, 62)
	if err != nil || n > 1<<62>>shift {
		return 0, unix.EINVAL
	}
	if percent {
		if n > 1000 {
			return 0, unix.EINVAL
		}
		return int64(n) * int64(arch.ReadFrameStats().Total) / 100 * arch.PageSize, nil
	}
	return int64(n << shift), nil
}

// reservePages is the page quota of all files (mm.Object.SetPageLimit).
func (s *super) reservePages(n int64) bool {
	now := s.pages.Add(n)
	if limit := s.maxPages.Load(); n > 0 && limit != 0 && now > limit {
		s.pages.Add(-n)
		return false
	}
	return true
}

// newInode counts one more inode: ENOSPC beyond the limit, ENOMEM when
// the kernel's own memory is short.
func (s *super) newInode() error {
	if !mm.Admit() {
		return unix.ENOMEM
	}
	if n, limit := s.inodes.Add(1), s.maxInodes.Load(); limit != 0 && n > limit {
		s.inodes.Add(-1)
		return unix.ENOSPC
	}
	return nil
}

// Statfs implements fs.SuperOps.
func (s *super) Statfs(st *fs.Statfs) error {
	st.BlockSize = arch.PageSize
	if limit := s.maxPages.Load(); limit != 0 {
		st.Blocks = uint64(limit)
		st.BlocksFree = uint64(max(0, limit-s.pages.Load()))
		st.BlocksAvail = st.BlocksFree
	}
	if limit := s.maxInodes.Load(); limit != 0 {
		st.Files = uint64(limit)
		st.FilesFree = uint64(max(0, limit-s.inodes.Load()))
	}
	return nil
}

// Sync implements fs.SuperOps: there is nowhere to write to.
func (s *super) Sync() error { return nil }

// Remount implements fs.SuperOps: new limits, if they cover what is in use.
func (s *super) Remount(ctx *fs.Context, flags uint64, data string) error {
	var n super
	n.maxPages.Store(s.maxPages.Load())
	n.maxInodes.Store(s.maxInodes.Load())
	if err := n.options(data); err != nil {
		return err
	}
	if l := n.maxPages.Load(); l != 0 && l < s.pages.Load() {
		return unix.EINVAL
	}
	if l := n.maxInodes.Load(); l != 0 && l < s.inodes.Load() {
		return unix.EINVAL
	}
	s.maxPages.Store(n.maxPages.Load())
	s.maxInodes.Store(n.maxInodes.Load())
	return nil
}

// Options implements fs.SuperOps.
func (s *super) Options() string {
	var b strings.Builder
	if s.sb.FSType != "tmpfs" {
		return ""
	}
	total := int64(arch.ReadFrameStats().Total)
	if n := s.maxPages.Load(); n != total/2 {
		fmt.Fprintf(&b, ",size=%dk", n*arch.PageSize>>10)
	}
	if n := s.maxInodes.Load(); n != total/2 {
		fmt.Fprintf(&b, ",nr_inodes=%d", n)
	}
	if s.rootMode != 0o1777 {
		fmt.Fprintf(&b, ",mode=%03o", s.rootMode)
	}
	if s.rootUID != 0 {
		fmt.Fprintf(&b, ",uid=%d", s.rootUID)
	}
	if s.rootGID != 0 {
		fmt.Fprintf(&b, ",gid=%d", s.rootGID)
	}
	return b.String()
}

// Kill implements fs.SuperOps: nobody can reach the files any more; their
// frames go back.
func (s *super) Kill() {
	todo := []*dir{s.root}
	for len(todo) > 0 {
		d := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		d.Lock()
		order := d.order
		d.names, d.order = nameTable{}, nil
		d.Unlock()
		for _, e := range order {
			switch ino := e.ino.(type) {
			case *dir:
				todo = append(todo, ino)
			case *file:
				// Several names may lead here; only the last one drops the pages.
				if ino.AddNlink(-1) == 0 {
					ino.Evict()
				}
			}
		}
	}
}

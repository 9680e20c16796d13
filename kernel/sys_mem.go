package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/mm"
	"tamarix/proc"
)

// sysMmap is mmap(2).
func sysMmap(t *proc.Task, a *Args) (uintptr, error) {
	req := mm.MmapRequest{
		Addr: a[0], Len: a[1], Prot: int(a[2] & 0xffffffff), Flags: int(a[3] & 0xffffffff), Offset: a[5],
		Caller: &t.Thread,
	}
	if req.Offset&(mm.PageSize-1) != 0 {
		return 0, unix.EINVAL
	}
	if req.Flags&unix.MAP_ANONYMOUS == 0 {
		f, err := t.FSContext().Files.Get(int32(a[4]))
		if err != nil {
			return 0, err
		}
		defer f.Unref()
		mapFile(t, f, &req)
	} else {
		req.Offset = 0
	}
	if req.Flags&unix.MAP_LOCKED != 0 {
		lockLimit(t)
	}
	addr, err := t.AS.Mmap(req)
	return uintptr(addr), err
}

// mapFile asks the file what a mapping of it shows, and enters the answer into
// req. The object lives as long as f does; the mapping takes references of its
// own. A file that gives no object maps as anonymous memory (/dev/zero).
func mapFile(t *proc.Task, f *fs.File, req *mm.MmapRequest) {
	m := fs.MmapRequest{
		Offset: int64(req.Offset), Len: req.Len, Prot: req.Prot,
		Shared: req.Flags&unix.MAP_TYPE != unix.MAP_PRIVATE,
	}
	obj, maxProt, err := t.FSContext().Mmap(f, &m)
	if err != nil {
		req.FileErr = err
		return
	}
	if obj == nil {
		req.Offset = 0
		return
	}
	req.Object, req.Backing = obj, f
	req.Offset, req.MaxProt = uint64(m.Offset), maxProt
}

// lockLimit lifts RLIMIT_MEMLOCK for who holds CAP_IPC_LOCK.
func lockLimit(t *proc.Task) {
	if !t.Cred().Capable(unix.CAP_IPC_LOCK) {
		return
	}
	if l := t.AS.Limits(); l.Memlock != ^uint64(0) {
		l.Memlock = ^uint64(0)
		t.AS.SetLimits(l)
	}
}

// sysMunmap is munmap(2).
func sysMunmap(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.AS.Munmap(a[0], a[1])
}

// sysMprotect is mprotect(2).
func sysMprotect(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.AS.Mprotect(a[0], a[1], int(a[2]))
}

// sysMremap is mremap(2).
func sysMremap(t *proc.Task, a *Args) (uintptr, error) {
	addr, err := t.AS.Mremap(a[0], a[1], a[2], int(a[3]), a[4], &t.Thread)
	return uintptr(addr), err
}

// sysBrk is brk(2), which reports failure by the unchanged end.
func sysBrk(t *proc.Task, a *Args) (uintptr, error) {
	return uintptr(t.AS.Brk(a[0], &t.Thread)), nil
}

// sysMadvise is madvise(2).
func sysMadvise(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.AS.Madvise(a[0], a[1], int(int32(a[2])), &t.Thread)
}

// sysMincore is mincore(2).
func sysMincore(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.AS.Mincore(a[0], a[1], a[2])
}

// sysMsync is msync(2).
func sysMsync(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.AS.Msync(a[0], a[1], int(int32(a[2])))
}

// sysMlock is mlock(2).
func sysMlock(t *proc.Task, a *Args) (uintptr, error) {
	lockLimit(t)
	return 0, t.AS.Mlock(a[0], a[1], 0, &t.Thread)
}

// sysMlock2 is mlock2(2).
func sysMlock2(t *proc.Task, a *Args) (uintptr, error) {
	lockLimit(t)
	return 0, t.AS.Mlock(a[0], a[1], int(int32(a[2])), &t.Thread)
}

// sysMunlock is munlock(2).
func sysMunlock(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.AS.Munlock(a[0], a[1])
}

// sysMlockall is mlockall(2).
func sysMlockall(t *proc.Task, a *Args) (uintptr, error) {
	lockLimit(t)
	return 0, t.AS.Mlockall(int(int32(a[0])), &t.Thread)
}

// sysMunlockall is munlockall(2).
func sysMunlockall(t *proc.Task, a *Args) (uintptr, error) {
	return 0, t.AS.Munlockall()
}

// Commands of membarrier(2) (UAPI linux/membarrier.h; not in x/sys/unix).
const (
	membarrierQuery           = 0
	membarrierPrivate         = 1 << 3 // MEMBARRIER_CMD_PRIVATE_EXPEDITED
	membarrierRegisterPrivate = 1 << 4 // MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED
)

// sysMembarrier is membarrier(2), with the two commands that programs use
// between their own threads.
func sysMembarrier(t *proc.Task, a *Args) (uintptr, error) {
	if a[1]&0xffffffff != 0 {
		return 0, unix.EINVAL
	}
	switch int32(a[0]) {
	case membarrierQuery:
		return membarrierPrivate | membarrierRegisterPrivate, nil
	case membarrierRegisterPrivate:
		t.AS.RegisterBarrier()
		return 0, nil
	case membarrierPrivate:
		return 0, t.AS.Barrier()
	}
	return 0, unix.EINVAL
}

// sysProcessVMReadv is process_vm_readv(2).
func sysProcessVMReadv(t *proc.Task, a *Args) (uintptr, error) { return processVM(t, a, false) }

// sysProcessVMWritev is process_vm_writev(2).
func sysProcessVMWritev(t *proc.Task, a *Args) (uintptr, error) { return processVM(t, a, true) }

// processVM copies between the caller's segments and another process's, the
// other's memory one page at a time.
func processVM(t *proc.Task, a *Args, write bool) (uintptr, error) {
	if a[5] != 0 {
		return 0, unix.EINVAL
	}
	local, err := copySegments(t.AS, a[1], a[2])
	if err != nil {
		return 0, err
	}
	total, err := mm.CheckSegments(local)
	if err != nil || total == 0 {
		return 0, err
	}
	remote, err := copySegments(t.AS, a[3], a[4])
	if err != nil {
		return 0, err
	}
	if _, err := mm.CheckSegments(remote); err != nil {
		return 0, err
	}
	target := proc.FindTask(int32(a[0]))
	if target == nil {
		return 0, unix.ESRCH
	}
	if !mayAccessMemory(t, target) {
		return 0, unix.EPERM
	}
	as := target.AddressSpace()
	if as == nil {
		return 0, unix.ESRCH
	}
	defer as.Unref()

	it := mm.UserVecIter(t.AS, local)
	done := 0
	var page [mm.PageSize]byte
	for _, s := range remote {
		for off := uint64(0); off < s.Len && it.Len() > 0; {
			addr := s.Base + off
			part := page[:min(s.Len-off, mm.PageSize-addr&(mm.PageSize-1), uint64(it.Len()))]
			n := 0
			if write {
				if n, err = it.CopyFrom(part); n > 0 {
					m, werr := as.WriteRemote(addr, part[:n])
					if n = m; werr != nil {
						err = werr
					}
				}
			} else if n, err = as.ReadRemote(addr, part); n > 0 {
				m, cerr := it.CopyTo(part[:n])
				if n = m; cerr != nil {
					err = cerr
				}
			}
			done += n
			off += uint64(n)
			if err != nil {
				if done > 0 {
					return uintptr(done), nil
				}
				return 0, err
			}
		}
	}
	return uintptr(done), nil
}

// mayAccessMemory is the rule of ptrace(2) for touching another's memory
// (PTRACE_MODE_ATTACH_REALCREDS): the same process, the same user and group in
// all respects, or CAP_SYS_PTRACE.
func mayAccessMemory(t, target *proc.Task) bool {
	if t.Group == target.Group {
		return true
	}
	c, o := t.Cred(), target.Cred()
	if c.Capable(unix.CAP_SYS_PTRACE) {
		return true
	}
	return c.UID == o.UID && c.UID == o.EUID && c.UID == o.SUID &&
		c.GID == o.GID && c.GID == o.EGID && c.GID == o.SGID &&
		o.Permitted&^c.Permitted == 0
}

// maxSegments is UIO_MAXIOV (UAPI linux/uio.h).
const maxSegments = 1024

// copySegments reads an array of n struct iovec at user address addr.
func copySegments(as *mm.AddressSpace, addr, n uint64) ([]mm.Segment, error) {
	if n > maxSegments {
		return nil, unix.EINVAL
	}
	segs := make([]mm.Segment, n)
	var buf [16 * 64]byte
	for i := 0; i < len(segs); {
		part := buf[:16*min(64, len(segs)-i)]
		if err := as.CopyIn(part, addr+uint64(i)*16); err != nil {
			return nil, err
		}
		for ; len(part) > 0; part = part[16:] {
			segs[i] = mm.Segment{
				Base: binary.LittleEndian.Uint64(part),
				Len:  binary.LittleEndian.Uint64(part[8:]),
			}
			i++
		}
	}
	return segs, nil
}

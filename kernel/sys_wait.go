package kernel

import (
	"encoding/binary"
	"math"

	"golang.org/x/sys/unix"

	"tamarix/proc"
)

// Waiting for children: wait4(2), waitid(2).

// sysWait4 is wait4(2): pid, status, options, rusage.
func sysWait4(t *proc.Task, a *Args) (uintptr, error) {
	pid, options := int32(a[0]), int(uint32(a[2]))
	if options&^(unix.WNOHANG|unix.WUNTRACED|unix.WCONTINUED|unix.WNOTHREAD|unix.WCLONE|unix.WALL) != 0 {
		return 0, unix.EINVAL
	}
	w := proc.WaitTarget{Type: unix.P_PID, ID: pid, Options: options | unix.WEXITED}
	switch {
	case pid == math.MinInt32:
		return 0, unix.ESRCH
	case pid == -1:
		w.Type = unix.P_ALL
	case pid < 0:
		w.Type, w.ID = unix.P_PGID, -pid
	case pid == 0:
		w.Type = unix.P_PGID
		w.ID, _ = t.ProcessGroupOf(0)
	}
	r, err := t.Wait(&w)
	if err != nil || r.PID == 0 {
		return 0, err
	}
	if a[1] != 0 {
		if err := t.AS.Write32(a[1], uint32(r.Status)); err != nil {
			return 0, err
		}
	}
	if a[3] != 0 {
		if err := writeRusage(t, a[3], &r.Usage); err != nil {
			return 0, err
		}
	}
	return uintptr(r.PID), nil
}

// sysWaitid is waitid(2): id type, id, siginfo, options, rusage.
func sysWaitid(t *proc.Task, a *Args) (uintptr, error) {
	kind, id, options := int(int32(a[0])), int32(a[1]), int(uint32(a[3]))
	const known = unix.WNOHANG | unix.WNOWAIT | unix.WEXITED | unix.WSTOPPED | unix.WCONTINUED |
		unix.WNOTHREAD | unix.WCLONE | unix.WALL
	if options&^known != 0 || options&(unix.WEXITED|unix.WSTOPPED|unix.WCONTINUED) == 0 {
		return 0, unix.EINVAL
	}
	w := proc.WaitTarget{Type: kind, ID: id, Options: options}
	switch kind {
	case unix.P_ALL:
	case unix.P_PID:
		if id <= 0 {
			return 0, unix.EINVAL
		}
	case unix.P_PGID:
		if id < 0 {
			return 0, unix.EINVAL
		}
		if id == 0 {
			w.ID, _ = t.ProcessGroupOf(0)
		}
	case unix.P_PIDFD:
		if id < 0 {
			return 0, unix.EINVAL
		}
		f, err := t.FSContext().Files.Get(id)
		if err != nil {
			return 0, err
		}
		w.Group = proc.GroupOfFile(f)
		nonblock := f.Nonblock()
		f.Unref()
		if w.Group == nil {
			return 0, unix.EBADF
		}
		if nonblock && options&unix.WNOHANG == 0 {
			return waitPidfdNow(t, &w, a)
		}
	default:
		return 0, unix.EINVAL
	}
	r, err := t.Wait(&w)
	if err != nil {
		return 0, err
	}
	return 0, writeWaitid(t, a, &r)
}

// waitPidfdNow is waitid on a non-blocking pidfd: EAGAIN instead of waiting.
func waitPidfdNow(t *proc.Task, w *proc.WaitTarget, a *Args) (uintptr, error) {
	w.Options |= unix.WNOHANG
	r, err := t.Wait(w)
	if err != nil {
		return 0, err
	}
	if r.PID == 0 {
		return 0, unix.EAGAIN
	}
	return 0, writeWaitid(t, a, &r)
}

// writeWaitid stores the result of waitid; all zero when no child was found.
func writeWaitid(t *proc.Task, a *Args, r *proc.WaitResult) error {
	if a[4] != 0 && r.PID != 0 {
		if err := writeRusage(t, a[4], &r.Usage); err != nil {
			return err
		}
	}
	if a[2] == 0 {
		return nil
	}
	// Only these fields, as Linux does: the rest of siginfo_t is left alone.
	var b [28]byte
	if r.PID != 0 {
		put32(b[:], 0, uint32(unix.SIGCHLD))
		put32(b[:], 8, uint32(r.Code))
		put32(b[:], 16, uint32(r.PID))
		put32(b[:], 20, r.UID)
		put32(b[:], 24, uint32(r.Value))
	}
	return t.AS.CopyOut(a[2], b[:])
}

// rusageSize is sizeof(struct rusage).
const rusageSize = 144

func writeRusage(t *proc.Task, addr uint64, r *unix.Rusage) error {
	b := make([]byte, 0, rusageSize)
	b, err := binary.Append(b, binary.LittleEndian, r)
	if err != nil {
		return unix.EINVAL
	}
	return t.AS.CopyOut(addr, b)
}

// sysGetrusage is getrusage(2).
func sysGetrusage(t *proc.Task, a *Args) (uintptr, error) {
	r, err := t.Getrusage(int(int32(a[0])))
	if err != nil {
		return 0, err
	}
	return 0, writeRusage(t, a[1], &r)
}

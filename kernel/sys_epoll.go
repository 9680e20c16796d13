package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/proc"
)

// epollEventSize is sizeof(struct epoll_event), packed on x86-64 (linux/eventpoll.h).
const epollEventSize = 12

// maxEpollEvents is the most events one wait may ask for (EP_MAX_EVENTS, fs/eventpoll.c).
const maxEpollEvents = (1<<31 - 1) / epollEventSize

func sysEpollCreate(t *proc.Task, a *Args) (uintptr, error) {
	if int32(a[0]) <= 0 {
		return 0, unix.EINVAL
	}
	return epollCreate(t, 0)
}

func sysEpollCreate1(t *proc.Task, a *Args) (uintptr, error) {
	return epollCreate(t, int(int32(a[0])))
}

func epollCreate(t *proc.Task, flags int) (uintptr, error) {
	ctx := t.FSContext()
	f, err := ctx.EpollCreate(flags)
	if err != nil {
		return 0, err
	}
	return install(ctx, f, flags&unix.EPOLL_CLOEXEC != 0)
}

func sysEpollCtl(t *proc.Task, a *Args) (uintptr, error) {
	ctx := t.FSContext()
	op := int(int32(a[1]))
	var ev fs.EpollEvent
	if op != unix.EPOLL_CTL_DEL {
		var raw [epollEventSize]byte
		if err := ctx.AS.CopyIn(raw[:], a[3]); err != nil {
			return 0, err
		}
		ev = fs.EpollEvent{Events: binary.LittleEndian.Uint32(raw[:]), Data: binary.LittleEndian.Uint64(raw[4:])}
	}
	return 0, ctx.EpollCtl(fdArg(a[0]), op, fdArg(a[2]), ev)
}

func sysEpollWait(t *proc.Task, a *Args) (uintptr, error) {
	return epollWait(t, a, pollDeadline(milliseconds(a[3])))
}

func sysEpollPwait(t *proc.Task, a *Args) (uintptr, error) {
	return withMask(t, a[4], a[5], func() (uintptr, error) {
		return epollWait(t, a, pollDeadline(milliseconds(a[3])))
	})
}

func sysEpollPwait2(t *proc.Task, a *Args) (uintptr, error) {
	deadline, err := timespecArg(t, a[3])
	if err != nil {
		return 0, err
	}
	return withMask(t, a[4], a[5], func() (uintptr, error) { return epollWait(t, a, deadline) })
}

// milliseconds converts a time-out argument; negative stays negative.
func milliseconds(v uint64) int64 {
	ms := int64(int32(v))
	if ms > 0 {
		ms *= 1e6
	}
	return ms
}

func epollWait(t *proc.Task, a *Args, deadline int64) (uintptr, error) {
	ctx := t.FSContext()
	max := int(int32(a[2]))
	if max <= 0 || max > maxEpollEvents {
		return 0, unix.EINVAL
	}
	if !userSpan(a[1], uint64(max)*epollEventSize) {
		return 0, unix.EFAULT
	}
	var few [16]fs.EpollEvent
	out := few[:]
	if max > len(few) {
		out = make([]fs.EpollEvent, min(max, 1024))
	}
	out = out[:min(max, len(out))]
	n, err := ctx.EpollWait(fdArg(a[0]), out, deadline)
	if err != nil || n == 0 {
		return 0, err
	}
	var small [16 * epollEventSize]byte
	raw := small[:0]
	for _, ev := range out[:n] {
		raw = binary.LittleEndian.AppendUint32(raw, ev.Events)
		raw = binary.LittleEndian.AppendUint64(raw, ev.Data)
	}
	return uintptr(n), ctx.AS.CopyOut(a[1], raw)
}

package kernel

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/proc"
)

// Signals: signal(7).

// sigSetSize is sizeof(sigset_t) in the kernel's eyes, the last argument of the rt_ calls.
const sigSetSize = proc.NSIG / 8

// readSigSet reads a signal mask from user memory.
func readSigSet(t *proc.Task, addr uint64) (proc.SigSet, error) {
	var b [sigSetSize]byte
	if err := t.AS.CopyIn(b[:], addr); err != nil {
		return 0, err
	}
	return proc.SigSet(binary.LittleEndian.Uint64(b[:])), nil
}

func writeSigSet(t *proc.Task, addr uint64, set proc.SigSet) error {
	var b [sigSetSize]byte
	binary.LittleEndian.PutUint64(b[:], uint64(set))
	return t.AS.CopyOut(addr, b[:])
}

// signalArg checks the number of a signal that is an argument.
func signalArg(v uint64) (unix.Signal, error) {
	sig := int32(v)
	if !proc.ValidSignal(int(sig)) {
		return 0, unix.EINVAL
	}
	return unix.Signal(sig), nil
}

// sysRtSigaction is sigaction(2): a signal, new action, old action, mask size.
func sysRtSigaction(t *proc.Task, a *Args) (uintptr, error) {
	if a[3] != sigSetSize {
		return 0, unix.EINVAL
	}
	var b [32]byte // struct sigaction of the kernel, asm/signal.h
	le := binary.LittleEndian
	var act proc.SigAction
	if a[1] != 0 {
		if err := t.AS.CopyIn(b[:], a[1]); err != nil {
			return 0, err
		}
		act = proc.SigAction{
			Handler:  le.Uint64(b[0:]),
			Flags:    le.Uint64(b[8:]),
			Restorer: le.Uint64(b[16:]),
			Mask:     proc.SigSet(le.Uint64(b[24:])),
		}
	}
	sig, err := signalArg(a[0])
	if err != nil {
		return 0, err
	}
	var old proc.SigAction
	if a[1] != 0 {
		old, err = t.SetAction(sig, act)
		if err != nil {
			return 0, err
		}
	} else {
		old = t.GetAction(sig)
	}
	if a[2] != 0 {
		le.PutUint64(b[0:], old.Handler)
		le.PutUint64(b[8:], old.Flags)
		le.PutUint64(b[16:], old.Restorer)
		le.PutUint64(b[24:], uint64(old.Mask))
		return 0, t.AS.CopyOut(a[2], b[:])
	}
	return 0, nil
}

// sysRtSigprocmask is sigprocmask(2).
func sysRtSigprocmask(t *proc.Task, a *Args) (uintptr, error) {
	if a[3] != sigSetSize {
		return 0, unix.EINVAL
	}
	old := t.Blocked()
	if a[1] != 0 {
		set, err := readSigSet(t, a[1])
		if err != nil {
			return 0, err
		}
		if _, err := t.ChangeMask(int(int32(a[0])), set); err != nil {
			return 0, err
		}
	}
	if a[2] != 0 {
		return 0, writeSigSet(t, a[2], old)
	}
	return 0, nil
}

// sysRtSigpending is sigpending(2).
func sysRtSigpending(t *proc.Task, a *Args) (uintptr, error) {
	if a[1] > sigSetSize {
		return 0, unix.EINVAL
	}
	var b [sigSetSize]byte
	binary.LittleEndian.PutUint64(b[:], uint64(t.PendingSignals()))
	return 0, t.AS.CopyOut(a[0], b[:a[1]])
}

// sysRtSigsuspend is sigsuspend(2).
func sysRtSigsuspend(t *proc.Task, a *Args) (uintptr, error) {
	if a[1] != sigSetSize {
		return 0, unix.EINVAL
	}
	set, err := readSigSet(t, a[0])
	if err != nil {
		return 0, err
	}
	return 0, t.Suspend(set)
}

// sysRtSigtimedwait is sigtimedwait(2): set, siginfo out, timeout, size.
func sysRtSigtimedwait(t *proc.Task, a *Args) (uintptr, error) {
	if a[3] != sigSetSize {
		return 0, unix.EINVAL
	}
	set, err := readSigSet(t, a[0])
	if err != nil {
		return 0, err
	}
	deadline := wait.Never
	if a[2] != 0 {
		ns, err := readTimespec(t, a[2])
		if err != nil {
			return 0, err
		}
		deadline = after(ns)
	}
	info, err := t.WaitSignal(set, deadline)
	if err != nil {
		return 0, err
	}
	if a[1] != 0 {
		if err := writeSigInfo(t, a[1], &info); err != nil {
			return 0, err
		}
	}
	return uintptr(info.Signo), nil
}

func writeSigInfo(t *proc.Task, addr uint64, info *proc.SigInfo) error {
	var b [proc.SigInfoSize]byte
	info.Put(&b)
	return t.AS.CopyOut(addr, b[:])
}

// readSigInfo reads the siginfo a user wants to send with signal sig to the
// process or thread to. Only the kernel says that a signal comes from the
// kernel or from kill(2), except to oneself.
func readSigInfo(t *proc.Task, addr uint64, sig uint64, to int32) (proc.SigInfo, error) {
	var b [proc.SigInfoSize]byte
	if err := t.AS.CopyIn(b[:], addr); err != nil {
		return proc.SigInfo{}, err
	}
	info, err := proc.ParseSigInfo(&b)
	if err != nil {
		return info, err
	}
	info.Signo = int32(sig)
	if (info.Code >= 0 || info.Code == proc.SI_TKILL) && to != t.TID {
		return info, unix.EPERM
	}
	return info, nil
}

// sysRtSigqueueinfo is rt_sigqueueinfo(2).
func sysRtSigqueueinfo(t *proc.Task, a *Args) (uintptr, error) {
	pid := int32(a[0])
	info, err := readSigInfo(t, a[2], a[1], pid)
	if err != nil {
		return 0, err
	}
	if pid <= 0 {
		return 0, unix.ESRCH
	}
	return 0, t.Kill(pid, int(int32(a[1])), &info)
}

// sysRtTgsigqueueinfo is rt_tgsigqueueinfo(2).
func sysRtTgsigqueueinfo(t *proc.Task, a *Args) (uintptr, error) {
	tgid, tid := int32(a[0]), int32(a[1])
	if tgid <= 0 || tid <= 0 {
		return 0, unix.EINVAL
	}
	info, err := readSigInfo(t, a[3], a[2], tid)
	if err != nil {
		return 0, err
	}
	return 0, t.KillThread(tgid, tid, int(int32(a[2])), &info)
}

// sysKill is kill(2).
func sysKill(t *proc.Task, a *Args) (uintptr, error) {
	info := userInfo(t, a[1], proc.SI_USER)
	return 0, t.Kill(int32(a[0]), int(int32(a[1])), &info)
}

// sysTkill is tkill(2).
func sysTkill(t *proc.Task, a *Args) (uintptr, error) {
	if int32(a[0]) <= 0 {
		return 0, unix.EINVAL
	}
	info := userInfo(t, a[1], proc.SI_TKILL)
	return 0, t.KillThread(0, int32(a[0]), int(int32(a[1])), &info)
}

// sysTgkill is tgkill(2).
func sysTgkill(t *proc.Task, a *Args) (uintptr, error) {
	if int32(a[0]) <= 0 || int32(a[1]) <= 0 {
		return 0, unix.EINVAL
	}
	info := userInfo(t, a[2], proc.SI_TKILL)
	return 0, t.KillThread(int32(a[0]), int32(a[1]), int(int32(a[2])), &info)
}

// userInfo says that the caller sends a signal.
func userInfo(t *proc.Task, sig uint64, code int32) proc.SigInfo {
	return proc.UserInfo(unix.Signal(int32(sig)), code, t.Group.PID, t.Cred().UID)
}

// sysRtSigreturn is sigreturn(2). What it returns is the RAX of the frame.
func sysRtSigreturn(t *proc.Task, a *Args) (uintptr, error) {
	return uintptr(t.SigReturn()), nil
}

// sysRestartSyscall is restart_syscall(2).
func sysRestartSyscall(t *proc.Task, a *Args) (uintptr, error) { return t.RestartSyscall() }

// sysPause is pause(2).
func sysPause(t *proc.Task, a *Args) (uintptr, error) { return 0, t.Pause() }

// sysSigaltstack is sigaltstack(2).
func sysSigaltstack(t *proc.Task, a *Args) (uintptr, error) {
	var b [24]byte // stack_t: sp, flags, size
	le := binary.LittleEndian
	sp := t.Ctx.SP
	old := t.AltStack(sp)
	if a[0] != 0 {
		if err := t.AS.CopyIn(b[:], a[0]); err != nil {
			return 0, err
		}
		s := arch.AltStack{SP: le.Uint64(b[0:]), Flags: le.Uint32(b[8:]), Size: le.Uint64(b[16:])}
		if err := t.SetAltStack(s, sp); err != nil {
			return 0, err
		}
	}
	if a[1] != 0 {
		clear(b[:])
		le.PutUint64(b[0:], old.SP)
		le.PutUint32(b[8:], old.Flags)
		le.PutUint64(b[16:], old.Size)
		return 0, t.AS.CopyOut(a[1], b[:])
	}
	return 0, nil
}

// sysSignalfd is signalfd(2) without flags, sysSignalfd4 the one with them.
func sysSignalfd(t *proc.Task, a *Args) (uintptr, error) {
	return signalfd(t, int32(a[0]), a[1], a[2], 0)
}

func sysSignalfd4(t *proc.Task, a *Args) (uintptr, error) {
	return signalfd(t, int32(a[0]), a[1], a[2], int(int32(a[3])))
}

func signalfd(t *proc.Task, fd int32, set, size uint64, flags int) (uintptr, error) {
	if size != sigSetSize || flags&^(unix.SFD_CLOEXEC|unix.SFD_NONBLOCK) != 0 {
		return 0, unix.EINVAL
	}
	mask, err := readSigSet(t, set)
	if err != nil {
		return 0, err
	}
	ctx := t.FSContext()
	if fd != -1 {
		f, err := ctx.Files.Get(fd)
		if err != nil {
			return 0, err
		}
		defer f.Unref()
		return uintptr(fd), proc.SetSignalFileMask(f, mask)
	}
	f, err := t.NewSignalFile(mask, flags&unix.SFD_NONBLOCK)
	if err != nil {
		return 0, err
	}
	return installNew(t, f, flags&unix.SFD_CLOEXEC != 0)
}

// installNew gives a new file a descriptor; without one the file goes.
func installNew(t *proc.Task, f *fs.File, cloexec bool) (uintptr, error) {
	ctx := t.FSContext()
	fd, err := ctx.Files.Install(f, 0, cloexec, ctx.Limits.NoFile.Load())
	if err != nil {
		f.Unref()
		return 0, err
	}
	return uintptr(fd), nil
}

// sysPidfdSendSignal is pidfd_send_signal(2): pidfd, signal, siginfo, flags.
func sysPidfdSendSignal(t *proc.Task, a *Args) (uintptr, error) {
	if a[3] != 0 {
		return 0, unix.EINVAL
	}
	f, err := t.FSContext().Files.Get(int32(a[0]))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	g := proc.GroupOfFile(f)
	if g == nil {
		return 0, unix.EBADF
	}
	info := userInfo(t, a[1], proc.SI_USER)
	if a[2] != 0 {
		if info, err = readSigInfo(t, a[2], a[1], g.PID); err != nil {
			return 0, err
		}
	}
	return 0, t.KillGroup(g, int(int32(a[1])), &info)
}

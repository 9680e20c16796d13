package proc

import (
	"encoding/binary"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/mm"
)

// signalFile is an open signalfd, signalfd(2): reading takes pending signals of
// the reader. Polling looks at the process that made it.
type signalFile struct {
	fs.BaseOps
	mask  atomic.Uint64
	group *ThreadGroup
}

// NewSignalFile implements signalfd4(2) with descriptor -1, but for the descriptor.
func (t *Task) NewSignalFile(mask SigSet, flags int) (*fs.File, error) {
	sf := &signalFile{group: t.Group}
	sf.mask.Store(uint64(mask &^ sigUnblockable))
	return t.fsctx.NewAnonFile("anon_inode:[signalfd]", sf, unix.O_RDWR|flags)
}

// SetSignalFileMask changes the mask of a signalfd; EINVAL if f is none.
func SetSignalFileMask(f *fs.File, mask SigSet) error {
	sf, ok := f.Ops().(*signalFile)
	if !ok {
		return unix.EINVAL
	}
	sf.mask.Store(uint64(mask &^ sigUnblockable))
	sf.group.sig.arrived.WakeAll(unix.POLLIN)
	return nil
}

// signalfdInfoSize is sizeof(struct signalfd_siginfo).
const signalfdInfoSize = 128

// Read takes as many signals as fit, and waits for the first.
func (sf *signalFile) Read(ctx *fs.Context, f *fs.File, it *mm.Iter, pos *int64) (int, error) {
	t, ok := ctx.Task.(*Task)
	if !ok || it.Len() < signalfdInfoSize {
		return 0, unix.EINVAL
	}
	done := 0
	for it.Len() >= signalfdInfoSize {
		info, ok := t.takeSignal(SigSet(sf.mask.Load()))
		if !ok {
			if done > 0 {
				break
			}
			if f.Nonblock() {
				return 0, unix.EAGAIN
			}
			err := t.Group.sig.arrived.Wait(ctx.Thread, wait.Never, func() bool {
				return t.hasAny(SigSet(sf.mask.Load()))
			})
			if err != nil {
				return 0, err
			}
			continue
		}
		b := info.signalfd()
		n, err := it.CopyTo(b[:])
		if err != nil {
			if done > 0 {
				break
			}
			return 0, err
		}
		done += n
	}
	return done, nil
}

// takeSignal takes a pending signal of set, if there is one.
func (t *Task) takeSignal(set SigSet) (SigInfo, bool) {
	g := t.Group
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	q, sig := t.dequeueLocked(^set)
	if sig == 0 {
		return SigInfo{}, false
	}
	var info SigInfo
	t.takeInfoLocked(&info, q, sig)
	t.recalcLocked()
	return info, true
}

// hasAny reports whether a signal of set is pending for t.
func (t *Task) hasAny(set SigSet) bool {
	g := t.Group
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	return (t.sig.pending.set|g.sig.shared.set)&set != 0
}

// Poll implements fs.FileOps.
func (sf *signalFile) Poll(f *fs.File, pt *wait.PollTable) uint32 {
	g := sf.group
	pt.Add(&g.sig.arrived, unix.POLLIN)
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	set := g.sig.shared.set
	for _, t := range g.threads {
		set |= t.sig.pending.set
	}
	if set&SigSet(sf.mask.Load()) != 0 {
		return unix.POLLIN
	}
	return 0
}

// signalfd returns the signal as struct signalfd_siginfo (linux/signalfd.h).
func (i *SigInfo) signalfd() (b [signalfdInfoSize]byte) {
	le := binary.LittleEndian
	le.PutUint32(b[0:], uint32(i.Signo))
	le.PutUint32(b[4:], uint32(i.Errno))
	le.PutUint32(b[8:], uint32(i.Code))
	value := func() {
		le.PutUint32(b[44:], uint32(i.Value()))
		le.PutUint64(b[48:], i.Value())
	}
	sender := func() {
		le.PutUint32(b[12:], uint32(i.Pid()))
		le.PutUint32(b[16:], i.UID())
	}
	sig := i.Signal()
	switch {
	case i.Code == SI_TIMER:
		le.PutUint32(b[24:], uint32(i.TimerID()))
		le.PutUint32(b[32:], uint32(i.Overrun()))
		value()
	case i.Code == SI_SIGIO:
		le.PutUint32(b[28:], uint32(i.Band()))
		le.PutUint32(b[20:], uint32(i.FD()))
	case i.Code == SI_USER || i.Code == SI_TKILL || i.Code == SI_KERNEL:
		sender()
	case i.Code < 0:
		sender()
		value()
	case sig == unix.SIGCHLD:
		sender()
		le.PutUint32(b[40:], uint32(i.Status()))
		le.PutUint64(b[56:], i.fields[2])
		le.PutUint64(b[64:], i.fields[3])
	case sig == unix.SIGIO:
		le.PutUint32(b[28:], uint32(i.Band()))
		le.PutUint32(b[20:], uint32(i.FD()))
	case sigSynchronous.Has(sig):
		le.PutUint64(b[72:], i.Addr())
	}
	return b
}

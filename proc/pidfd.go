package proc

import (
	"fmt"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
)

// pollRdNorm is POLLRDNORM (UAPI asm-generic/poll.h).
const pollRdNorm = 0x40

// pidFile is what a descriptor from pidfd_open(2) refers to: one process, for
// ever, even when its PID is another's. It polls readable once the process has
// ended.
type pidFile struct {
	fs.BaseOps
	g *ThreadGroup
}

// Poll implements fs.FileOps.
func (p *pidFile) Poll(f *fs.File, pt *wait.PollTable) uint32 {
	pt.Add(&p.g.exitEvents, unix.POLLIN|pollRdNorm|unix.POLLHUP)
	tree.RLock()
	defer tree.RUnlock()
	switch p.g.state {
	case groupReaped:
		return unix.POLLIN | pollRdNorm | unix.POLLHUP
	case groupZombie:
		return unix.POLLIN | pollRdNorm
	}
	return 0
}

// FDInfo is the text that /proc/PID/fdinfo/N adds.
func (p *pidFile) FDInfo() string {
	tree.RLock()
	defer tree.RUnlock()
	pid := p.g.PID
	if p.g.state == groupReaped {
		pid = -1
	}
	return fmt.Sprintf("Pid:\t%d\nNSpid:\t%d\n", pid, pid)
}

func (t *Task) newPIDFile(g *ThreadGroup, flags int) (*fs.File, error) {
	return t.fsctx.NewAnonFile("[pidfd]", &pidFile{g: g}, flags)
}

// OpenPIDFile is pidfd_open(2) without the descriptor: EINVAL if pid is a thread
// that leads no process, ESRCH if there is none.
func (t *Task) OpenPIDFile(pid int32, flags int) (*fs.File, error) {
	o := FindTask(pid)
	if o == nil {
		return nil, unix.ESRCH
	}
	if o.Group.PID != pid {
		return nil, unix.EINVAL
	}
	return t.newPIDFile(o.Group, unix.O_RDWR|flags)
}

// GroupOfFile returns the process that a pidfd refers to, nil if f is none.
func GroupOfFile(f *fs.File) *ThreadGroup {
	if p, ok := f.Ops().(*pidFile); ok {
		return p.g
	}
	return nil
}

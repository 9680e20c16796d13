package proc

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/mm"
)

// CloneArgs is what clone3(2) takes (struct clone_args of UAPI linux/sched.h);
// fork, vfork and clone are put in its terms.
type CloneArgs struct {
	Flags      uint64 // CLONE_*, without the exit signal
	PIDFD      uint64 // user address of an int
	ChildTID   uint64 // user address of a pid_t, in the child
	ParentTID  uint64 // user address of a pid_t, in the parent
	ExitSignal uint64
	StackTop   uint64 // the child's stack pointer, 0: the parent's
	TLS        uint64
	SetTID     []int32 // wanted thread ids: only the first, since there is one PID namespace
}

// CLONE_CLEAR_SIGHAND and CLONE_INTO_CGROUP are beyond 32 bits; unix has them as untyped constants.
const (
	cloneNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
		unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET | unix.CLONE_NEWTIME
	cloneKnown3 = 0xffffffff&^(0xff&^unix.CLONE_NEWTIME)&^unix.CLONE_DETACHED |
		unix.CLONE_CLEAR_SIGHAND | unix.CLONE_INTO_CGROUP
)

// CheckClone3 applies the rules that only clone3(2) has: no exit signal among
// the flags, no unknown flag.
func CheckClone3(a *CloneArgs) error {
	switch {
	case a.Flags&^cloneKnown3 != 0:
	case a.ExitSignal > NSIG:
	case a.Flags&(unix.CLONE_THREAD|unix.CLONE_PARENT) != 0 && a.ExitSignal != 0:
	case a.Flags&unix.CLONE_CLEAR_SIGHAND != 0 && a.Flags&unix.CLONE_SIGHAND != 0:
	case a.Flags&unix.CLONE_INTO_CGROUP != 0: // there are no cgroups
	default:
		return nil
	}
	return unix.EINVAL
}

// checkClone applies the rules of clone(2), "ERRORS", to flags: EINVAL for
// combinations that make no sense, EPERM for namespaces without CAP_SYS_ADMIN,
// and EINVAL for namespaces otherwise, as of a kernel built without them.
func checkClone(flags uint64, admin bool) error {
	const sighandVM = unix.CLONE_SIGHAND | unix.CLONE_VM
	switch {
	case flags&(unix.CLONE_NEWNS|unix.CLONE_FS) == unix.CLONE_NEWNS|unix.CLONE_FS,
		flags&(unix.CLONE_NEWUSER|unix.CLONE_FS) == unix.CLONE_NEWUSER|unix.CLONE_FS,
		flags&unix.CLONE_THREAD != 0 && flags&unix.CLONE_SIGHAND == 0,
		flags&sighandVM == unix.CLONE_SIGHAND,
		flags&unix.CLONE_THREAD != 0 && flags&(unix.CLONE_NEWUSER|unix.CLONE_NEWPID) != 0,
		flags&unix.CLONE_PIDFD != 0 && flags&(unix.CLONE_DETACHED|unix.CLONE_THREAD) != 0:
		return unix.EINVAL
	case flags&cloneNamespaces != 0 && !admin:
		return unix.EPERM
	case flags&cloneNamespaces != 0:
		return unix.EINVAL
	}
	return nil
}

// vforkWait is where a parent waits until its child lets go of the address
// space they share. It belongs to the child until it is done.
type vforkWait struct {
	queue wait.Queue
	done  atomic.Bool
}

func (v *vforkWait) finish() {
	v.done.Store(true)
	v.queue.WakeAll(^uint32(0))
}

// Clone makes a new task: fork(2), vfork(2), clone(2) and clone3(2). It returns
// the child's thread id. On an error nothing remains of the child. The flags'
// rules that are clone3's alone have been checked by CheckClone3.
//
// The child's goroutine starts in ring 3 with a copy of the caller's registers
// and a zero result.
func (t *Task) Clone(a *CloneArgs) (int32, error) {
	flags := a.Flags
	cred := t.Cred()
	if err := checkClone(flags, cred.Capable(unix.CAP_SYS_ADMIN)); err != nil {
		return 0, err
	}
	if a.TLS >= arch.UserTop && flags&unix.CLONE_SETTLS != 0 {
		return 0, unix.EPERM
	}
	if !mm.Admit() {
		return 0, unix.ENOMEM
	}
	account, err := t.chargeTask(cred)
	if err != nil {
		return 0, err
	}
	c, err := t.copyTask(a)
	if err != nil {
		account.tasks.Add(-1)
		return 0, err
	}
	c.account = account

	var pidfd *fs.File
	fd := int32(-1)
	if flags&unix.CLONE_PIDFD != 0 {
		fd, err = t.fsctx.Files.Reserve(t.fsctx.Limits.NoFile.Load())
		if err == nil {
			pidfd, err = t.newPIDFile(c.Group, unix.O_RDWR)
		}
		if err == nil {
			err = t.AS.Write32(a.PIDFD, uint32(fd))
		}
	}
	if err == nil {
		err = t.admit(c, a)
	}
	if err != nil {
		if pidfd != nil {
			pidfd.Unref()
		}
		if fd >= 0 {
			t.fsctx.Files.Release(fd)
		}
		c.abandon()
		return 0, err
	}
	if pidfd != nil {
		t.fsctx.Files.Fill(fd, pidfd, true)
	}

	tid := c.TID
	if flags&unix.CLONE_PARENT_SETTID != 0 {
		t.AS.Write32(a.ParentTID, uint32(tid)) // a bad address is not an error (clone(2) says nothing, Linux ignores it)
	}
	var v *vforkWait
	if flags&unix.CLONE_VFORK != 0 {
		v = &c.vforkWait
		c.vfork = v
	}
	c.start()
	if v != nil {
		v.queue.WaitKillable(&t.Thread, wait.Never, v.done.Load)
	}
	return tid, nil
}

// copyTask makes the child's structures, shared or copied as the flags say. The
// child is not to be found by anyone yet.
func (t *Task) copyTask(a *CloneArgs) (*Task, error) {
	flags := a.Flags
	ctx, ok := t.Ctx.Clone()
	if !ok {
		return nil, unix.ENOMEM
	}
	as := t.AS
	if flags&unix.CLONE_VM != 0 {
		as.Ref()
	} else {
		var err error
		if as, err = t.AS.Fork(); err != nil {
			ctx.Free()
			return nil, err
		}
	}
	c := newTask(ctx)
	ctx.SetPageTable(as.PageTable())
	ctx.SetChildReturn()
	if a.StackTop != 0 {
		ctx.SetSP(a.StackTop)
	}
	if flags&unix.CLONE_SETTLS != 0 {
		ctx.SetTLS(a.TLS)
	}
	c.AS, c.fsctx.AS = as, as
	c.setCred(t.Cred())
	if flags&unix.CLONE_FS != 0 {
		c.fsctx.FS = t.fsctx.FS.Ref()
	} else {
		c.fsctx.FS = t.fsctx.FS.Fork()
	}
	if flags&unix.CLONE_FILES != 0 {
		c.fsctx.Files = t.fsctx.Files.Ref()
	} else {
		c.fsctx.Files = t.fsctx.Files.Fork()
	}
	c.comm.Store(t.comm.Load())
	c.personality = t.personality
	t.mu.Lock()
	c.sched = t.sched.fork()
	t.mu.Unlock()
	if flags&unix.CLONE_CHILD_SETTID != 0 {
		c.childSetTID = a.ChildTID
	}
	if flags&unix.CLONE_CHILD_CLEARTID != 0 {
		c.clearChildTID = a.ChildTID
	}
	if flags&unix.CLONE_THREAD != 0 {
		c.Group = t.Group
	} else {
		c.Group = t.Group.fork(c)
	}
	c.fsctx.Limits = &c.Group.fsLimits
	c.sig.initFork(t, flags)
	return c, nil
}

// newTask returns a task with its own parts in place.
func newTask(ctx *arch.UserContext) *Task {
	c := &Task{Ctx: ctx, startTime: wait.Now(), sysNr: -1}
	c.fsctx.Thread = &c.Thread
	c.fsctx.Task = c
	c.fsctx.Signal = c.PostSignal
	return c
}

// fork returns a new process for leader, with what children inherit.
func (g *ThreadGroup) fork(leader *Task) *ThreadGroup {
	n := &ThreadGroup{Leader: leader, startTime: leader.startTime}
	n.copyLimits(g)
	n.dumpable.Store(g.dumpable.Load())
	n.leftTTY.Store(g.leftTTY.Load())
	n.oomAdj.Store(g.oomAdj.Load())
	n.oomAdjMin.Store(g.oomAdjMin.Load())
	if f := g.exe.Load(); f != nil {
		n.exe.Store(f.Ref())
	}
	n.liveCount.Store(1)
	return n
}

// admit gives c its number and its place among its relatives. From here on
// others can see it.
func (t *Task) admit(c *Task, a *CloneArgs) error {
	g := t.Group
	thread := a.Flags&unix.CLONE_THREAD != 0
	tree.Lock()
	defer tree.Unlock()
	if a.Flags&unix.CLONE_PARENT != 0 && g.parent == nil {
		return unix.EINVAL // children of nobody could not be reaped
	}
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	// A signal that came while we were copying must not miss the child.
	if t.hasPendingLocked() || t.sig.killed {
		return wait.ErrRestartNoIntr
	}
	if taskCount >= maxTasks() {
		return unix.EAGAIN
	}
	slot, err := pids.allocWanted(a.SetTID, t.Cred().Capable(unix.CAP_SYS_ADMIN))
	if err != nil {
		return err
	}
	c.TID = slot.nr.Load()
	slot.task.Store(c)
	taskCount++
	forks.Add(1)
	if thread {
		g.threads = append(g.threads, c)
		g.liveCount.Add(1)
		c.fsctx.PID = g.PID
		return nil
	}
	n := c.Group
	n.PID = c.TID
	c.fsctx.PID = n.PID
	n.firstTask[0] = c
	n.threads = n.firstTask[:]
	if a.Flags&unix.CLONE_PARENT != 0 {
		n.setParent(g.parent, g.creator)
		n.exitSignal = g.exitSignal
	} else {
		n.setParent(g, t)
		n.exitSignal = unix.Signal(a.ExitSignal)
	}
	n.hasSubreaper = g.hasSubreaper || g.subreaper
	n.parent.children.add(n, linkSibling)
	n.session, n.pgrp = g.session, g.pgrp
	n.pgrp.members.add(n, linkMember)
	return nil
}

// abandon undoes copyTask for a child that was never admitted.
func (c *Task) abandon() {
	c.releaseFiles()
	c.releaseSpace()
	c.sig.hand.Unref()
	if c.Group.Leader == c {
		c.Group.releaseExe()
	}
	c.account.tasks.Add(-1)
	c.Ctx.Free()
}

// releaseSpace gives up the address space, the last user tears it down.
func (t *Task) releaseSpace() {
	t.mu.Lock()
	as := t.AS
	t.AS, t.fsctx.AS = nil, nil
	t.mu.Unlock()
	if as != nil {
		as.Unref()
	}
}

// releaseFiles gives up descriptors, root and current directory.
func (t *Task) releaseFiles() {
	t.mu.Lock()
	files, fi := t.fsctx.Files, t.fsctx.FS
	t.fsctx.Files, t.fsctx.FS = nil, nil
	t.mu.Unlock()
	if files != nil {
		files.Unref(&t.fsctx)
	}
	if fi != nil {
		fi.Unref()
	}
}

// setSpace makes as the address space, with the reference that the caller
// holds, and gives up the old one.
func (t *Task) setSpace(as *mm.AddressSpace) {
	t.Ctx.SetPageTable(as.PageTable())
	t.mu.Lock()
	old := t.AS
	t.AS, t.fsctx.AS = as, as
	t.mu.Unlock()
	if old != nil {
		old.Unref()
	}
}

func (g *ThreadGroup) releaseExe() {
	if f := g.exe.Swap(nil); f != nil {
		f.Unref()
	}
}

// maxTasks is how many tasks there may be: what the numbers and threads-max
// allow.
func maxTasks() int {
	limit := int(pids.max.Load()) - 1
	if n := int(threadsMax.Load()); n > 0 {
		limit = min(limit, n)
	}
	return limit
}

var (
	taskCount  int          // tasks that have a TID; tree lock
	threadsMax atomic.Int64 // /proc/sys/kernel/threads-max; 0: only PIDs limit
	forks      atomic.Uint64
)

// Forks returns how many tasks have been made since boot (/proc/stat, processes).
func Forks() uint64 { return forks.Load() }

// ThreadsMax returns the greatest number of tasks, SetThreadsMax changes it.
func ThreadsMax() int { return maxTasks() }

// SetThreadsMax: see ThreadsMax. EINVAL below 20 (MIN_THREADS of kernel/fork.c).
func SetThreadsMax(n int64) error {
	if n < 20 {
		return unix.EINVAL
	}
	threadsMax.Store(n)
	return nil
}

// InitThreadsMax sets the number of tasks that memory allows: an eighth of it
// at 16 KiB for each.
func InitThreadsMax() {
	threadsMax.Store(max(int64(arch.ReadFrameStats().Total)*arch.PageSize/8/16384, 64))
}

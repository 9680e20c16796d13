package proc

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/mm"
)

// signalGroup makes a process of n threads that nobody runs: tests play the
// task loop for it.
func signalGroup(t *testing.T, n int) *ThreadGroup {
	t.Helper()
	arch.InitHost(64 << 20)
	g := &ThreadGroup{PID: 1000}
	g.initialLimits()
	g.limits.lim[rlimSigPending] = unix.Rlimit{Cur: 1000, Max: 1000}
	as, err := mm.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(as.Unref)
	hand := NewSighand()
	for i := range n {
		ctx, ok := arch.NewUserContext()
		if !ok {
			t.Fatal("no memory")
		}
		t.Cleanup(ctx.Free)
		task := newTask(ctx)
		task.Group, task.TID = g, g.PID+int32(i)
		task.AS, task.fsctx.AS = as, as
		ctx.SetPageTable(as.PageTable())
		task.setCred(fs.UserCred(uint32(5000+i), 5000))
		task.sig.hand = hand.Ref()
		task.Thread.Bind()
		g.threads = append(g.threads, task)
	}
	g.Leader = g.threads[0]
	g.liveCount.Store(int32(n))
	t.Cleanup(func() {
		g.endSignals()
		for _, task := range g.threads {
			task.sig.pending.discard(^SigSet(0))
		}
	})
	return g
}

// withStack gives the task a stack of 64 KiB.
func withStack(t *testing.T, task *Task) {
	t.Helper()
	const size = 64 << 10
	addr, err := task.AS.Mmap(mm.MmapRequest{Len: size, Prot: unix.PROT_READ | unix.PROT_WRITE,
		Flags: unix.MAP_PRIVATE | unix.MAP_ANONYMOUS})
	if err != nil {
		t.Fatal(err)
	}
	task.Ctx.SP = addr + size - 128
}

func send(t *testing.T, g *ThreadGroup, sig unix.Signal) {
	t.Helper()
	info := UserInfo(sig, SI_USER, 7, 8)
	if err := SendGroup(g, &info); err != nil {
		t.Fatal(err)
	}
}

func handler(flags uint64, mask SigSet) SigAction {
	return SigAction{Handler: 0x400000, Flags: flags | SA_RESTORER, Restorer: 0x400100, Mask: mask}
}

func TestStandardSignalsCoalesceAndRealTimeOnesQueue(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	task.setBlocked(^SigSet(0))
	for i := range uint64(3) {
		for _, sig := range []unix.Signal{unix.SIGUSR1, SIGRTMIN + 2} {
			info := SigInfo{Signo: int32(sig), Code: SI_QUEUE, fields: [4]uint64{0, i}}
			if err := SendGroup(g, &info); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := task.PendingSignals(); got != sigSetOf(unix.SIGUSR1, SIGRTMIN+2) {
		t.Errorf("pending %#x", got)
	}
	var got []uint64
	for {
		info, err := task.WaitSignal(^SigSet(0), 0)
		if err != nil {
			break
		}
		got = append(got, uint64(info.Signo)<<8|info.Value())
	}
	want := []uint64{10 << 8, 34 << 8, 34<<8 | 1, 34<<8 | 2}
	if len(got) != len(want) {
		t.Fatalf("got %x, want %x", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("got %x, want %x", got, want)
		}
	}
	if n := QueuedSignals(task.Cred().UID); n != 0 {
		t.Errorf("%d signals are still charged", n)
	}
}

func TestFaultsComeFirst(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	task.setBlocked(^SigSet(0))
	for _, sig := range []unix.Signal{unix.SIGHUP, unix.SIGSEGV, unix.SIGINT} {
		info := FaultInfo(sig, 1, 0x1234)
		SendTask(task, &info)
	}
	for _, want := range []unix.Signal{unix.SIGSEGV, unix.SIGHUP, unix.SIGINT} {
		info, err := task.WaitSignal(^SigSet(0), 0)
		if err != nil || info.Signal() != want || info.Addr() != 0x1234 {
			t.Errorf("got %v (%v), want %v", info.Signal(), err, want)
		}
	}
}

func TestQueueLimit(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	g.limits.lim[rlimSigPending].Cur = 2
	task.setBlocked(^SigSet(0))
	rt := SigInfo{Signo: SIGRTMIN + 1, Code: SI_QUEUE}
	for i := range 3 {
		if err := SendGroup(g, &rt); (err == unix.EAGAIN) != (i == 2) {
			t.Errorf("%d: %v", i, err)
		}
	}
	// kill(2) always gets through; what is not recorded has no sender.
	kill := UserInfo(SIGRTMIN+5, SI_USER, 7, 8)
	if err := SendGroup(g, &kill); err != nil {
		t.Error(err)
	}
	if info, err := task.WaitSignal(sigBit(SIGRTMIN+5), 0); err != nil || info.Pid() != 0 {
		t.Errorf("%+v, %v", info, err)
	}
	send(t, g, unix.SIGTERM)
	if info, err := task.WaitSignal(sigBit(unix.SIGTERM), 0); err != nil || info.Pid() != 7 || info.UID() != 8 {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestChoiceOfThread(t *testing.T) {
	g := signalGroup(t, 3)
	for _, task := range g.threads {
		task.sig.hand.set(unix.SIGUSR1, handler(0, 0))
	}
	woken := func() (s []int) {
		for i, task := range g.threads {
			if task.Thread.Interrupted() {
				s = append(s, i)
			}
		}
		return s
	}
	send(t, g, unix.SIGUSR1)
	if w := woken(); len(w) != 1 || w[0] != 0 {
		t.Errorf("first signal: %v, want the leader", w)
	}
	g.sig.shared.discard(^SigSet(0))
	for _, task := range g.threads {
		task.recalc()
	}
	g.threads[0].setBlocked(sigBit(unix.SIGUSR1))
	g.threads[1].setBlocked(sigBit(unix.SIGUSR1))
	send(t, g, unix.SIGUSR1)
	if w := woken(); len(w) != 1 || w[0] != 2 {
		t.Errorf("two block it: %v, want the third", w)
	}
	// The one that was chosen blocks it: another has to take over.
	g.threads[1].setBlocked(0)
	g.threads[1].work.Store(0)
	g.threads[1].Thread.SetInterrupted(false)
	g.threads[2].setBlocked(sigBit(unix.SIGUSR1))
	if w := woken(); len(w) != 1 || w[0] != 1 {
		t.Errorf("handed over to %v, want the second", w)
	}
	// And if it ends instead:
	g.threads[0].setBlocked(0)
	g.threads[0].work.Store(0)
	g.threads[0].Thread.SetInterrupted(false)
	g.threads[1].exitSignals()
	if !g.threads[0].Thread.Interrupted() {
		t.Error("nobody took over from a thread that ended")
	}
}

// recalc is recalcLocked for tests.
func (t *Task) recalc() {
	t.Group.sig.mu.Lock()
	t.recalcLocked()
	t.Group.sig.mu.Unlock()
}

func TestIgnoredSignalsAreDropped(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	send(t, g, unix.SIGCHLD) // ignored by default
	task.SetAction(unix.SIGINT, SigAction{Handler: SIG_IGN})
	send(t, g, unix.SIGINT)
	if g.sig.shared.set != 0 {
		t.Errorf("pending %#x", g.sig.shared.set)
	}
	// Blocked ones stay, until they are ignored.
	task.setBlocked(sigSetOf(unix.SIGINT, unix.SIGTERM))
	send(t, g, unix.SIGINT)
	send(t, g, unix.SIGTERM)
	if g.sig.shared.set != sigSetOf(unix.SIGINT, unix.SIGTERM) {
		t.Errorf("pending %#x", g.sig.shared.set)
	}
	task.SetAction(unix.SIGTERM, SigAction{Handler: SIG_IGN})
	if g.sig.shared.set != sigSetOf(unix.SIGINT) {
		t.Errorf("pending %#x after SIG_IGN", g.sig.shared.set)
	}
}

func TestStopAndContinueCancelEachOther(t *testing.T) {
	g := signalGroup(t, 2)
	for _, task := range g.threads {
		task.setBlocked(^SigSet(0))
	}
	send(t, g, unix.SIGTSTP)
	send(t, g, unix.SIGCONT)
	if g.sig.shared.set.Has(unix.SIGTSTP) {
		t.Error("SIGCONT left SIGTSTP pending")
	}
	send(t, g, unix.SIGTTIN)
	if g.sig.shared.set.Has(unix.SIGCONT) {
		t.Error("SIGTTIN left SIGCONT pending")
	}
}

func TestKillAndStopCannotBeHandled(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	for _, sig := range []unix.Signal{unix.SIGKILL, unix.SIGSTOP} {
		if _, err := task.SetAction(sig, handler(0, 0)); err != unix.EINVAL {
			t.Errorf("%v: %v", sig, err)
		}
	}
	task.setBlocked(^SigSet(0))
	if task.Blocked()&sigUnblockable != 0 {
		t.Errorf("mask %#x", task.Blocked())
	}
	send(t, g, unix.SIGKILL)
	if !task.handleSignals(-1) || g.sig.exitStatus != int(unix.SIGKILL) {
		t.Errorf("status %#x", g.sig.exitStatus)
	}
}

func TestPID1IsProtected(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	g.sig.flags = groupProtected
	for sig := unix.Signal(1); sig <= NSIG; sig++ {
		send(t, g, sig)
	}
	if task.handleSignals(-1) || g.sig.flags&(groupExiting|groupStopped) != 0 {
		t.Fatal("a signal without handler has ended or stopped PID 1")
	}
	task.setBlocked(^SigSet(0))
	send(t, g, unix.SIGTERM)
	task.setBlocked(0)
	if task.handleSignals(-1) {
		t.Fatal("an unblocked signal has ended PID 1")
	}
	// Its own fault does.
	info := FaultInfo(unix.SIGSEGV, SEGV_MAPERR, 0)
	ForceFault(task, &info)
	if !task.handleSignals(-1) {
		t.Error("PID 1 survives its own fault")
	}
}

func TestForcedFault(t *testing.T) {
	for _, blocked := range []bool{false, true} {
		g := signalGroup(t, 1)
		task := g.threads[0]
		if blocked {
			task.setBlocked(sigBit(unix.SIGSEGV))
			task.SetAction(unix.SIGSEGV, handler(0, 0))
		} else {
			task.SetAction(unix.SIGSEGV, SigAction{Handler: SIG_IGN})
		}
		info := FaultInfo(unix.SIGSEGV, SEGV_MAPERR, 0x1000)
		ForceFault(task, &info)
		if !task.handleSignals(-1) || g.sig.exitStatus != int(unix.SIGSEGV) {
			t.Errorf("blocked %v: status %#x", blocked, g.sig.exitStatus)
		}
	}
}

func TestRestart(t *testing.T) {
	const nr = 35
	code := func(err error) uint64 { return ^uint64(err.(unix.Errno)) + 1 }
	eintr := code(unix.EINTR)
	for _, c := range []struct {
		name    string
		ret     error
		handler bool
		flags   uint64
		want    uint64 // RAX; nr with the IP backed up
	}{
		{"sys, no handler", wait.ErrRestartSys, false, 0, nr},
		{"sys, handler", wait.ErrRestartSys, true, 0, eintr},
		{"sys, SA_RESTART", wait.ErrRestartSys, true, SA_RESTART, nr},
		{"nointr, handler", wait.ErrRestartNoIntr, true, 0, nr},
		{"nohand, no handler", wait.ErrRestartNoHand, false, 0, nr},
		{"nohand, SA_RESTART", wait.ErrRestartNoHand, true, SA_RESTART, eintr},
		{"block, no handler", wait.ErrRestartBlock, false, 0, unix.SYS_RESTART_SYSCALL},
		{"block, SA_RESTART", wait.ErrRestartBlock, true, SA_RESTART, eintr},
		{"other, SA_RESTART", unix.EAGAIN, true, SA_RESTART, code(unix.EAGAIN)},
	} {
		g := signalGroup(t, 1)
		task := g.threads[0]
		withStack(t, task)
		task.Ctx.IP, task.sysNr = 0x400010, nr
		task.Ctx.SetReturn(code(c.ret))
		sig := unix.SIGWINCH
		if c.handler {
			task.SetAction(sig, handler(c.flags, 0))
		}
		send(t, g, sig)
		if task.handleSignals(nr) {
			t.Fatalf("%s: exit", c.name)
		}
		if c.handler {
			if task.Ctx.IP != 0x400000 {
				t.Fatalf("%s: no handler runs", c.name)
			}
			task.Ctx.SP += 8
			task.SigReturn()
			task.handleSignals(task.sysNr) // a RAX that looks like a restart is none
		}
		ip := uint64(0x400010)
		if c.want == nr || c.want == unix.SYS_RESTART_SYSCALL {
			ip -= 2
		}
		if task.Ctx.AX != c.want || task.Ctx.IP != ip {
			t.Errorf("%s: ax %d, ip %#x; want %d, %#x", c.name, int64(task.Ctx.AX), task.Ctx.IP, int64(c.want), ip)
		}
	}
}

func TestHandlerMasks(t *testing.T) {
	for _, c := range []struct {
		flags uint64
		want  SigSet
	}{
		{0, sigSetOf(unix.SIGUSR1, unix.SIGUSR2, unix.SIGHUP)},
		{SA_NODEFER, sigSetOf(unix.SIGUSR2, unix.SIGHUP)},
	} {
		g := signalGroup(t, 1)
		task := g.threads[0]
		withStack(t, task)
		task.setBlocked(sigBit(unix.SIGHUP))
		task.SetAction(unix.SIGUSR1, handler(c.flags|SA_RESETHAND, sigSetOf(unix.SIGUSR2, unix.SIGKILL)))
		send(t, g, unix.SIGUSR1)
		task.handleSignals(-1)
		if task.Blocked() != c.want {
			t.Errorf("flags %#x: mask in the handler %#x, want %#x", c.flags, task.Blocked(), c.want)
		}
		if task.GetAction(unix.SIGUSR1).Handler != SIG_DFL {
			t.Error("SA_RESETHAND left the handler")
		}
		task.Ctx.SP += 8
		task.SigReturn()
		if task.Blocked() != sigBit(unix.SIGHUP) {
			t.Errorf("mask after it %#x", task.Blocked())
		}
	}
}

func TestSuspendRestoresTheMaskInTheFrame(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	withStack(t, task)
	task.setBlocked(sigSetOf(unix.SIGUSR1, unix.SIGHUP))
	task.SetAction(unix.SIGUSR1, handler(0, 0))
	send(t, g, unix.SIGUSR1)
	if err := task.Suspend(sigBit(unix.SIGTERM)); err != wait.ErrRestartNoHand {
		t.Fatal(err)
	}
	task.handleSignals(130)
	if want := sigSetOf(unix.SIGUSR1, unix.SIGTERM); task.Blocked() != want {
		t.Errorf("mask in the handler %#x, want %#x", task.Blocked(), want)
	}
	task.Ctx.SP += 8
	task.SigReturn()
	if want := sigSetOf(unix.SIGUSR1, unix.SIGHUP); task.Blocked() != want {
		t.Errorf("mask afterwards %#x, want %#x", task.Blocked(), want)
	}
}

func TestFrameThatCannotBeWrittenKills(t *testing.T) {
	g := signalGroup(t, 1)
	task := g.threads[0]
	task.Ctx.SP = 0x1000 // nothing there
	task.SetAction(unix.SIGUSR1, handler(0, 0))
	task.SetAction(unix.SIGSEGV, handler(0, 0))
	send(t, g, unix.SIGUSR1)
	if !task.handleSignals(-1) || g.sig.exitStatus != int(unix.SIGSEGV) {
		t.Errorf("status %#x", g.sig.exitStatus)
	}
}

func TestSigInfoLayout(t *testing.T) {
	if unsafe.Sizeof(unix.Siginfo{}) != SigInfoSize {
		t.Errorf("size %d", unsafe.Sizeof(unix.Siginfo{}))
	}
	var b [SigInfoSize]byte
	i := ChildInfo(unix.SIGCHLD, CLD_KILLED, 0x11, 0x22, 0x33, 0x44, 0x55)
	i.Put(&b)
	// si_signo, si_code, si_pid, si_uid, si_status, si_utime, si_stime.
	for at, want := range map[int]byte{0: byte(unix.SIGCHLD), 8: CLD_KILLED, 16: 0x11, 20: 0x22, 24: 0x33, 32: 0x44, 40: 0x55} {
		if b[at] != want {
			t.Errorf("offset %d: %#x, want %#x", at, b[at], want)
		}
	}
	j, err := ParseSigInfo(&b)
	if err != nil || j != i {
		t.Errorf("%+v, %v", j, err)
	}
	b[100] = 1
	if _, err := ParseSigInfo(&b); err != unix.E2BIG {
		t.Errorf("junk at the end: %v", err)
	}
}

func TestSignalfdLayout(t *testing.T) {
	i := ChildInfo(unix.SIGCHLD, CLD_EXITED, 0x11, 0x22, 0x33, 0x44, 0x55)
	b := i.signalfd()
	s := (*unix.SignalfdSiginfo)(unsafe.Pointer(&b))
	if unsafe.Sizeof(*s) != signalfdInfoSize {
		t.Errorf("size %d", unsafe.Sizeof(*s))
	}
	if s.Signo != uint32(unix.SIGCHLD) || s.Code != CLD_EXITED || s.Pid != 0x11 || s.Uid != 0x22 ||
		s.Status != 0x33 || s.Utime != 0x44 || s.Stime != 0x55 {
		t.Errorf("%+v", s)
	}
	i = SigInfo{Signo: SIGRTMIN, Code: SI_TIMER, fields: [4]uint64{pair(3, 4), 0x1_0000_0005}}
	b = i.signalfd()
	if s.Tid != 3 || s.Overrun != 4 || s.Int != 5 || s.Ptr != 0x1_0000_0005 {
		t.Errorf("%+v", s)
	}
	i = FaultInfo(unix.SIGBUS, 2, 0x7000)
	b = i.signalfd()
	if s.Addr != 0x7000 {
		t.Errorf("%+v", s)
	}
}

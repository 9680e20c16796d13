package proc

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
	"tamarix/fs"
	"tamarix/mm"
)

// ExecArgs is a call of execveat(2). Argv and Envp are user addresses of arrays
// of pointers; for the kernel's own first program Args and Env hold the strings.
type ExecArgs struct {
	DirFD      int32
	Path       string
	Flags      int // AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW
	Argv, Envp uint64
	Args, Env  []string
}

// program is a new image on its way to being executed.
type program struct {
	t    *Task
	file *fs.File // the program or, for a script, its interpreter; referenced
	name string   // what was asked for: AT_EXECFN and the source of the command name

	args, env []argument // in order
	as        *mm.AddressSpace
	cred      *fs.Cred
	secure    bool // AT_SECURE: the program has rights that its caller lacks
	noRandom  bool

	image     elfImage
	interp    elfImage
	bias      uint64 // of image
	interpAt  uint64 // where the ELF interpreter lies, 0: none
	entry, sp uint64
	layout    mm.Layout
	stackTop  uint64

	// Scratch memory. A program that has been executed leaves it to the next.
	head          [headSize]byte
	headers       []byte // program headers
	mapping       fs.MmapRequest
	words         [64 * pointerSize]byte // of the arrays of pointers
	text          []byte                 // one argument
	argsAt, envAt []uint64
	aux           []auxEntry
	block         []byte
	stack         stackBuilder
}

// programs are those that have been executed. Nothing refers to them but what
// they refer to is not all gone: newProgram clears it.
var programs = sync.Pool{New: func() any { return new(program) }}

func newProgram(t *Task, name string) *program {
	p := programs.Get().(*program)
	p.t, p.name = t, name
	return p
}

// release leaves p to the next exec, without what it refers to. A scratch
// buffer that has become big goes.
func (p *program) release() {
	p.t, p.file, p.name, p.as, p.cred = nil, nil, "", nil, nil
	clear(p.args[:cap(p.args)])
	clear(p.env[:cap(p.env)])
	p.args, p.env = reusable(p.args), reusable(p.env)
	p.argsAt, p.envAt, p.block = reusable(p.argsAt), reusable(p.envAt), reusable(p.block)
	p.headers, p.text, p.aux = reusable(p.headers), reusable(p.text), p.aux[:0]
	p.image.Segments, p.interp.Segments = reusable(p.image.Segments), reusable(p.interp.Segments)
	p.secure, p.noRandom, p.interpAt, p.layout = false, false, 0, mm.Layout{}
	programs.Put(p)
}

// reusable returns list as an empty one, without its memory if that is much.
func reusable[T any](list []T) []T {
	if cap(list) > 1024 {
		return nil
	}
	return list[:0]
}

// argument is a string of the caller's memory, or one of the kernel's.
type argument struct {
	addr uint64
	text string
}

// Exec replaces the process's program: execve(2), execveat(2). Up to the moment
// when nothing can fail any more the old image is untouched, so every error
// leaves the caller as it was. On success the registers are the new program's,
// and the other threads are gone.
func (t *Task) Exec(a *ExecArgs) error {
	if t.crowded && t.exceedsNProc(t.Cred().UID) {
		return unix.EAGAIN
	}
	t.crowded = false
	p := newProgram(t, a.Path)
	defer p.drop()
	if err := p.open(a); err != nil {
		return err
	}
	if err := p.collect(a); err != nil {
		return err
	}
	if err := p.findFormat(a); err != nil {
		return err
	}
	p.cred, p.secure = execCred(t.Cred(), p.file)
	if err := p.load(); err != nil {
		return err
	}
	return t.commit(p)
}

// drop gives back what a failed exec still holds.
func (p *program) drop() {
	if p.as != nil {
		p.as.Unref()
	}
	if p.file != nil {
		p.file.Unref()
	}
	p.release()
}

func (p *program) open(a *ExecArgs) error {
	f, err := p.t.fsctx.OpenExec(a.DirFD, a.Path, a.Flags)
	if err != nil {
		return err
	}
	p.file = f
	if a.DirFD != unix.AT_FDCWD && !strings.HasPrefix(a.Path, "/") {
		p.name = "/dev/fd/" + strconv.Itoa(int(a.DirFD))
		if a.Path != "" {
			p.name += "/" + a.Path
		}
	}
	return nil
}

// collect reads the pointers of the argument and environment arrays.
func (p *program) collect(a *ExecArgs) error {
	for _, s := range a.Args {
		p.args = append(p.args, argument{text: s})
	}
	for _, s := range a.Env {
		p.env = append(p.env, argument{text: s})
	}
	var err error
	if p.args, err = p.pointers(p.args, a.Argv); err != nil {
		return err
	}
	if p.env, err = p.pointers(p.env, a.Envp); err != nil {
		return err
	}
	if len(p.args) == 0 {
		p.args = append(p.args, argument{}) // a program always has a name (fs/exec.c, since 5.18)
	}
	return nil
}

// pointers appends the strings whose addresses are in the array at addr.
func (p *program) pointers(list []argument, addr uint64) ([]argument, error) {
	if addr == 0 {
		return list, nil
	}
	for {
		// Never across a page border at once: what lies behind may not exist.
		n := min(uint64(len(p.words)), (arch.PageSize-addr&(arch.PageSize-1))&^(pointerSize-1))
		n = max(n, pointerSize)
		words := p.words[:n]
		if err := p.t.AS.CopyIn(words, addr); err != nil {
			return nil, err
		}
		for ; len(words) > 0; words = words[pointerSize:] {
			v := binary.LittleEndian.Uint64(words)
			if v == 0 {
				return list, nil
			}
			if len(list) >= maxArgSpace/pointerSize {
				return nil, unix.E2BIG
			}
			list = append(list, argument{addr: v})
		}
		addr += n
	}
}

// findFormat looks at the file's first bytes: a program, or a script, whose
// interpreter then takes its place, as often as maxInterpreters.
func (p *program) findFormat(a *ExecArgs) error {
	script := p.name
	if a.DirFD >= 0 && a.Flags&unix.AT_EMPTY_PATH != 0 && a.Path == "" && p.t.fsctx.Files.CloseOnExec(a.DirFD) {
		script = "" // its interpreter could not open it
	}
	for depth := 0; ; depth++ {
		n, err := p.t.fsctx.ReadAt(p.file, p.head[:], 0)
		if err != nil {
			return err
		}
		interp, arg, err := parseScript(p.head[:min(n, headSize)])
		if err != nil {
			return p.readImage(&p.image, p.file, p.head[:n])
		}
		if script == "" {
			return unix.ENOENT
		}
		if depth == maxInterpreters {
			return unix.ELOOP
		}
		args := []argument{{text: interp}}
		if arg != "" {
			args = append(args, argument{text: arg})
		}
		args = append(args, argument{text: script})
		p.args = append(args, p.args[1:]...)
		script = interp
		f, err := p.t.fsctx.OpenExec(unix.AT_FDCWD, interp, 0)
		if err != nil {
			return err
		}
		p.file.Unref()
		p.file = f
	}
}

// readImage reads the headers of f, whose first bytes are head.
func (p *program) readImage(m *elfImage, f *fs.File, head []byte) error {
	if err := m.parseHeader(head); err != nil {
		return err
	}
	off, n := m.headerSpan()
	if off+int64(n) <= int64(len(head)) {
		return m.parsePrograms(head[off:][:n], uint64(f.Inode().Base().Size()))
	}
	p.headers = slices.Grow(p.headers[:0], n)[:n]
	if got, err := p.t.fsctx.ReadAt(f, p.headers, off); err != nil || got < n {
		return unix.ENOEXEC
	}
	return m.parsePrograms(p.headers, uint64(f.Inode().Base().Size()))
}

// commit is the point of no return: the other threads go, then t lives in the
// new address space.
func (t *Task) commit(p *program) error {
	g := t.Group
	if err := t.becomeOnlyThread(); err != nil {
		return err
	}
	t.exitRobustFutexes()
	t.clearTID()

	g.sig.mu.Lock()
	g.deadUsage.MaxRSS = max(g.deadUsage.MaxRSS, peakRSS(t.AS))
	g.sig.mu.Unlock()
	t.setSpace(p.as)
	p.as = nil

	// Before anybody can see that the exec has happened: by the end of its vfork,
	// by a descriptor that closes.
	t.SetComm(p.name[strings.LastIndexByte(p.name, '/')+1:])
	t.Ctx.SetLabel(t.Comm())
	if exe := g.exe.Swap(p.file); exe != nil {
		exe.Unref()
	}
	p.file = nil
	tree.Lock()
	g.executed = true
	g.exitSignal = unix.SIGCHLD
	tree.Unlock()
	t.finishVfork()

	t.unshareFiles()
	t.fsctx.Files.CloseExec(&t.fsctx)
	t.execReset()

	old := t.Cred()
	t.setCred(p.cred)
	changed := old.EUID != p.cred.EUID || old.EGID != p.cred.EGID
	if changed || p.secure {
		g.dumpable.Store(0)
	} else {
		g.dumpable.Store(1)
	}
	if p.secure {
		t.personality &^= perClearOnSetID
	}
	if p.secure || changed {
		tree.Lock()
		t.parentDeath = 0
		tree.Unlock()
	}

	t.Ctx.Reset(p.entry, p.sp)
	return nil
}

// becomeOnlyThread ends all other threads of the process, waits for them, and
// makes t the leader: its number becomes the process's (execve(2), "Effect on
// threads"). EAGAIN if the process is ending anyway.
func (t *Task) becomeOnlyThread() error {
	g := t.Group
	g.sig.mu.Lock()
	if g.sig.flags&groupExiting != 0 || g.execWaiter != nil {
		g.sig.mu.Unlock()
		return unix.EAGAIN
	}
	if len(g.threads) > 1 {
		g.execWaiter = t
		for _, o := range g.threads {
			if o != t {
				o.killLocked()
			}
		}
	}
	g.sig.mu.Unlock()
	t.waitForOthers()

	tree.Lock()
	defer tree.Unlock()
	old := g.Leader
	if old == t {
		return nil
	}
	mine := t.TID
	pids.slot(g.PID).task.Store(t)
	pids.slot(mine).task.Store(nil)
	pids.release(mine)
	taskCount--
	t.TID = g.PID
	g.Leader = t
	for c := g.children.head; c != nil; c = c.sibling.next {
		if c.creator == old {
			c.creator = t
		}
	}
	return nil
}

// StartInit makes PID 1, which executes path with the given arguments and
// environment. fi and files become its own. It returns an error of Exec and
// leaves nothing behind then.
func StartInit(fi *fs.FSInfo, files *fs.FDTable, a *ExecArgs) error {
	ctx, ok := arch.NewUserContext()
	if !ok {
		return unix.ENOMEM
	}
	as, err := mm.New() // a stand-in until Exec brings the real one
	if err != nil {
		ctx.Free()
		return err
	}
	t := newTask(ctx)
	t.Thread.Bind()
	t.fsctx.FS, t.fsctx.Files = fi, files
	t.AS, t.fsctx.AS = as, as
	ctx.SetPageTable(as.PageTable())
	t.setCred(fs.RootCred())
	t.sig.hand = NewSighand()
	t.SetComm("init")
	t.Ctx.SetLabel("init")
	g := &ThreadGroup{Leader: t, startTime: t.startTime}
	t.Group = g
	g.initialLimits()
	g.dumpable.Store(1)
	g.liveCount.Store(1)
	g.sig.flags = groupProtected
	t.fsctx.Limits = &g.fsLimits
	t.account = accountOf(0)
	t.account.tasks.Add(1)
	g.threads = []*Task{t}

	tree.Lock()
	slot, err := pids.alloc()
	if err != nil || slot.nr.Load() != 1 {
		tree.Unlock()
		klog.Errorf("PID 1 is taken")
		return unix.EAGAIN
	}
	t.TID, g.PID, t.fsctx.PID = 1, 1, 1
	slot.task.Store(t)
	taskCount++
	// Session and group 0, which have no leader and no number, until it calls
	// setsid(2) - or never, as a shell in init's place.
	g.session = &Session{groups: 1}
	g.enterProcessGroup(&ProcessGroup{Session: g.session})
	initGroup = g
	tree.Unlock()

	if err = t.Exec(a); err != nil {
		tree.Lock()
		initGroup = nil
		g.leaveProcessGroup()
		t.freeTID()
		pids.last = 0
		tree.Unlock()
		t.account.tasks.Add(-1)
		t.AS = nil
		as.Unref()
		ctx.Free()
		return err
	}
	t.start()
	return nil
}

// initGroup is PID 1, which never ends.
var initGroup *ThreadGroup

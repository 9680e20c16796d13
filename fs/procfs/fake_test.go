package procfs

import (
	"testing"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/fs/tmpfs"
	"tamarix/mm"
)

// fakeProcess is a task with fixed figures.
type fakeProcess struct {
	tid, tgid int32
	dead      bool
	cred      *fs.Cred
	dumpable  int
	info      Info
	as        *mm.AddressSpace
	files     *fs.FDTable
	fsinfo    *fs.FSInfo
	comm      string
}

func (p *fakeProcess) TID() int32     { return p.tid }
func (p *fakeProcess) TGID() int32    { return p.tgid }
func (p *fakeProcess) Alive() bool    { return !p.dead }
func (p *fakeProcess) Cred() *fs.Cred { return p.cred }
func (p *fakeProcess) Dumpable() int  { return p.dumpable }
func (p *fakeProcess) Info(i *Info, whole bool) {
	*i = p.info
	i.Comm = p.comm
	if !whole {
		i.User = 1 * second
	}
}
func (p *fakeProcess) AddressSpace() *mm.AddressSpace {
	if p.as != nil {
		p.as.Ref()
	}
	return p.as
}
func (p *fakeProcess) Files() *fs.FDTable { return p.files.Ref() }
func (p *fakeProcess) FSInfo() *fs.FSInfo { return p.fsinfo.Ref() }
func (p *fakeProcess) Exe() *fs.File      { return nil }
func (p *fakeProcess) Limits() (l [NumLimits]unix.Rlimit) {
	for i := range l {
		l[i] = unix.Rlimit{Cur: uint64(i), Max: unix.RLIM_INFINITY}
	}
	return l
}
func (p *fakeProcess) Threads() []int32                          { return []int32{p.tgid, p.tgid + 1} }
func (p *fakeProcess) SetComm(name string)                       { p.comm = name }
func (p *fakeProcess) SetOOMScoreAdj(_ *fs.Context, v int) error { p.info.OOMScoreAdj = v; return nil }

// fakeSource has process 7 with threads 7 and 8, and process 9.
type fakeSource struct {
	tasks    map[int32]*fakeProcess
	self     int32
	hostname string
	sysrq    []byte
}

func (s *fakeSource) Next(from int32) Process {
	for _, pid := range []int32{7, 9} {
		if p := s.tasks[pid]; pid >= from && !p.dead {
			return p
		}
	}
	return nil
}

func (s *fakeSource) Find(tid int32) Process {
	if p := s.tasks[tid]; p != nil {
		return p
	}
	return nil
}

func (s *fakeSource) Self(*fs.Context) (int32, int32) { return s.self, s.self }

func (s *fakeSource) System() System {
	return System{
		Forks: 100, Tasks: 12, Running: 2, LastPID: 99, Load: [3]float64{0.5, 1.25, 10}, Boot: 1700000000,
		Uptime: 12345*second + 670_000_000, Idle: 100*second + 10_000_000, CommandLine: "console=ttyS0",
		Release: "6.1.0-x", Version: "#1 SMP", Builder: "b", Compiler: "go",
	}
}

func (s *fakeSource) SysRq(key byte) { s.sysrq = append(s.sysrq, key) }

func (s *fakeSource) Settings() []Setting {
	return []Setting{
		{Path: "kernel/hostname", Mode: 0o644, Get: func(*fs.Context) string { return s.hostname },
			Set: func(_ *fs.Context, v string) error { s.hostname = v; return nil }},
		{Path: "kernel/random/boot_id", Mode: 0o444, Get: func(*fs.Context) string { return "id" }},
		{Path: "vm/overcommit_memory", Mode: 0o444, Get: func(*fs.Context) string { return "0" }},
	}
}

type world struct {
	ctx *fs.Context
	src *fakeSource
	p   *fakeProcess // process 7
}

// newWorld mounts /proc on a fresh root. The caller is process 7.
func newWorld(t *testing.T) *world {
	t.Helper()
	sb, err := tmpfs.New("rootfs", "")
	if err != nil {
		t.Fatal(err)
	}
	ctx := fs.NewContext(fs.NewRootMount(sb, "rootfs"), new(wait.Thread))
	if err := ctx.Mkdir(unix.AT_FDCWD, "/proc", 0o755); err != nil {
		t.Fatal(err)
	}
	src := &fakeSource{self: 7, hostname: "old", tasks: map[int32]*fakeProcess{}}
	for tid, tgid := range map[int32]int32{7: 7, 8: 7, 9: 9} {
		src.tasks[tid] = &fakeProcess{
			tid: tid, tgid: tgid, cred: fs.RootCred(), dumpable: 1, comm: "prog (x", files: ctx.Files, fsinfo: ctx.FS,
			info: Info{State: 'S', PPID: 1, PGID: 7, SID: 5, TTY: unix.Mkdev(4, 64), Foreground: 7, Threads: 2,
				User: 2 * second, System: 30_000_000, Priority: 20, Start: 5 * second, ExitSignal: 17,
				Pending: 1 << 2, Blocked: 1 << 40, Voluntary: 3},
		}
	}
	src.tasks[9].cred = fs.UserCred(1000, 1000)
	Register(src)
	if err := ctx.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		t.Fatal(err)
	}
	return &world{ctx, src, src.tasks[7]}
}

func (w *world) open(path string, flags int) (*fs.File, error) {
	return w.ctx.Open(unix.AT_FDCWD, path, flags, 0)
}

// read returns a file's whole text, read by pieces of n bytes.
func (w *world) read(t *testing.T, path string, n int) string {
	t.Helper()
	f, err := w.open(path, unix.O_RDONLY)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer f.Unref()
	var pos int64
	var out []byte
	b := make([]byte, n)
	for {
		it := mm.BytesIter(b)
		k, err := f.Ops().Read(w.ctx, f, &it, &pos)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if k == 0 {
			return string(out)
		}
		out = append(out, b[:k]...)
	}
}

func (w *world) write(path, s string) error {
	f, err := w.open(path, unix.O_WRONLY)
	if err != nil {
		return err
	}
	defer f.Unref()
	it := mm.BytesIter([]byte(s))
	var pos int64
	_, err = f.Ops().Write(w.ctx, f, &it, &pos)
	return err
}

func (w *world) list(t *testing.T, dir string) []string {
	t.Helper()
	f, err := w.open(dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		t.Fatalf("%s: %v", dir, err)
	}
	defer f.Unref()
	var names []string
	room := 0
	for { // a few names at a time, as a small getdents buffer takes them
		room = 3
		before := len(names)
		if err := w.ctx.ReadDir(f, func(name string, _ uint64, _ uint8, _ int64) bool {
			if room == 0 {
				return false
			}
			room--
			names = append(names, name)
			return true
		}); err != nil {
			t.Fatalf("%s: %v", dir, err)
		}
		if len(names) == before {
			return names
		}
	}
}

package procfs

import (
	"sort"
	"strconv"

	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/mm"
)

// process is the directory of a process or of one of its threads.
type process struct{ dir }

// Transient implements fs.Transient.
func (*process) Transient() {}

// newProcess makes the directory of t: of its whole process, /proc/PID, or of the
// thread alone, /proc/PID/task/TID.
func (p *FS) newProcess(t Process, whole bool) *process {
	n := &process{dir{p: p, proc: t, whole: whole, entries: threadEntries}}
	if whole {
		n.entries = processEntries
	}
	n.Init(p.sb, pidIno(t.TID(), !whole), unix.S_IFDIR|0o555, 0, 0)
	own(&n.InodeBase, t)
	return n
}

// info returns the figures that files of d show.
func (d *dir) info() *Info {
	i := new(Info)
	d.proc.Info(i, d.whole)
	return i
}

// threadEntries are what the directories of processes and of threads have in
// common; processEntries adds what only a process has.
var threadEntries, processEntries []entry

func init() {
	threadEntries = []entry{
		procText("auxv", 0o400, needTrace, auxv),
		procText("cgroup", 0o444, 0, func(*fs.Context, *dir, *writer) error { return nil }),
		procText("cmdline", 0o444, 0, cmdline),
		{"comm", unix.S_IFREG | 0o644, newComm},
		magicLink("cwd", func(p Process) (fs.Path, error) { return fsPath(p, (*fs.FSInfo).Cwd) }),
		procText("environ", 0o400, needTrace, environ),
		magicLink("exe", exePath),
		{"fd", unix.S_IFDIR | 0o500, newFDDir},
		{"fdinfo", unix.S_IFDIR | 0o555, newFDDir},
		procText("io", 0o400, needTrace, ioCounts),
		procText("limits", 0o444, 0, limits),
		procText("maps", 0o444, needTrace, maps),
		{"mem", unix.S_IFREG | 0o600, newMem},
		procText("mountinfo", 0o444, 0, mountInfo),
		procText("mounts", 0o444, 0, mounts),
		procText("oom_score", 0o444, 0, func(_ *fs.Context, d *dir, w *writer) error { w.printf("%d\n", d.info().OOMScore); return nil }),
		{"oom_score_adj", unix.S_IFREG | 0o644, newOOMScoreAdj},
		{"pagemap", unix.S_IFREG | 0o400, newPagemap},
		procText("personality", 0o400, needTrace, func(_ *fs.Context, d *dir, w *writer) error { w.printf("%08x\n", d.info().Personality); return nil }),
		magicLink("root", func(p Process) (fs.Path, error) { return fsPath(p, (*fs.FSInfo).Root) }),
		procText("smaps", 0o444, needTrace, smaps),
		procText("smaps_rollup", 0o444, needTrace, smapsRollup),
		procText("stat", 0o444, 0, stat),
		procText("statm", 0o444, 0, statm),
		procText("status", 0o444, 0, status),
		procText("wchan", 0o444, needTraceText, wchan),
	}
	processEntries = append([]entry{
		{"task", unix.S_IFDIR | 0o555, func(d *dir, e *entry) fs.Inode {
			t := &taskDir{dir{p: d.p, proc: d.proc}}
			t.Init(d.p.sb, d.p.sb.NextIno(), e.mode, 0, 0)
			own(&t.InodeBase, d.proc)
			return t
		}},
	}, threadEntries...)
	sort.Slice(processEntries, func(i, j int) bool { return processEntries[i].name < processEntries[j].name })
}

// How the text of a process's file is protected beyond its mode.
const (
	needTrace     = 1 // opening needs mayTrace
	needTraceText = 2 // the text is "0" without it
)

// procText makes an entry of a process whose text gen writes. A read after the
// process has ended is ESRCH.
func procText(name string, perm uint32, access int, gen func(ctx *fs.Context, d *dir, w *writer) error) entry {
	return entry{name, unix.S_IFREG | perm, func(d *dir, e *entry) fs.Inode {
		g := func(ctx *fs.Context, w *writer) error {
			if !d.proc.Alive() {
				return unix.ESRCH
			}
			if access == needTraceText && mayTrace(ctx, d.p.src, d.proc) != nil {
				w.print("0")
				return nil
			}
			return gen(ctx, d, w)
		}
		return d.newFile(e, func(ctx *fs.Context, _ *fs.File) (fs.FileOps, error) {
			if access == needTrace {
				if err := mayTrace(ctx, d.p.src, d.proc); err != nil {
					return nil, err
				}
			}
			return &text{gen: g}, nil
		})
	}}
}

// taskDir is /proc/PID/task.
type taskDir struct{ dir }

// Lookup implements fs.Inode.
func (t *taskDir) Lookup(_ *fs.Context, name string) (fs.Inode, error) {
	tid := parsePID(name)
	if tid == 0 {
		return nil, unix.ENOENT
	}
	p := t.p.src.Find(tid)
	if p == nil || p.TGID() != t.proc.TGID() || !p.Alive() {
		return nil, unix.ENOENT
	}
	return t.p.newProcess(p, false), nil
}

// Stat implements fs.Inode: one link for each thread, as programs count them.
func (t *taskDir) Stat(_ *fs.Context, st *fs.Attr) error {
	t.FillAttr(st)
	st.Nlink = uint32(2 + len(t.proc.Threads()))
	return nil
}

// Open implements fs.Inode.
func (t *taskDir) Open(*fs.Context, *fs.File) (fs.FileOps, error) {
	return &taskFile{dirFile{dir: &t.dir}}, nil
}

type taskFile struct{ dirFile }

// Readdir implements fs.FileOps. A thread's position is its id + 2.
func (o *taskFile) Readdir(_ *fs.Context, f *fs.File, d *fs.DirContext) error {
	if !o.dir.proc.Alive() {
		return unix.ENOENT
	}
	if !d.EmitDots(f) {
		return nil
	}
	for _, tid := range o.dir.proc.Threads() {
		pos := int64(tid) + 2
		if d.Pos <= pos && !d.Emit(strconv.Itoa(int(tid)), pidIno(tid, true), unix.DT_DIR, pos+1) {
			return nil
		}
	}
	return nil
}

// magic is a symbolic link that jumps to where the process stands.
type magic struct {
	fs.InodeBase
	d    *dir
	path func(p Process) (fs.Path, error)
}

func magicLink(name string, path func(p Process) (fs.Path, error)) entry {
	return entry{name, unix.S_IFLNK | 0o777, func(d *dir, e *entry) fs.Inode {
		m := &magic{d: d, path: path}
		m.Init(d.p.sb, d.p.sb.NextIno(), e.mode, 0, 0)
		own(&m.InodeBase, d.proc)
		return m
	}}
}

// Revalidate implements fs.Revalidator.
func (m *magic) Revalidate(*fs.Context, string) bool { return revalidate(&m.InodeBase, m.d.proc) }

// SetAttr implements fs.Inode.
func (m *magic) SetAttr(*fs.Context, *fs.SetAttr) error { return unix.EPERM }

// FollowLink implements fs.Magic.
func (m *magic) FollowLink(ctx *fs.Context) (fs.Path, error) {
	if err := mayTrace(ctx, m.d.p.src, m.d.proc); err != nil {
		return fs.Path{}, err
	}
	return m.path(m.d.proc)
}

// Readlink implements fs.Inode.
func (m *magic) Readlink(ctx *fs.Context) (string, error) {
	p, err := m.FollowLink(ctx)
	if err != nil {
		return "", err
	}
	name, _ := p.From(ctx.FS.Root())
	return name, nil
}

func fsPath(p Process, which func(*fs.FSInfo) fs.Path) (fs.Path, error) {
	fi := p.FSInfo()
	if fi == nil {
		return fs.Path{}, unix.ENOENT
	}
	defer fi.Unref()
	return which(fi), nil
}

func exePath(p Process) (fs.Path, error) {
	f := p.Exe()
	if f == nil {
		return fs.Path{}, unix.ENOENT
	}
	defer f.Unref()
	return f.Path(), nil
}

// newComm makes comm: the command name, which a process may change for itself
// and its threads.
func newComm(d *dir, e *entry) fs.Inode {
	return d.newFile(e, func(*fs.Context, *fs.File) (fs.FileOps, error) {
		return &text{
			gen: func(_ *fs.Context, w *writer) error {
				if !d.proc.Alive() {
					return unix.ESRCH
				}
				w.print(d.info().Comm + "\n")
				return nil
			},
			store: func(ctx *fs.Context, v string) error {
				if tgid, _ := d.p.src.Self(ctx); tgid != d.proc.TGID() {
					return unix.EINVAL
				}
				d.proc.SetComm(cutLine(v))
				return nil
			},
		}, nil
	})
}

func newOOMScoreAdj(d *dir, e *entry) fs.Inode {
	return d.newFile(e, func(*fs.Context, *fs.File) (fs.FileOps, error) {
		return &text{
			gen: func(_ *fs.Context, w *writer) error {
				if !d.proc.Alive() {
					return unix.ESRCH
				}
				w.printf("%d\n", d.info().OOMScoreAdj)
				return nil
			},
			store: func(ctx *fs.Context, v string) error {
				n, err := strconv.Atoi(trim(v))
				if err != nil || n < -1000 || n > 1000 {
					return unix.EINVAL
				}
				return d.proc.SetOOMScoreAdj(ctx, n)
			},
		}, nil
	})
}

// remote reads memory from addr to end, at most max bytes, as far as it is mapped.
func remote(as *mm.AddressSpace, addr, end uint64, max int) []byte {
	if end <= addr {
		return nil
	}
	b := make([]byte, min(end-addr, uint64(max)))
	n, _ := as.ReadRemote(addr, b)
	return b[:n]
}

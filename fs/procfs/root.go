package procfs

import (
	"strconv"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// root is /proc itself: the global table, and a directory for each process.
type root struct{ dir }

func (p *FS) newRoot() *root {
	r := &root{dir{p: p, entries: rootEntries}}
	r.Init(p.sb, rootIno, unix.S_IFDIR|0o555, 0, 0)
	r.entries = append([]entry(nil), rootEntries...)
	for _, s := range []struct {
		name string
		dir  *dir
	}{{"sys", p.newSys()}, {"tamarix", p.newDir(0o555, tamarixEntries)}} {
		r.entries = append(r.entries, entry{s.name, unix.S_IFDIR | 0o555, func(*dir, *entry) fs.Inode { return s.dir }})
	}
	r.entries = append(r.entries, p.extraEntries()...)
	return r
}

// rootEntries are the global files of proc(5).
var rootEntries = []entry{
	linkFile("self", func(p *FS, ctx *fs.Context) (string, error) {
		tgid, _ := p.src.Self(ctx)
		if tgid == 0 {
			return "", unix.ENOENT
		}
		return strconv.Itoa(int(tgid)), nil
	}),
	linkFile("thread-self", func(p *FS, ctx *fs.Context) (string, error) {
		tgid, tid := p.src.Self(ctx)
		if tgid == 0 {
			return "", unix.ENOENT
		}
		return strconv.Itoa(int(tgid)) + "/task/" + strconv.Itoa(int(tid)), nil
	}),
	linkFile("mounts", func(*FS, *fs.Context) (string, error) { return "self/mounts", nil }),
	global("cmdline", func(p *FS, w *writer) { w.print(p.src.System().CommandLine + "\n") }),
	global("cpuinfo", cpuInfo),
	global("devices", func(_ *FS, w *writer) { w.print(fs.Devices()) }),
	global("filesystems", func(_ *FS, w *writer) { w.print(fs.FileSystems()) }),
	global("interrupts", interrupts),
	entryKmsg,
	global("loadavg", loadAvg),
	global("meminfo", memInfo),
	global("partitions", func(_ *FS, w *writer) { w.print("major minor  #blocks  name\n\n") }),
	global("stat", systemStat),
	global("swaps", func(_ *FS, w *writer) { w.print("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n") }),
	sysrqTrigger,
	global("uptime", uptime),
	global("version", version),
	global("vmstat", vmStat),
}

// Lookup implements fs.Inode.
func (r *root) Lookup(_ *fs.Context, name string) (fs.Inode, error) {
	if e := r.find(name); e != nil {
		return e.make(&r.dir, e), nil
	}
	tid := parsePID(name)
	if tid == 0 {
		return nil, unix.ENOENT
	}
	// A thread that is no process is found by name, though not listed (proc(5)).
	if t := r.p.src.Find(tid); t != nil && t.Alive() {
		return r.p.newProcess(t, true), nil
	}
	return nil, unix.ENOENT
}

// parsePID reads a process number without leading zeros; 0 if name is none.
func parsePID(name string) int32 {
	if name == "" || name[0] < '1' || name[0] > '9' {
		return 0
	}
	n, err := strconv.ParseInt(name, 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}

// Open implements fs.Inode.
func (r *root) Open(*fs.Context, *fs.File) (fs.FileOps, error) { return &rootFile{r: r}, nil }

type rootFile struct {
	fs.BaseOps
	r *root
}

// Seek implements fs.FileOps.
func (o *rootFile) Seek(_ *fs.Context, f *fs.File, off int64, whence int) (int64, error) {
	return seek(f, off, whence)
}

// firstPID is the directory position of process 0: after the table.
const firstPID = 1 << 8

// Readdir implements fs.FileOps.
func (o *rootFile) Readdir(_ *fs.Context, f *fs.File, d *fs.DirContext) error {
	if !d.EmitDots(f) || !o.r.emitTable(d) {
		return nil
	}
	for from := int32(max(d.Pos, firstPID) - firstPID); ; {
		p := o.r.p.src.Next(from)
		if p == nil {
			return nil
		}
		pid := p.TGID()
		if !d.Emit(strconv.Itoa(int(pid)), pidIno(pid, false), unix.DT_DIR, firstPID+int64(pid)+1) {
			return nil
		}
		from = pid + 1
	}
}

// pidIno is the inode number of a process's or thread's directory.
func pidIno(tid int32, thread bool) uint64 {
	n := 1<<40 | uint64(tid)<<1
	if thread {
		n |= 1
	}
	return n
}

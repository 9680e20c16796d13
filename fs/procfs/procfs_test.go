package procfs

import (
	"bytes"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/fs"
	"tamarix/mm"
)

func TestMain(m *testing.M) {
	arch.InitHost(16 << 20)
	os.Exit(m.Run())
}

func TestGlobalTexts(t *testing.T) {
	w := newWorld(t)
	for path, want := range map[string]string{
		"/proc/uptime":                    "12345.67 100.01\n",
		"/proc/loadavg":                   "0.50 1.25 10.00 2/12 99\n",
		"/proc/version":                   "Linux version 6.1.0-x (b) (go) #1 SMP\n",
		"/proc/cmdline":                   "console=ttyS0\n",
		"/proc/swaps":                     "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n",
		"/proc/sys/kernel/hostname":       "old\n",
		"/proc/sys/kernel/random/boot_id": "id\n",
		"/proc/7/comm":                    "prog (x\n",
		"/proc/7/oom_score_adj":           "0\n",
		"/proc/7/personality":             "00000000\n",
		"/proc/7/cgroup":                  "",
		"/proc/7/cmdline":                 "",
		"/proc/thread-self/task/8/comm":   "",
	} {
		if strings.Contains(path, "thread-self") {
			continue
		}
		for _, n := range []int{1, 7, 4096} {
			if got := w.read(t, path, n); got != want {
				t.Errorf("%s by %d: %q, want %q", path, n, got, want)
			}
		}
	}
}

// TestKeysAreLinux compares the names in front of the figures with the host's.
func TestKeysAreLinux(t *testing.T) {
	w := newWorld(t)
	for path, mine := range map[string]string{
		"/proc/meminfo":     "/proc/meminfo",
		"/proc/self/status": "/proc/7/status",
		"/proc/stat":        "/proc/stat",
		"/proc/self/limits": "/proc/7/limits",
	} {
		host, err := os.ReadFile(path)
		if err != nil {
			t.Skip(err)
		}
		key := func(line string) string {
			if path == "/proc/self/limits" {
				return line[:min(26, len(line))]
			}
			return strings.FieldsFunc(line+" ", func(r rune) bool { return r == ':' || r == ' ' || r == '\t' })[0]
		}
		known := map[string]bool{
			"cow_copies": true, "cow_claims": true, "zero_fills": true, // ours
			"Kthread": true, "untag_mask": true, // newer than some hosts
		}
		for _, l := range strings.Split(strings.TrimSpace(string(host)), "\n") {
			known[key(l)] = true
		}
		for _, l := range strings.Split(strings.TrimSpace(w.read(t, mine, 100)), "\n") {
			if k := key(l); !known[k] && !strings.HasPrefix(k, "cpu") {
				t.Errorf("%s: line %q is none of Linux", mine, l)
			}
		}
	}
}

func TestStat(t *testing.T) {
	w := newWorld(t)
	line := w.read(t, "/proc/7/stat", 10)
	const head = "7 (prog (x) S 1 7 5 1088 7 0 0 0 0 0 200 3 0 0 20 0 2 0 500 0 0 0 "
	if !strings.HasPrefix(line, head) {
		t.Errorf("stat %q\nwant %q...", line, head)
	}
	rest := line[strings.LastIndexByte(line, ')')+2:]
	if n := len(strings.Fields(rest)); n != 50 {
		t.Errorf("stat has %d fields after the name, want 50", n)
	}
	if line := w.read(t, "/proc/7/task/8/stat", 1000); !strings.HasPrefix(line, "8 (prog (x) S 1 7 5 1088 7 0 0 0 0 0 100 3 ") {
		t.Errorf("thread's stat %q", line)
	}
	if s := w.read(t, "/proc/7/status", 1000); !strings.Contains(s, "SigPnd:\t0000000000000004\n") ||
		!strings.Contains(s, "SigBlk:\t0000010000000000\n") || !strings.Contains(s, "\nState:\tS (sleeping)\n") {
		t.Errorf("status %q", s)
	}
}

func TestMapLine(t *testing.T) {
	host, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	form := regexp.MustCompile(`^[0-9a-f]{8,}-[0-9a-f]{8,} [r-][w-][x-][ps] [0-9a-f]{8} [0-9a-f]{2}:[0-9a-f]{2} \d+ (| +\S.*)$`)
	for _, l := range strings.Split(strings.TrimRight(string(host), "\n"), "\n") {
		if !form.MatchString(l) {
			t.Fatalf("the host's line %q is not of the expected form", l)
		}
	}
	for want, v := range map[string]mm.VMAInfo{
		"00400000-00401000 r-xp 00002000 08:01 39                                 /bin/x\n": {Start: 0x400000, End: 0x401000,
			Prot: unix.PROT_READ | unix.PROT_EXEC, Offset: 0x2000, Dev: unix.Mkdev(8, 1), Ino: 39, Name: "/bin/x"},
		"7ffd05ebc000-7ffd05edd000 rw-s 00000000 00:00 0 \n": {Start: 0x7ffd05ebc000, End: 0x7ffd05edd000,
			Prot: unix.PROT_READ | unix.PROT_WRITE, Shared: true},
	} {
		b := writer{limit: 1000}
		mapLine(&b, &v)
		if got := b.buf.String(); got != want || !form.MatchString(strings.TrimSuffix(got, "\n")) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

func TestDirectories(t *testing.T) {
	w := newWorld(t)
	names := strings.Join(w.list(t, "/proc"), " ")
	for _, want := range []string{" self ", " sys ", " meminfo ", " 7 9"} {
		if !strings.Contains(names, want) {
			t.Errorf("/proc lacks %q: %s", want, names)
		}
	}
	if strings.Contains(names, " 8") {
		t.Error("a thread is listed as a process")
	}
	if got := strings.Join(w.list(t, "/proc/7/task"), " "); got != ". .. 7 8" {
		t.Errorf("tasks: %s", got)
	}
	if got := strings.Join(w.list(t, "/proc/sys/kernel"), " "); got != ". .. hostname random" {
		t.Errorf("sys/kernel: %s", got)
	}
	if got := len(w.list(t, "/proc/7")); got != len(processEntries)+2 {
		t.Errorf("/proc/7 lists %d names", got)
	}
	for _, name := range []string{"/proc/10", "/proc/07", "/proc/7/nothing", "/proc/7/task/9", "/proc/7/fd/0"} {
		if _, err := w.open(name, unix.O_RDONLY); err != unix.ENOENT {
			t.Errorf("%s: %v", name, err)
		}
	}
	if s, err := w.ctx.Readlink(unix.AT_FDCWD, "/proc/self"); s != "7" || err != nil {
		t.Errorf("self: %q, %v", s, err)
	}
	if s, err := w.ctx.Readlink(unix.AT_FDCWD, "/proc/thread-self"); s != "7/task/7" || err != nil {
		t.Errorf("thread-self: %q, %v", s, err)
	}
	if s, err := w.ctx.Readlink(unix.AT_FDCWD, "/proc/7/cwd"); s != "/" || err != nil {
		t.Errorf("cwd: %q, %v", s, err)
	}
}

func TestGoneProcess(t *testing.T) {
	w := newWorld(t)
	f, err := w.open("/proc/9/stat", unix.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Unref()
	if err := w.ctx.Chdir("/proc/9"); err != nil {
		t.Fatal(err)
	}
	w.src.tasks[9].dead = true
	if _, err := w.open("/proc/9/stat", unix.O_RDONLY); err != unix.ENOENT {
		t.Errorf("open after its end: %v", err)
	}
	var pos int64
	it := mm.BytesIter(make([]byte, 100))
	if _, err := f.Ops().Read(w.ctx, f, &it, &pos); err != unix.ESRCH {
		t.Errorf("read after its end: %v", err)
	}
	if _, err := w.open("stat", unix.O_RDONLY); err == nil {
		t.Error("open below the directory of a process that has ended")
	}
}

func TestDescriptors(t *testing.T) {
	w := newWorld(t)
	f, err := w.open("/proc/version", unix.O_RDONLY)
	if err != nil {
		t.Fatal(err)
	}
	fd, err := w.ctx.Files.Install(f, 3, true, 100)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.list(t, "/proc/self/fd"), " "); got != ". .. 3" || fd != 3 {
		t.Errorf("fd: %s", got)
	}
	if s, err := w.ctx.Readlink(unix.AT_FDCWD, "/proc/self/fd/3"); s != "/proc/version" || err != nil {
		t.Errorf("fd/3: %q, %v", s, err)
	}
	if got := w.read(t, "/proc/self/fd/3", 100); !strings.HasPrefix(got, "Linux version") {
		t.Errorf("through fd/3: %q", got)
	}
	if got := w.read(t, "/proc/self/fdinfo/3", 100); !regexp.MustCompile(`^pos:\t0\nflags:\t02\d{6}\nmnt_id:\t\d+\nino:\t\d+\n$`).MatchString(got) {
		t.Errorf("fdinfo/3: %q", got)
	}
	w.ctx.Files.Close(w.ctx, 3)
	if _, err := w.open("/proc/self/fd/3", unix.O_RDONLY); err != unix.ENOENT {
		t.Errorf("closed descriptor: %v", err)
	}
}

func TestAccess(t *testing.T) {
	w := newWorld(t)
	w.ctx.Cred = fs.UserCred(1000, 1000)
	w.src.self = 9
	for path, want := range map[string]error{
		"/proc/9/maps": nil, "/proc/9/environ": nil, "/proc/9/fd": nil, "/proc/7/stat": nil, "/proc/7/cmdline": nil,
		"/proc/7/maps": unix.EACCES, "/proc/7/environ": unix.EACCES, "/proc/7/fd": unix.EACCES, "/proc/7/mem": unix.EACCES,
		"/proc/7/io": unix.EACCES, "/proc/7/auxv": unix.EACCES, "/proc/kmsg": unix.EACCES,
	} {
		f, err := w.open(path, unix.O_RDONLY)
		if err != want {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
		if err == nil {
			f.Unref()
		}
	}
	if _, err := w.ctx.Readlink(unix.AT_FDCWD, "/proc/7/cwd"); err != unix.EACCES {
		t.Errorf("cwd of another user: %v", err)
	}
	// Another process of the same user, but one that is not dumpable.
	w.src.self = 5
	w.src.tasks[9].dumpable = 0
	if _, err := w.open("/proc/9/maps", unix.O_RDONLY); err != unix.EACCES {
		t.Errorf("maps of a process that is not dumpable: %v", err)
	}
	var st fs.Attr
	p, _ := w.ctx.Lookup(unix.AT_FDCWD, "/proc/9", 0)
	p.Inode().Stat(w.ctx, &st)
	if st.UID != 0 {
		t.Errorf("its directory belongs to %d", st.UID)
	}
}

func TestWrites(t *testing.T) {
	w := newWorld(t)
	if err := w.write("/proc/sys/kernel/hostname", "new\n"); err != nil || w.src.hostname != "new" {
		t.Errorf("hostname: %v, %q", err, w.src.hostname)
	}
	if err := w.write("/proc/sys/vm/overcommit_memory", "1"); err != unix.EPERM {
		t.Errorf("a constant: %v", err)
	}
	if err := w.write("/proc/self/comm", "other\n"); err != nil || w.p.comm != "other" {
		t.Errorf("comm: %v, %q", err, w.p.comm)
	}
	if err := w.write("/proc/9/comm", "x"); err != unix.EINVAL {
		t.Errorf("comm of another process: %v", err)
	}
	for v, want := range map[string]error{"500": nil, "-1000": nil, "1001": unix.EINVAL, "x": unix.EINVAL} {
		if err := w.write("/proc/7/oom_score_adj", v); err != want {
			t.Errorf("oom_score_adj %s: %v, want %v", v, err, want)
		}
	}
	if err := w.write("/proc/uptime", "1"); err == nil {
		t.Error("uptime was written")
	}
	if err := w.ctx.Unlink(unix.AT_FDCWD, "/proc/uptime"); err == nil {
		t.Error("uptime was removed")
	}
}

func TestLongTextIsReadByWindows(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef\n"), 20_000)
	made := 0
	f := &text{gen: func(_ *fs.Context, w *writer) error {
		made++
		for i := 0; i < len(want); i += 17 {
			w.Write(want[i : i+17])
		}
		return nil
	}}
	var got []byte
	var pos int64
	b := make([]byte, 5000)
	for {
		it := mm.BytesIter(b)
		n, err := f.Read(nil, nil, &it, &pos)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		got = append(got, b[:n]...)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d, or different ones", len(got), len(want))
	}
	if made > 4 {
		t.Errorf("the text was made %d times", made)
	}
}

func TestCPULists(t *testing.T) {
	for n, want := range map[int][2]string{1: {"1", "0"}, 2: {"3", "0-1"}, 32: {"ffffffff", "0-31"}, 33: {"1,ffffffff", "0-32"}} {
		if m, l := cpuMask(n), cpuList(n); m != want[0] || l != want[1] {
			t.Errorf("%d CPUs: %s %s", n, m, l)
		}
	}
}

// TestGoStat: the figures of the Go runtime are there, and count.
func TestGoStat(t *testing.T) {
	read := func(name string) (n int64) {
		var w writer
		w.limit = maxSnapshot
		goStat(nil, &w)
		for line := range strings.Lines(w.buf.String()) {
			if v, ok := strings.CutPrefix(line, name+" "); ok {
				n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
		}
		t.Fatalf("no %s in\n%s", name, w.buf.String())
		return 0
	}
	for _, f := range goFigures {
		read(f.name)
	}
	cycles, mallocs := read("gc_cycles"), read("mallocs")
	const n = 10_000
	for range n {
		kept = new([64]byte)
	}
	runtime.GC()
	if d := read("mallocs") - mallocs; d < n*9/10 {
		t.Errorf("%d allocations counted of %d", d, n)
	}
	if read("gc_cycles") <= cycles {
		t.Error("a cycle of the collector was not counted")
	}
	if ns := read("gc_pause_max_ns"); ns <= 0 || ns > 10*second {
		t.Errorf("the longest pause was %d ns", ns)
	}
}

// kept keeps the compiler from dropping an allocation.
var kept *[64]byte

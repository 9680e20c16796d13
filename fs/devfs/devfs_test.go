package devfs

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/fs/tmpfs"
	"tamarix/fs/tty"
	"tamarix/mm"
)

func TestMain(m *testing.M) {
	arch.InitHost(16 << 20)
	os.Exit(m.Run())
}

// noJobs is a JobControl without processes.
type noJobs struct{}

func (noJobs) Caller(*fs.Context) tty.Caller         { return tty.Caller{} }
func (noJobs) SetTerminal(int32, *tty.Terminal)      {}
func (noJobs) LeaveTerminal(*fs.Context)             {}
func (noJobs) SignalGroup(int32, int32, unix.Signal) {}
func (noJobs) SignalLeader(int32, unix.Signal)       {}
func (noJobs) GroupSession(int32) (int32, bool)      { return 0, false }
func (noJobs) Orphaned(int32) bool                   { return true }
func (noJobs) Ignores(*fs.Context, unix.Signal) bool { return true }
func fillOnes(p []byte) {
	for i := range p {
		p[i] = 0xff
	}
}

// newDev mounts /dev on a fresh root.
func newDev(t *testing.T) *fs.Context {
	t.Helper()
	sb, err := tmpfs.New("rootfs", "")
	if err != nil {
		t.Fatal(err)
	}
	ctx := fs.NewContext(fs.NewRootMount(sb, "rootfs"), new(wait.Thread))
	m := tty.NewManager(noJobs{})
	if _, err := Register(ctx, Config{Terminals: m, Random: fillOnes}); err != nil {
		t.Fatal(err)
	}
	if err := ctx.Mkdir(unix.AT_FDCWD, "/dev", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := ctx.Mount("dev", "/dev", "devtmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// open opens a device and returns functions that read and write it.
func open(t *testing.T, ctx *fs.Context, name string, flags int) (f *fs.File, read func(n int) (string, error), write func(s string) (int, error)) {
	t.Helper()
	f, err := ctx.Open(unix.AT_FDCWD, name, flags, 0)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(f.Unref)
	var pos int64
	read = func(n int) (string, error) {
		b := bytes.Repeat([]byte{'?'}, n)
		it := mm.BytesIter(b)
		n, err := f.Ops().Read(ctx, f, &it, &pos)
		return string(b[:n]), err
	}
	write = func(s string) (int, error) {
		it := mm.BytesIter([]byte(s))
		return f.Ops().Write(ctx, f, &it, &pos)
	}
	return f, read, write
}

func TestMemoryDevices(t *testing.T) {
	ctx := newDev(t)
	const long = 200_000
	for _, c := range []struct {
		name  string
		read  string
		write error
	}{
		{"null", "", nil},
		{"zero", strings.Repeat("\x00", long), nil},
		{"full", strings.Repeat("\x00", long), unix.ENOSPC},
		{"random", strings.Repeat("\xff", long), nil},
		{"urandom", strings.Repeat("\xff", long), nil},
	} {
		f, read, write := open(t, ctx, "/dev/"+c.name, unix.O_RDWR)
		if got, err := read(long); got != c.read || err != nil {
			t.Errorf("%s: read %d bytes, %v", c.name, len(got), err)
		}
		if n, err := write("hello"); err != c.write || err == nil && n != 5 {
			t.Errorf("%s: write: %d, %v", c.name, n, err)
		}
		if n, err := write(""); n != 0 || err != nil {
			t.Errorf("%s: empty write: %d, %v", c.name, n, err)
		}
		obj, err := f.Ops().Mmap(ctx, f, &fs.MmapRequest{})
		if want := error(unix.ENODEV); c.name == "zero" && (obj != nil || err != nil) || c.name != "zero" && err != want {
			t.Errorf("%s: mmap: %v, %v", c.name, obj, err)
		}
		if off, err := f.Ops().Seek(ctx, f, 1000, unix.SEEK_SET); off != 0 || err != nil {
			t.Errorf("%s: seek: %d, %v", c.name, off, err)
		}
	}
}

func TestNodes(t *testing.T) {
	ctx := newDev(t)
	for name, want := range map[string]struct {
		mode uint32
		dev  uint64
	}{
		"null": {unix.S_IFCHR | 0o666, unix.Mkdev(1, 3)}, "zero": {unix.S_IFCHR | 0o666, unix.Mkdev(1, 5)},
		"tty": {unix.S_IFCHR | 0o666, unix.Mkdev(5, 0)}, "console": {unix.S_IFCHR | 0o600, unix.Mkdev(5, 1)},
		"ptmx": {unix.S_IFCHR | 0o666, unix.Mkdev(5, 2)}, "kmsg": {unix.S_IFCHR | 0o644, unix.Mkdev(1, 11)},
		"pts": {unix.S_IFDIR | 0o755, 0}, "shm": {unix.S_IFDIR | 0o1777, 0},
	} {
		p, err := ctx.Lookup(unix.AT_FDCWD, "/dev/"+name, 0)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b := p.Inode().Base()
		if b.Mode() != want.mode || b.Rdev != want.dev || b.UID() != 0 {
			t.Errorf("%s: mode %o, device %#x, owner %d", name, b.Mode(), b.Rdev, b.UID())
		}
	}
	if s, err := ctx.Readlink(unix.AT_FDCWD, "/dev/fd"); s != "/proc/self/fd" || err != nil {
		t.Errorf("fd: %q, %v", s, err)
	}
	for name, want := range map[string]error{"tty": unix.ENXIO, "console": unix.ENODEV} {
		if _, err := ctx.Open(unix.AT_FDCWD, "/dev/"+name, unix.O_RDWR, 0); err != want {
			t.Errorf("open of %s: %v, want %v", name, err, want)
		}
	}
}

func TestPseudoTerminalNodes(t *testing.T) {
	ctx := newDev(t)
	if err := ctx.Mount("devpts", "/dev/pts", "devpts", 0, "gid=5,mode=620,ptmxmode=666"); err != nil {
		t.Fatal(err)
	}
	f, _, write := open(t, ctx, "/dev/ptmx", unix.O_RDWR|unix.O_NONBLOCK)
	p, err := ctx.Lookup(unix.AT_FDCWD, "/dev/pts/0", 0)
	if err != nil {
		t.Fatal(err)
	}
	if b := p.Inode().Base(); b.Mode() != unix.S_IFCHR|0o620 || b.GID() != 5 || b.Rdev != unix.Mkdev(136, 0) {
		t.Errorf("slave: mode %o, group %d, device %#x", b.Mode(), b.GID(), b.Rdev)
	}
	if _, err := ctx.Open(unix.AT_FDCWD, "/dev/pts/0", unix.O_RDWR, 0); err != unix.EIO {
		t.Errorf("open of a locked slave: %v", err)
	}
	write("x")
	f.Ref().Unref()
	names := list(t, ctx, "/dev/pts")
	if names != "0 ptmx" && names != "ptmx 0" {
		t.Errorf("names: %s", names)
	}
	g, err := ctx.Open(unix.AT_FDCWD, "/dev/pts/ptmx", unix.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ctx.Lookup(unix.AT_FDCWD, "/dev/pts/1", 0); err != nil {
		t.Errorf("second slave: %v", err)
	}
	g.Unref()
	if _, err := ctx.Lookup(unix.AT_FDCWD, "/dev/pts/1", 0); err != unix.ENOENT {
		t.Errorf("slave of a closed master: %v", err)
	}
}

func list(t *testing.T, ctx *fs.Context, dir string) string {
	t.Helper()
	f, err := ctx.Open(unix.AT_FDCWD, dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Unref()
	var names []string
	if err := ctx.ReadDir(f, func(name string, _ uint64, _ uint8, _ int64) bool {
		if name != "." && name != ".." {
			names = append(names, name)
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func TestKmsg(t *testing.T) {
	ctx := newDev(t)
	f, read, write := open(t, ctx, "/dev/kmsg", unix.O_RDWR|unix.O_NONBLOCK)
	if _, err := f.Ops().Seek(ctx, f, 0, unix.SEEK_END); err != nil {
		t.Fatal(err)
	}
	if _, err := read(1000); err != unix.EAGAIN {
		t.Errorf("read of an empty log: %v", err)
	}
	klog.Warnf("a\tb\\c")
	if got, err := read(1000); err != nil || !regexp.MustCompile(`^4,\d+,\d+,-;a\\x09b\\x5cc\n$`).MatchString(got) {
		t.Errorf("record %q, %v", got, err)
	}
	for in, want := range map[string]string{
		"plain\n": "12,", "<3>error\n": "11,", "<30>daemon": "30,", "<x>text": "12,",
	} {
		if n, err := write(in); n != len(in) || err != nil {
			t.Errorf("write %q: %d, %v", in, n, err)
		}
		if got, _ := read(1000); !strings.HasPrefix(got, want) {
			t.Errorf("%q became %q, want priority %s", in, got, want)
		}
	}
	klog.Infof("a record")
	if _, err := read(5); err != unix.EINVAL {
		t.Errorf("read into too small a buffer: %v", err)
	}
	if _, err := write(strings.Repeat("x", 2000)); err != unix.EINVAL {
		t.Errorf("too long a message: %v", err)
	}
	ctx.Cred = fs.UserCred(1000, 1000)
	if _, err := openKmsg(ctx, f, 0); err != unix.EPERM {
		t.Errorf("open by a user: %v", err)
	}
}

func TestUUID(t *testing.T) {
	if s := UUID(fillOnes); s != "ffffffff-ffff-4fff-bfff-ffffffffffff" {
		t.Errorf("UUID %s", s)
	}
}

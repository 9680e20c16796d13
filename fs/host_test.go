package fs_test

import (
	"fmt"
	"math/rand"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/fs/tmpfs"
)

func TestMain(m *testing.M) {
	arch.InitHost(256 << 20)
	os.Exit(m.Run())
}

// newContext returns a context on a fresh tmpfs, for the calling goroutine.
func newContext(t testing.TB) *fs.Context {
	t.Helper()
	sb, err := tmpfs.New("rootfs", "")
	if err != nil {
		t.Fatal(err)
	}
	ctx := fs.NewContext(fs.NewRootMount(sb, "rootfs"), thread())
	ctx.FS.SetUmask(0)
	return ctx
}

func thread() *wait.Thread {
	th := new(wait.Thread)
	th.Bind()
	return th
}

// another returns a context of another task that shares files and root.
func another(ctx *fs.Context, cred *fs.Cred) *fs.Context {
	n := fs.NewContext(ctx.FS.Root(), thread())
	n.FS = ctx.FS
	n.Files = ctx.Files
	if cred != nil {
		n.Cred = cred
	}
	return n
}

// kernel is what the differential test drives: our file system, or the host's.
type kernel interface {
	open(path string, flags int, mode uint32) (int, error)
	close(fd int) error
	mkdir(path string, mode uint32) error
	unlink(path string) error
	rmdir(path string) error
	rename(a, b string, flags uint) error
	link(a, b string, flags int) error
	symlink(target, path string) error
	readlink(path string) (string, error)
	mknod(path string, mode uint32) error
	chmod(path string, mode uint32) error
	stat(path string, follow bool) (string, error)
	truncate(path string, n int64) error
	access(path string, mode uint32) error
	chdir(path string) error
	write(fd int, n int, off int64) (int, error)
	read(fd int, n int, off int64) (string, error)
	seek(fd int, off int64, whence int) (int64, error)
	ftruncate(fd int, n int64) error
	fallocate(fd int, mode uint32, off, n int64) error
	dup2(a, b int) error
	getfl(fd int) (int, error)
}

type hostKernel struct{ t testing.TB }

func (hostKernel) open(p string, f int, m uint32) (int, error) { return unix.Open(p, f, m) }
func (hostKernel) close(fd int) error                          { return unix.Close(fd) }
func (hostKernel) mkdir(p string, m uint32) error              { return unix.Mkdir(p, m) }
func (hostKernel) unlink(p string) error                       { return unix.Unlink(p) }
func (hostKernel) rmdir(p string) error                        { return unix.Rmdir(p) }
func (hostKernel) rename(a, b string, f uint) error {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, f)
}
func (hostKernel) link(a, b string, f int) error {
	return unix.Linkat(unix.AT_FDCWD, a, unix.AT_FDCWD, b, f)
}
func (hostKernel) symlink(a, b string) error { return unix.Symlink(a, b) }
func (hostKernel) readlink(p string) (string, error) {
	var b [4096]byte
	n, err := unix.Readlink(p, b[:])
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}
func (hostKernel) mknod(p string, m uint32) error             { return unix.Mknod(p, m, 0) }
func (hostKernel) chmod(p string, m uint32) error             { return unix.Chmod(p, m) }
func (hostKernel) truncate(p string, n int64) error           { return unix.Truncate(p, n) }
func (hostKernel) access(p string, m uint32) error            { return unix.Access(p, m) }
func (hostKernel) chdir(p string) error                       { return unix.Chdir(p) }
func (hostKernel) ftruncate(fd int, n int64) error            { return unix.Ftruncate(fd, n) }
func (hostKernel) dup2(a, b int) error                        { return unix.Dup2(a, b) }
func (hostKernel) getfl(fd int) (int, error)                  { return unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0) }
func (hostKernel) seek(fd int, o int64, w int) (int64, error) { return unix.Seek(fd, o, w) }
func (hostKernel) fallocate(fd int, m uint32, o, n int64) error {
	return unix.Fallocate(fd, m, o, n)
}
func (hostKernel) write(fd int, n int, off int64) (int, error) {
	b := pattern(n)
	if off >= 0 {
		return unix.Pwrite(fd, b, off)
	}
	return unix.Write(fd, b)
}
func (hostKernel) read(fd int, n int, off int64) (string, error) {
	b := make([]byte, n)
	var err error
	if off >= 0 {
		n, err = unix.Pread(fd, b, off)
	} else {
		n, err = unix.Read(fd, b)
	}
	if err != nil {
		return "", err
	}
	return sum(b[:n]), nil
}
func (hostKernel) stat(p string, follow bool) (string, error) {
	var st unix.Stat_t
	var err error
	if follow {
		err = unix.Stat(p, &st)
	} else {
		err = unix.Lstat(p, &st)
	}
	if err != nil {
		return "", err
	}
	size := st.Size
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		size = 0 // up to the file system
	}
	return fmt.Sprintf("mode %o nlink %d size %d", st.Mode, st.Nlink, size), nil
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + n)
	}
	return b
}

func sum(b []byte) string {
	h := uint64(len(b))
	for _, c := range b {
		h = h*1099511628211 + uint64(c)
	}
	return fmt.Sprintf("%d bytes, %x", len(b), h)
}

// script runs n random operations of a fixed seed and logs each result.
func script(k kernel, seed int64, n int, log func(op, result string)) {
	r := rand.New(rand.NewSource(seed))
	names := []string{"a", "b", "c", "d", "a/x", "a/y", "b/x", "b/z", "a/x/q", "c/l", ".", "..x", "a/..", "a/.", "b/../a/x", "a/", "c/", "l", "l/x", "d/", "m", "b/l/../x", "nix/da", "", "a//x", "./b", "l/", "m/y"}
	targets := []string{"a", "b/x", "../b", "l", "nix", "a/", ".", "c/l", "b/."}
	pick := func() string { return names[r.Intn(len(names))] }
	fds := []int{}
	fd := func() int {
		if len(fds) == 0 || r.Intn(20) == 0 {
			return 900
		}
		return fds[r.Intn(len(fds))]
	}
	for i := range n {
		var op, res string
		var err error
		switch r.Intn(24) {
		case 0, 1, 2:
			p := pick()
			flags := []int{unix.O_RDONLY, unix.O_RDWR, unix.O_WRONLY, unix.O_RDWR | unix.O_CREAT, unix.O_RDWR | unix.O_CREAT | unix.O_EXCL,
				unix.O_RDWR | unix.O_TRUNC, unix.O_RDONLY | unix.O_DIRECTORY, unix.O_RDONLY | unix.O_NOFOLLOW, unix.O_PATH, unix.O_PATH | unix.O_NOFOLLOW,
				unix.O_WRONLY | unix.O_APPEND | unix.O_CREAT, unix.O_RDWR | unix.O_TMPFILE, unix.O_RDONLY | unix.O_TRUNC, unix.O_CREAT | unix.O_NOFOLLOW}[r.Intn(14)]
			flags |= unix.O_NONBLOCK
			op = fmt.Sprintf("open %q %#o", p, flags)
			var f int
			f, err = k.open(p, flags, 0o644)
			if err == nil {
				fds = append(fds, f)
				if len(fds) > 6 {
					k.close(fds[0])
					fds = fds[1:]
				}
				var fl int
				fl, err = k.getfl(f)
				res = fmt.Sprintf("%#o", fl)
			}
		case 3, 4:
			p := pick()
			op = fmt.Sprintf("mkdir %q", p)
			err = k.mkdir(p, 0o755)
		case 5:
			p := pick()
			op = fmt.Sprintf("unlink %q", p)
			err = k.unlink(p)
		case 6:
			p := pick()
			op = fmt.Sprintf("rmdir %q", p)
			err = k.rmdir(p)
		case 7, 8, 9:
			a, b := pick(), pick()
			fl := []uint{0, 0, 0, unix.RENAME_NOREPLACE, unix.RENAME_EXCHANGE, 8}[r.Intn(6)]
			op = fmt.Sprintf("rename %q %q %d", a, b, fl)
			err = k.rename(a, b, fl)
		case 10:
			a, b := pick(), pick()
			fl := []int{0, unix.AT_SYMLINK_FOLLOW}[r.Intn(2)]
			op = fmt.Sprintf("link %q %q %d", a, b, fl)
			err = k.link(a, b, fl)
		case 11:
			a, b := targets[r.Intn(len(targets))], pick()
			op = fmt.Sprintf("symlink %q %q", a, b)
			err = k.symlink(a, b)
		case 12:
			p := pick()
			op = fmt.Sprintf("readlink %q", p)
			res, err = k.readlink(p)
		case 13:
			p := pick()
			m := []uint32{unix.S_IFIFO | 0o600, unix.S_IFREG | 0o640, 0o600, unix.S_IFDIR | 0o700, unix.S_IFLNK}[r.Intn(5)]
			op = fmt.Sprintf("mknod %q %o", p, m)
			err = k.mknod(p, m)
		case 14:
			p := pick()
			op = fmt.Sprintf("chmod %q", p)
			err = k.chmod(p, uint32(0o700|r.Intn(0o100)))
		case 15:
			p := pick()
			n := int64(r.Intn(20000)) - 10
			op = fmt.Sprintf("truncate %q %d", p, n)
			err = k.truncate(p, n)
		case 16:
			p := pick()
			m := uint32(r.Intn(9))
			op = fmt.Sprintf("access %q %d", p, m)
			err = k.access(p, m)
		case 17:
			f, n, off := fd(), r.Intn(9000), int64(r.Intn(20000))-5000
			op = fmt.Sprintf("write %d %d %d", f, n, off)
			var m int
			m, err = k.write(f, n, off)
			res = fmt.Sprint(m)
		case 18, 19:
			f, n, off := fd(), r.Intn(9000), int64(r.Intn(20000))-5000
			op = fmt.Sprintf("read %d %d %d", f, n, off)
			res, err = k.read(f, n, off)
		case 20:
			f, off, w := fd(), int64(r.Intn(20000))-1000, r.Intn(6)
			if w == 3 || w == 4 { // holes are the file system's choice
				w = 0
			}
			op = fmt.Sprintf("seek %d %d %d", f, off, w)
			var m int64
			m, err = k.seek(f, off, w)
			res = fmt.Sprint(m)
		case 21:
			f, n := fd(), int64(r.Intn(20000))-100
			op = fmt.Sprintf("ftruncate %d %d", f, n)
			err = k.ftruncate(f, n)
		case 22:
			f, m, off, n := fd(), []uint32{0, 1, 3, 2, 64}[r.Intn(5)], int64(r.Intn(20000))-100, int64(r.Intn(20000))-100
			op = fmt.Sprintf("fallocate %d %d %d %d", f, m, off, n)
			err = k.fallocate(f, m, off, n)
		case 23:
			p := pick()
			fl := r.Intn(2) == 0
			op = fmt.Sprintf("stat %q %v", p, fl)
			res, err = k.stat(p, fl)
		}
		if err != nil {
			res = unix.ErrnoName(err.(unix.Errno))
		}
		log(fmt.Sprintf("%d: %s", i, op), res)
	}
	for _, f := range fds {
		k.close(f)
	}
	for _, n := range names {
		for _, follow := range []bool{false, true} {
			res, err := k.stat(n, follow)
			if err != nil {
				res = unix.ErrnoName(err.(unix.Errno))
			}
			log(fmt.Sprintf("final stat %q %v", n, follow), res)
		}
	}
}

package fs_test

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"tamarix/fs"
	"tamarix/mm"
)

// ourKernel drives a Context by the same calls.
type ourKernel struct{ ctx *fs.Context }

const at = unix.AT_FDCWD

func (k ourKernel) open(p string, f int, m uint32) (int, error) {
	file, err := k.ctx.Open(at, p, f, m)
	if err != nil {
		return -1, err
	}
	fd, err := k.ctx.Files.Install(file, 3, false, 1024)
	return int(fd), err
}
func (k ourKernel) close(fd int) error                { return k.ctx.Files.Close(k.ctx, int32(fd)) }
func (k ourKernel) mkdir(p string, m uint32) error    { return k.ctx.Mkdir(at, p, m) }
func (k ourKernel) unlink(p string) error             { return k.ctx.Unlink(at, p) }
func (k ourKernel) rmdir(p string) error              { return k.ctx.Rmdir(at, p) }
func (k ourKernel) rename(a, b string, f uint) error  { return k.ctx.Rename(at, a, at, b, f) }
func (k ourKernel) link(a, b string, f int) error     { return k.ctx.Link(at, a, at, b, f) }
func (k ourKernel) symlink(a, b string) error         { return k.ctx.Symlink(a, at, b) }
func (k ourKernel) readlink(p string) (string, error) { return k.ctx.Readlink(at, p) }
func (k ourKernel) mknod(p string, m uint32) error    { return k.ctx.Mknod(at, p, m, 0) }
func (k ourKernel) chmod(p string, m uint32) error    { return k.ctx.Chmod(at, p, m, 0) }
func (k ourKernel) truncate(p string, n int64) error  { return k.ctx.Truncate(p, n) }
func (k ourKernel) access(p string, m uint32) error   { return k.ctx.Access(at, p, m, 0) }
func (k ourKernel) chdir(p string) error              { return k.ctx.Chdir(p) }
func (k ourKernel) ftruncate(fd int, n int64) error   { return k.ctx.Ftruncate(int32(fd), n) }
func (k ourKernel) file(fd int) (*fs.File, error)     { return k.ctx.Files.Get(int32(fd)) }
func (k ourKernel) getfl(fd int) (int, error) {
	f, err := k.ctx.Files.GetRaw(int32(fd))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	return f.Flags(), nil
}
func (k ourKernel) dup2(a, b int) error {
	f, err := k.file(a)
	if err != nil {
		return err
	}
	return k.ctx.Files.DupTo(k.ctx, f, int32(b), false, 1024)
}
func (k ourKernel) seek(fd int, o int64, w int) (int64, error) {
	f, err := k.file(fd)
	if err != nil {
		return -1, err
	}
	defer f.Unref()
	n, err := k.ctx.Seek(f, o, w)
	if err != nil {
		n = -1
	}
	return n, err
}
func (k ourKernel) fallocate(fd int, m uint32, o, n int64) error {
	f, err := k.file(fd)
	if err != nil {
		return err
	}
	defer f.Unref()
	return k.ctx.Fallocate(f, m, o, n)
}
func (k ourKernel) write(fd int, n int, off int64) (int, error) {
	f, err := k.file(fd)
	if err != nil {
		return -1, err
	}
	defer f.Unref()
	k.ctx.Iter = mm.BytesIter(pattern(n))
	if off >= 0 {
		n, err = k.ctx.Pwrite(f, &k.ctx.Iter, off)
	} else {
		n, err = k.ctx.Write(f, &k.ctx.Iter)
	}
	if err != nil {
		n = -1
	}
	return n, err
}
func (k ourKernel) read(fd int, n int, off int64) (string, error) {
	f, err := k.file(fd)
	if err != nil {
		return "", err
	}
	defer f.Unref()
	b := make([]byte, n)
	k.ctx.Iter = mm.BytesIter(b)
	if off >= 0 {
		n, err = k.ctx.Pread(f, &k.ctx.Iter, off)
	} else {
		n, err = k.ctx.Read(f, &k.ctx.Iter)
	}
	if err != nil {
		return "", err
	}
	return sum(b[:n]), nil
}
func (k ourKernel) stat(p string, follow bool) (string, error) {
	flags := 0
	if !follow {
		flags = unix.AT_SYMLINK_NOFOLLOW
	}
	var st fs.Attr
	if err := k.ctx.Stat(at, p, flags, &st); err != nil {
		return "", err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		st.Size = 0
	}
	return fmt.Sprintf("mode %o nlink %d size %d", st.Mode, st.Nlink, st.Size), nil
}

// TestLikeLinux runs random scripts here and on the host's tmpfs and compares
// every result. As root on a host with a tmpfs at /dev/shm.
func TestLikeLinux(t *testing.T) {
	var sf unix.Statfs_t
	if os.Getuid() != 0 || unix.Statfs("/dev/shm", &sf) != nil || sf.Type != unix.TMPFS_MAGIC {
		t.Skip("needs root and a tmpfs at /dev/shm to compare with")
	}
	old, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	defer os.Chdir(old)
	defer unix.Umask(unix.Umask(0))
	seeds := int64(300)
	if testing.Short() {
		seeds = 50
	}
	for seed := range seeds {
		dir, err := os.MkdirTemp("/dev/shm", "tamarix")
		if err != nil {
			t.Fatal(err)
		}
		// One level down, since scripts go up by one.
		if err := os.Mkdir(dir+"/w", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chdir(dir + "/w"); err != nil {
			t.Fatal(err)
		}
		var want []string
		// Descriptor numbers must agree: give the host's scripts numbers from 3 as well.
		script(&renumbered{hostKernel: hostKernel{t}}, seed, 400, func(op, res string) { want = append(want, op+" = "+res) })
		os.Chdir(old)
		os.RemoveAll(dir)

		ctx := newContext(t)
		if err := ctx.Chmod(at, "/", 0o700, 0); err != nil {
			t.Fatal(err)
		}
		if err := ctx.Mkdir(at, "/w", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := ctx.Chdir("/w"); err != nil {
			t.Fatal(err)
		}
		i := 0
		bad := false
		script(ourKernel{ctx}, seed, 400, func(op, res string) {
			if got := op + " = " + res; !bad && i < len(want) && got != want[i] {
				bad = true
				from := max(0, i-12)
				for _, w := range want[from:i] {
					t.Log(w)
				}
				t.Errorf("seed %d: got %s, Linux says %s", seed, got, want[i])
			}
			i++
		})
		if bad && t.Failed() {
			return
		}
	}
}

// renumbered gives the host's descriptors the numbers they would have in an
// otherwise empty table.
type renumbered struct {
	hostKernel
	fds [64]int
}

func (r *renumbered) open(p string, f int, m uint32) (int, error) {
	fd, err := r.hostKernel.open(p, f|unix.O_CLOEXEC, m)
	if err != nil {
		return -1, err
	}
	for i := 3; ; i++ {
		if r.fds[i] == 0 {
			r.fds[i] = fd
			return i, nil
		}
	}
}
func (r *renumbered) real(fd int) int {
	if fd >= len(r.fds) || r.fds[fd] == 0 {
		return 999999
	}
	return r.fds[fd]
}
func (r *renumbered) close(fd int) error {
	err := r.hostKernel.close(r.real(fd))
	r.fds[fd] = 0
	return err
}
func (r *renumbered) getfl(fd int) (int, error) {
	fl, err := r.hostKernel.getfl(r.real(fd))
	return fl &^ unix.O_CLOEXEC, err
}
func (r *renumbered) write(fd, n int, off int64) (int, error) {
	return r.hostKernel.write(r.real(fd), n, off)
}
func (r *renumbered) read(fd, n int, off int64) (string, error) {
	return r.hostKernel.read(r.real(fd), n, off)
}
func (r *renumbered) seek(fd int, o int64, w int) (int64, error) {
	return r.hostKernel.seek(r.real(fd), o, w)
}
func (r *renumbered) ftruncate(fd int, n int64) error { return r.hostKernel.ftruncate(r.real(fd), n) }
func (r *renumbered) fallocate(fd int, m uint32, o, n int64) error {
	return r.hostKernel.fallocate(r.real(fd), m, o, n)
}

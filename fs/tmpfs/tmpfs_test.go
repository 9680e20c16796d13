package tmpfs_test

import (
	"bytes"
	"fmt"
	"math/rand"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/fs/tmpfs"
	"tamarix/mm"
)

func TestMain(m *testing.M) {
	arch.InitHost(256 << 20)
	os.Exit(m.Run())
}

const at = unix.AT_FDCWD

func newContext(t testing.TB, options string) *fs.Context {
	t.Helper()
	sb, err := tmpfs.New("tmpfs", options)
	if err != nil {
		t.Fatal(err)
	}
	th := new(wait.Thread)
	th.Bind()
	return fs.NewContext(fs.NewRootMount(sb, "tmpfs"), th)
}

func pwrite(ctx *fs.Context, f *fs.File, p []byte, off int64) (int, error) {
	ctx.Iter = mm.BytesIter(p)
	return ctx.Pwrite(f, &ctx.Iter, off)
}

func pread(ctx *fs.Context, f *fs.File, p []byte, off int64) (int, error) {
	ctx.Iter = mm.BytesIter(p)
	return ctx.Pread(f, &ctx.Iter, off)
}

// TestModel compares random writes, truncations, holes and allocations with a
// byte slice.
func TestModel(t *testing.T) {
	ctx := newContext(t, "")
	before := arch.ReadFrameStats().Free
	for seed := range int64(20) {
		r := rand.New(rand.NewSource(seed))
		f, err := ctx.Open(at, "/f", unix.O_RDWR|unix.O_CREAT, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		var model []byte
		const limit = 600_000
		for i := range 200 {
			off, n := r.Intn(limit), r.Intn(30_000)
			switch r.Intn(6) {
			case 0, 1:
				p := make([]byte, n)
				r.Read(p)
				if m, err := pwrite(ctx, f, p, int64(off)); m != n || err != nil {
					t.Fatal(m, err)
				}
				if n > 0 && off+n > len(model) {
					model = append(model, make([]byte, off+n-len(model))...)
				}
				copy(model[min(off, len(model)):], p)
			case 2:
				if err := ctx.Truncate("/f", int64(off)); err != nil {
					t.Fatal(err)
				}
				if off < len(model) {
					model = model[:off]
				}
				model = append(model, make([]byte, off-len(model))...)
			case 3:
				if err := ctx.Fallocate(f, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, int64(off), int64(n+1)); err != nil {
					t.Fatal(err)
				}
				if off < len(model) {
					clear(model[off:min(len(model), off+n+1)])
				}
			case 4:
				if err := ctx.Fallocate(f, 0, int64(off), int64(n+1)); err != nil {
					t.Fatal(err)
				}
				if off+n+1 > len(model) {
					model = append(model, make([]byte, off+n+1-len(model))...)
				}
			case 5:
				p := make([]byte, n)
				m, err := pread(ctx, f, p, int64(off))
				want := model[min(off, len(model)):min(off+n, len(model))]
				if err != nil || !bytes.Equal(p[:m], want) {
					t.Fatalf("seed %d, step %d: read %d at %d of %d: %d bytes, %v", seed, i, n, off, len(model), m, err)
				}
			}
			var st fs.Attr
			ctx.Stat(at, "/f", 0, &st)
			if st.Size != int64(len(model)) || st.Blocks*512 > int64(len(model)+1<<20) {
				t.Fatalf("size %d, blocks %d, want %d", st.Size, st.Blocks, len(model))
			}
		}
		f.Unref()
		ctx.Unlink(at, "/f")
	}
	if after := arch.ReadFrameStats().Free; after != before {
		t.Errorf("%d frames lost", int64(before)-int64(after))
	}
}

// TestUnlinkedFilesLive: a removed file keeps its content while it is open.
func TestUnlinkedFilesLive(t *testing.T) {
	ctx := newContext(t, "")
	before := arch.ReadFrameStats().Free
	f, err := ctx.Open(at, "/f", unix.O_RDWR|unix.O_CREAT, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	pwrite(ctx, f, []byte("still here"), 0)
	ctx.Unlink(at, "/f")
	p := make([]byte, 20)
	if n, _ := pread(ctx, f, p, 0); string(p[:n]) != "still here" {
		t.Errorf("%q", p[:n])
	}
	if s := f.Path().String(); s != "/f (deleted)" {
		t.Errorf("name %q", s)
	}
	if arch.ReadFrameStats().Free == before {
		t.Error("the page is gone already")
	}
	f.Unref()
	if after := arch.ReadFrameStats().Free; after != before {
		t.Errorf("%d frames lost", int64(before)-int64(after))
	}
	// O_TMPFILE, given a name later.
	f, err = ctx.Open(at, "/", unix.O_RDWR|unix.O_TMPFILE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	fd, _ := ctx.Files.Install(f, 0, false, 10)
	if err := ctx.Link(fd, "", at, "/named", unix.AT_EMPTY_PATH); err != nil {
		t.Errorf("link: %v", err)
	}
	ctx.Files.Close(ctx, fd)
	var st fs.Attr
	if err := ctx.Stat(at, "/named", 0, &st); err != nil || st.Nlink != 1 {
		t.Errorf("%+v, %v", st, err)
	}
}

func TestReaddirKeepsItsPlace(t *testing.T) {
	ctx := newContext(t, "")
	for i := range 500 {
		ctx.Mknod(at, fmt.Sprintf("/f%03d", i), unix.S_IFREG, 0)
	}
	f, err := ctx.Open(at, "/", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Unref()
	seen := map[string]int{}
	for round := 0; ; round++ {
		n := 0
		if err := ctx.ReadDir(f, func(name string, _ uint64, _ uint8, _ int64) bool {
			if n == 7 {
				return false
			}
			n++
			seen[name]++
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		// Remove what was seen and add more: neither disturbs the reader.
		for name := range seen {
			if name != "." && name != ".." {
				ctx.Unlink(at, "/"+name)
			}
		}
		if round < 20 {
			ctx.Mknod(at, fmt.Sprintf("/new%d", round), unix.S_IFREG, 0)
		}
	}
	for i := range 500 {
		if n := seen[fmt.Sprintf("f%03d", i)]; n != 1 {
			t.Errorf("f%03d seen %d times", i, n)
		}
	}
	if seen["."] != 1 || seen[".."] != 1 {
		t.Error("dots")
	}
}

func TestLimits(t *testing.T) {
	ctx := newContext(t, "size=40k,nr_inodes=4,mode=700,uid=5,gid=6")
	var st fs.Attr
	ctx.Stat(at, "/", 0, &st)
	if st.Mode != unix.S_IFDIR|0o700 || st.UID != 5 || st.GID != 6 {
		t.Errorf("root: %+v", st)
	}
	for i := range 3 {
		if err := ctx.Mkdir(at, fmt.Sprintf("/d%d", i), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := ctx.Mkdir(at, "/one-too-many", 0o700); err != unix.ENOSPC {
		t.Errorf("inodes: %v", err)
	}
	ctx.Rmdir(at, "/d0")
	f, err := ctx.Open(at, "/f", unix.O_RDWR|unix.O_CREAT, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := pwrite(ctx, f, make([]byte, 50000), 100); n != 40960-100 || err != nil {
		t.Errorf("write: %d, %v", n, err)
	}
	if err := ctx.Fallocate(f, 0, 40960, 1); err != unix.ENOSPC {
		t.Errorf("fallocate: %v", err)
	}
	if err := ctx.Fallocate(f, 0, 0, 1<<60); err != unix.ENOSPC && err != unix.EFBIG {
		t.Errorf("huge fallocate: %v", err)
	}
	if s, _ := ctx.Statfs("/"); s.Blocks != 10 || s.BlocksFree != 0 || s.Files != 4 || s.FilesFree != 0 {
		t.Errorf("statfs: %+v", s)
	}
	ctx.Truncate("/f", 4096)
	if s, _ := ctx.Statfs("/"); s.BlocksFree != 9 {
		t.Errorf("statfs: %+v", s)
	}
	sig := unix.Signal(0)
	ctx.Signal = func(s unix.Signal) { sig = s }
	ctx.Limits.FileSize.Store(5000)
	if n, err := pwrite(ctx, f, make([]byte, 2000), 4000); n != 1000 || err != nil {
		t.Errorf("up to RLIMIT_FSIZE: %d, %v", n, err)
	}
	if _, err := pwrite(ctx, f, make([]byte, 1), 5000); err != unix.EFBIG || sig != unix.SIGXFSZ {
		t.Errorf("beyond RLIMIT_FSIZE: %v, signal %v", err, sig)
	}
	if err := ctx.Truncate("/f", 6000); err != unix.EFBIG {
		t.Errorf("truncate beyond RLIMIT_FSIZE: %v", err)
	}
	for _, o := range []string{"size=x", "size=", "nr_inodes=-1", "mode=9", "uid=root", "nonsense", "size=99999999999999999999"} {
		if _, err := tmpfs.New("tmpfs", o); err != unix.EINVAL {
			t.Errorf("option %q: %v", o, err)
		}
	}
}

func TestXattrs(t *testing.T) {
	ctx := newContext(t, "")
	ctx.Mknod(at, "/f", unix.S_IFREG|0o644, 0)
	p, _ := ctx.Lookup(at, "/f", 0)
	check := func(what string, err, want error) {
		t.Helper()
		if err != want {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	_, err := ctx.Getxattr(p, "user.a")
	check("none", err, unix.ENODATA)
	check("replace none", ctx.Setxattr(p, "user.a", []byte("1"), unix.XATTR_REPLACE), unix.ENODATA)
	check("set", ctx.Setxattr(p, "user.a", []byte("1"), unix.XATTR_CREATE), nil)
	check("create again", ctx.Setxattr(p, "user.a", []byte("1"), unix.XATTR_CREATE), unix.EEXIST)
	check("trusted", ctx.Setxattr(p, "trusted.t", []byte("2"), 0), nil)
	check("unknown", ctx.Setxattr(p, "nix.a", nil, 0), unix.EOPNOTSUPP)
	_, err = ctx.Getxattr(p, "system.posix_acl_access")
	check("acl", err, unix.EOPNOTSUPP)
	if v, err := ctx.Getxattr(p, "user.a"); string(v) != "1" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	user := fs.NewContext(ctx.FS.Root(), nil)
	user.Cred = fs.UserCred(1, 1)
	if names, _ := ctx.Listxattr(p); fmt.Sprint(names) != "[trusted.t user.a]" {
		t.Error(names)
	}
	if names, _ := user.Listxattr(p); fmt.Sprint(names) != "[user.a]" {
		t.Error(names)
	}
	check("as another user", user.Setxattr(p, "user.b", nil, 0), unix.EACCES)
	check("too much", ctx.Setxattr(p, "user.b", make([]byte, 1<<16+1), 0), unix.E2BIG)
	check("remove", ctx.Removexattr(p, "user.a"), nil)
	check("remove again", ctx.Removexattr(p, "user.a"), unix.ENODATA)
}

func TestMemfdSeals(t *testing.T) {
	ctx := newContext(t, "")
	before := arch.ReadFrameStats().Free
	f, err := tmpfs.NewMemfd(ctx, "name", true)
	if err != nil {
		t.Fatal(err)
	}
	if s := f.Path().String(); s != "/memfd:name (deleted)" {
		t.Errorf("name %q", s)
	}
	pwrite(ctx, f, make([]byte, 10000), 0)
	check := func(what string, err, want error) {
		t.Helper()
		if err != want {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	fd, _ := ctx.Files.Install(f, 0, false, 10)
	check("shrink seal", f.AddSeals(unix.F_SEAL_SHRINK), nil)
	check("shrink", ctx.Ftruncate(fd, 5), unix.EPERM)
	check("grow", ctx.Ftruncate(fd, 20000), nil)
	check("grow seal", f.AddSeals(unix.F_SEAL_GROW), nil)
	check("grow", ctx.Ftruncate(fd, 30000), unix.EPERM)
	if n, err := pwrite(ctx, f, make([]byte, 100), 19990); n != 10 || err != nil {
		t.Errorf("write over the end: %d, %v", n, err)
	}
	check("write seal", f.AddSeals(unix.F_SEAL_WRITE|unix.F_SEAL_SEAL), nil)
	_, err = pwrite(ctx, f, make([]byte, 1), 0)
	check("write", err, unix.EPERM)
	check("no more seals", f.AddSeals(unix.F_SEAL_GROW), unix.EPERM)
	check("no name ever", ctx.Link(fd, "", at, "/x", unix.AT_EMPTY_PATH), unix.EXDEV)
	ctx.Files.Close(ctx, fd)
	f, _ = tmpfs.NewMemfd(ctx, "unsealed", false)
	check("sealing not allowed", f.AddSeals(unix.F_SEAL_GROW), unix.EPERM)
	f.Unref()
	if after := arch.ReadFrameStats().Free; after != before {
		t.Errorf("%d frames lost", int64(before)-int64(after))
	}
}

package fs_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

// build makes files from a list: "d/" directory, "l>t" symbolic link, else a file.
func build(t testing.TB, ctx *fs.Context, names ...string) {
	t.Helper()
	for _, n := range names {
		var err error
		if link, target, ok := strings.Cut(n, ">"); ok {
			err = ctx.Symlink(target, at, link)
		} else if strings.HasSuffix(n, "/") {
			err = ctx.Mkdir(at, n, 0o755)
		} else {
			err = ctx.Mknod(at, n, 0o644, 0)
		}
		if err != nil {
			t.Fatalf("%s: %v", n, err)
		}
	}
}

func TestWalk(t *testing.T) {
	ctx := newContext(t)
	build(t, ctx, "/d/", "/d/e/", "/d/f", "/l>d/e", "/abs>/d/f", "/loop>loop", "/a>b", "/b>a", "/dot>.", "/up>../..", "/nix>nowhere", "/d/s>f/")
	for i := range 45 {
		build(t, ctx, fmt.Sprintf("/n%d>n%d", i+1, i))
		build(t, ctx, fmt.Sprintf("/m%d>m%d/./e/..", i+1, i)) // each puts something aside
	}
	build(t, ctx, "/n0>d", "/m0>d")
	long := strings.Repeat("x", 255)
	build(t, ctx, "/"+long)
	ctx.Chdir("/d")
	for _, c := range []struct {
		path  string
		flags int
		want  string // name, or errno
	}{
		{"/", 0, "/"}, {"//", 0, "/"}, {"/..", 0, "/"}, {"/../../d", 0, "/d"}, {".", 0, "/d"}, {"..", 0, "/"},
		{"e", 0, "/d/e"}, {"e/", 0, "/d/e"}, {"./e/./..//f", 0, "/d/f"}, {"f/", 0, "ENOTDIR"}, {"f/x", 0, "ENOTDIR"}, {"f/.", 0, "ENOTDIR"}, {"f/..", 0, "ENOTDIR"},
		{"", 0, "ENOENT"}, {"none", 0, "ENOENT"}, {"none/x", 0, "ENOENT"}, {"none/", 0, "ENOENT"}, {"none/..", 0, "ENOENT"},
		{"/l", 0, "/l"}, {"/l", fs.LookupFollow, "/d/e"}, {"/l/", 0, "/d/e"}, {"/l/.", 0, "/d/e"}, {"/l/..", 0, "/d"},
		{"/abs", fs.LookupFollow, "/d/f"}, {"/abs/", 0, "ENOTDIR"}, {"/d/s", fs.LookupFollow, "ENOTDIR"},
		{"/loop", 0, "/loop"}, {"/loop", fs.LookupFollow, "ELOOP"}, {"/a", fs.LookupFollow, "ELOOP"}, {"/a/x", 0, "ELOOP"},
		{"/n39", fs.LookupFollow, "/d"}, {"/n40", fs.LookupFollow, "ELOOP"}, {"/n39/e", 0, "/d/e"},
		{"/m39", fs.LookupFollow, "/d"}, {"/m40", fs.LookupFollow, "ELOOP"}, {"/m39/f", 0, "/d/f"}, {"/m4/f", 0, "/d/f"},
		{"/dot/dot/dot/d", 0, "/d"}, {"/up/d", 0, "/d"}, {"/nix", fs.LookupFollow, "ENOENT"}, {"/nix", 0, "/nix"}, {"/nix/", 0, "ENOENT"},
		{"/" + long, 0, "/" + long}, {"/" + long + "x", 0, "ENAMETOOLONG"}, {"/none/" + long + "x", 0, "ENOENT"},
		{"/" + strings.Repeat("./", 2047), 0, "/"}, {"/" + strings.Repeat("./", 2047) + "d", 0, "ENAMETOOLONG"},
		{"/d/e", fs.LookupDirectory, "/d/e"}, {"/d/f", fs.LookupDirectory, "ENOTDIR"}, {"/l", fs.LookupDirectory, "ENOTDIR"},
		{"/d", fs.LookupBeneath, "EXDEV"}, {"e", fs.LookupBeneath, "/d/e"}, {"e/../f", fs.LookupBeneath, "/d/f"}, {"..", fs.LookupBeneath, "EXDEV"}, {"e/../..", fs.LookupBeneath, "EXDEV"},
		{"/f", fs.LookupInRoot, "/d/f"}, {"/../..", fs.LookupInRoot, "/d"}, {"../f", fs.LookupInRoot, "/d/f"},
		{"/l/", fs.LookupNoSymlink, "ELOOP"}, {"/l", fs.LookupNoSymlink | fs.LookupFollow, "ELOOP"}, {"/l", fs.LookupNoSymlink, "/l"},
	} {
		p, err := ctx.Lookup(at, c.path, c.flags)
		got := ""
		if err != nil {
			got = unix.ErrnoName(err.(unix.Errno))
		} else {
			got = p.String()
		}
		if got != c.want {
			t.Errorf("%.40q flags %#x: %.40s, want %.40s", c.path, c.flags, got, c.want)
		}
	}
}

func TestDirectoryDescriptors(t *testing.T) {
	ctx := newContext(t)
	build(t, ctx, "/d/", "/d/e/", "/d/f")
	open := func(path string, flags int) int32 {
		t.Helper()
		f, err := ctx.Open(at, path, flags, 0)
		if err != nil {
			t.Fatal(err)
		}
		return fdOf(t, ctx, f)
	}
	dir, file, name := open("/d", unix.O_RDONLY), open("/d/f", unix.O_RDONLY), open("/d/f", unix.O_PATH)
	var st fs.Attr
	for _, c := range []struct {
		fd    int32
		path  string
		flags int
		want  error
	}{
		{dir, "f", 0, nil}, {dir, "/d/f", 0, nil}, {99, "/d/f", 0, nil}, {99, "f", 0, unix.EBADF}, {file, "x", 0, unix.ENOTDIR},
		{file, "", 0, unix.ENOENT}, {file, "", unix.AT_EMPTY_PATH, nil}, {name, "", unix.AT_EMPTY_PATH, nil}, {at, "", unix.AT_EMPTY_PATH, nil},
	} {
		if err := ctx.Stat(c.fd, c.path, c.flags, &st); err != c.want {
			t.Errorf("%d %q %#x: %v, want %v", c.fd, c.path, c.flags, err, c.want)
		}
	}
	if _, err := ctx.Files.Get(name); err != unix.EBADF {
		t.Errorf("O_PATH descriptor for I/O: %v", err)
	}
	// A removed current directory.
	ctx.Chdir("/d/e")
	if err := ctx.Rmdir(at, "/d/e"); err != nil {
		t.Fatal(err)
	}
	if _, err := ctx.Getcwd(); err != unix.ENOENT {
		t.Errorf("getcwd: %v", err)
	}
	if _, err := ctx.Open(at, "new", unix.O_CREAT|unix.O_RDWR, 0o600); err != unix.ENOENT {
		t.Errorf("create: %v", err)
	}
	if err := ctx.Mkdir(at, "new", 0o700); err != unix.ENOENT {
		t.Errorf("mkdir: %v", err)
	}
	if err := ctx.Stat(at, "..", 0, &st); err != nil {
		t.Errorf("..: %v", err)
	}
}

func TestPermissions(t *testing.T) {
	root := newContext(t)
	build(t, root, "/d/", "/d/f", "/secret/", "/secret/f", "/tmp/", "/sg/")
	root.Chmod(at, "/secret", 0o700, 0)
	root.Chmod(at, "/tmp", 0o1777, 0)
	root.Chmod(at, "/sg", 0o2777, 0)
	root.Chown(at, "/sg", 0, 50, 0)
	user := another(root, fs.UserCred(1000, 1000, 20, 50))
	other := another(root, fs.UserCred(1001, 1001))
	// mode, owner, group of /d/f; who; rights asked; result
	for _, c := range []struct {
		mode     uint32
		uid, gid uint32
		want     uint32
		err      error
	}{
		{0o400, 1000, 0, 4, nil}, {0o400, 1000, 0, 2, unix.EACCES}, {0o040, 1000, 1000, 4, unix.EACCES}, {0o040, 0, 1000, 4, nil}, {0o040, 0, 20, 4, nil},
		{0o040, 0, 21, 4, unix.EACCES}, {0o004, 0, 0, 4, nil}, {0o004, 0, 20, 4, unix.EACCES}, {0o001, 0, 0, 1, nil}, {0o666, 0, 0, 1, unix.EACCES}, {0o006, 0, 0, 6, nil},
	} {
		root.Chmod(at, "/d/f", c.mode, 0)
		root.Chown(at, "/d/f", c.uid, c.gid, 0)
		root.Chmod(at, "/d/f", c.mode, 0)
		if err := user.Access(at, "/d/f", c.want, 0); err != c.err {
			t.Errorf("mode %o, owner %d:%d, access %d: %v, want %v", c.mode, c.uid, c.gid, c.want, err, c.err)
		}
		if err := root.Access(at, "/d/f", c.want, 0); err != nil && !(c.want&1 != 0 && c.mode&0o111 == 0) {
			t.Errorf("root, mode %o, access %d: %v", c.mode, c.want, err)
		}
	}
	check := func(what string, err, want error) {
		t.Helper()
		if err != want {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	var st fs.Attr
	check("behind a closed directory", user.Stat(at, "/secret/f", 0, &st), unix.EACCES)
	check("its name", user.Stat(at, "/secret", 0, &st), nil)
	check("mkdir without rights", user.Mkdir(at, "/d/n", 0o700), unix.EACCES)
	check("mkdir of what exists comes first", user.Mkdir(at, "/d", 0o700), unix.EEXIST)
	check("unlink without rights", user.Unlink(at, "/d/f"), unix.EACCES)
	check("chmod of others' files", user.Chmod(at, "/d/f", 0o777, 0), unix.EPERM)
	check("chown", user.Chown(at, "/d/f", 1000, ^uint32(0), 0), unix.EPERM)
	check("mknod of a device", user.Mknod(at, "/tmp/dev", unix.S_IFCHR|0o600, unix.Mkdev(1, 3)), unix.EPERM)
	// Sticky.
	f, err := user.Open(at, "/tmp/mine", unix.O_CREAT|unix.O_RDWR, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	f.Unref()
	check("unlink in a sticky directory", other.Unlink(at, "/tmp/mine"), unix.EPERM)
	check("rename in a sticky directory", other.Rename(at, "/tmp/mine", at, "/tmp/x", 0), unix.EPERM)
	check("group to one's own", user.Chown(at, "/tmp/mine", ^uint32(0), 20, 0), nil)
	check("group to another", user.Chown(at, "/tmp/mine", ^uint32(0), 21, 0), unix.EPERM)
	check("times of others' files", other.Utimens(at, "/tmp/mine", &[2]fs.TimeSpec{{NS: 1}, {NS: 2}}, 0), unix.EPERM)
	check("touch of writable files", other.Utimens(at, "/tmp/mine", nil, 0), nil)
	check("unlink by the owner", user.Unlink(at, "/tmp/mine"), nil)
	// Set-group-id directories.
	f, err = user.Open(at, "/sg/f", unix.O_CREAT|unix.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	check("mkdir", user.Mkdir(at, "/sg/d", 0o755), nil)
	root.Stat(at, "/sg/f", 0, &st)
	if st.GID != 50 {
		t.Errorf("group %d", st.GID)
	}
	root.Stat(at, "/sg/d", 0, &st)
	if st.GID != 50 || st.Mode&unix.S_ISGID == 0 {
		t.Errorf("directory: group %d, mode %o", st.GID, st.Mode)
	}
	// Writing takes set-id bits away.
	user.Chmod(at, "/sg/f", 0o6755, 0)
	write(user, f, []byte("x"))
	root.Stat(at, "/sg/f", 0, &st)
	if st.Mode&0o7777 != 0o755 {
		t.Errorf("after a write: mode %o", st.Mode)
	}
	f.Unref()
	// Real ids count for access(2).
	setuid := another(root, fs.RootCred())
	setuid.Cred.UID = 1000
	setuid.Cred.GID = 1000
	check("access by the real user", setuid.Access(at, "/secret/f", 4, 0), unix.EACCES)
	check("access by the effective one", setuid.Access(at, "/secret/f", 4, unix.AT_EACCESS), nil)
}

func TestExecutableIsBusy(t *testing.T) {
	ctx := newContext(t)
	build(t, ctx, "/prog", "/d/")
	if _, err := ctx.OpenExec(at, "/prog", 0); err != unix.EACCES {
		t.Errorf("without x: %v", err)
	}
	ctx.Chmod(at, "/prog", 0o755, 0)
	if _, err := ctx.OpenExec(at, "/d", 0); err != unix.EACCES {
		t.Errorf("directory: %v", err)
	}
	x, err := ctx.OpenExec(at, "/prog", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ctx.Open(at, "/prog", unix.O_WRONLY, 0); err != unix.ETXTBSY {
		t.Errorf("write while it runs: %v", err)
	}
	if err := ctx.Truncate("/prog", 0); err != unix.ETXTBSY {
		t.Errorf("truncate while it runs: %v", err)
	}
	x.Unref()
	w, err := ctx.Open(at, "/prog", unix.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ctx.OpenExec(at, "/prog", 0); err != unix.ETXTBSY {
		t.Errorf("run while it is written: %v", err)
	}
	w.Unref()
	if x, err = ctx.OpenExec(at, "/prog", 0); err != nil {
		t.Error(err)
	}
	x.Unref()
}

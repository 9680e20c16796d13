package fs_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/fs"
)

func TestMounts(t *testing.T) {
	ctx := newContext(t)
	check := func(what string, err, want error) {
		t.Helper()
		if err != want {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	name := func(path string) string {
		p, err := ctx.Lookup(at, path, 0)
		if err != nil {
			return err.Error()
		}
		return p.String()
	}
	build(t, ctx, "/m/", "/m/hidden", "/n/", "/file")
	check("unknown type", ctx.Mount("x", "/m", "nixfs", 0, ""), unix.ENODEV)
	check("bad option", ctx.Mount("x", "/m", "tmpfs", 0, "bogus=1"), unix.EINVAL)
	check("on a file", ctx.Mount("x", "/file", "tmpfs", 0, ""), unix.ENOTDIR)
	check("nowhere", ctx.Mount("x", "/none", "tmpfs", 0, ""), unix.ENOENT)
	user := another(ctx, fs.UserCred(1, 1))
	check("without privilege", user.Mount("x", "/m", "tmpfs", 0, ""), unix.EPERM)
	before := arch.ReadFrameStats().Free
	check("mount", ctx.Mount("src dev", "/m", "tmpfs", unix.MS_NOSUID, "size=64k,mode=755"), nil)
	var st fs.Attr
	check("what was there is hidden", ctx.Stat(at, "/m/hidden", 0, &st), unix.ENOENT)
	build(t, ctx, "/m/sub/", "/m/f")
	if got := name("/m/sub/../.."); got != "/" {
		t.Errorf("up and out: %s", got)
	}
	if got := name("/m/sub"); got != "/m/sub" {
		t.Errorf("name: %s", got)
	}
	check("rename across", ctx.Rename(at, "/m/f", at, "/f", 0), unix.EXDEV)
	check("link across", ctx.Link(at, "/m/f", at, "/f", 0), unix.EXDEV)
	check("remove the mount point", ctx.Rmdir(at, "/m"), unix.EBUSY)
	if text := fs.ProcMounts(ctx.FS.Root()); !strings.Contains(text, `src\040dev /m tmpfs rw,nosuid,relatime,size=64k,mode=755 0 0`) {
		t.Errorf("/proc/mounts:\n%s", text)
	}
	// The quota.
	f, err := ctx.Open(at, "/m/f", unix.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := write(ctx, f, make([]byte, 1<<20)); n != 65536 || err != nil {
		t.Errorf("until full: %d, %v", n, err)
	}
	if _, err := write(ctx, f, make([]byte, 1)); err != unix.ENOSPC {
		t.Errorf("full: %v", err)
	}
	// Read-only.
	check("remount", ctx.Mount("", "/m", "", unix.MS_REMOUNT|unix.MS_RDONLY, ""), nil)
	check("create", ctx.Mkdir(at, "/m/x", 0o700), unix.EROFS)
	check("unlink", ctx.Unlink(at, "/m/f"), unix.EROFS)
	check("chmod", ctx.Chmod(at, "/m/f", 0, 0), unix.EROFS)
	check("access", ctx.Access(at, "/m/f", 2, 0), unix.EROFS)
	check("remount", ctx.Mount("", "/m", "", unix.MS_REMOUNT, "size=1m"), nil)
	check("create", ctx.Mkdir(at, "/m/x", 0o700), nil)
	// Busy.
	check("umount with an open file", ctx.Umount("/m", 0), unix.EBUSY)
	check("umount of what is none", ctx.Umount("/m/sub", 0), unix.EINVAL)
	f.Unref()
	// Bind mounts share, with options of their own.
	check("bind", ctx.Mount("/m/sub", "/n", "", unix.MS_BIND, ""), nil)
	check("bind read-only", ctx.Mount("", "/n", "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY, ""), nil)
	build(t, ctx, "/m/sub/seen")
	check("seen through the bind mount", ctx.Stat(at, "/n/seen", 0, &st), nil)
	check("read-only there", ctx.Unlink(at, "/n/seen"), unix.EROFS)
	check("umount", ctx.Umount("/n", 0), nil)
	check("bind a file", ctx.Mount("/file", "/m/f", "", unix.MS_BIND, ""), nil)
	check("umount the file", ctx.Umount("/m/f", 0), nil)
	// Detach while in use: it lives on until the last user goes.
	ctx.Chdir("/m/sub")
	check("busy", ctx.Umount("/m", 0), unix.EBUSY)
	check("detach", ctx.Umount("/m", unix.MNT_DETACH), nil)
	check("still there for who is in it", ctx.Stat(at, "seen", 0, &st), nil)
	check("what was hidden is back", ctx.Stat(at, "/m/hidden", 0, &st), nil)
	ctx.Chdir("/")
	if after := arch.ReadFrameStats().Free; after != before {
		t.Errorf("%d frames lost", int64(before)-int64(after))
	}
}

// TestSwitchRoot does what switch_root(8) does: mount the new root, move it over
// the old one, chroot into it.
func TestSwitchRoot(t *testing.T) {
	ctx := newContext(t)
	build(t, ctx, "/new/", "/old-file")
	if err := ctx.Mount("n", "/new", "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	build(t, ctx, "/new/dev/", "/new/new-file")
	for _, err := range []error{ctx.Chdir("/new"), ctx.Mount(".", "/", "", unix.MS_MOVE, ""), ctx.Chroot("."), ctx.Chdir("/")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var st fs.Attr
	if ctx.Stat(at, "/new-file", 0, &st) != nil || ctx.Stat(at, "/old-file", 0, &st) != unix.ENOENT || ctx.Stat(at, "/../old-file", 0, &st) != unix.ENOENT {
		t.Error("not the new root")
	}
	if s, err := ctx.Getcwd(); s != "/" || err != nil {
		t.Errorf("getcwd: %q, %v", s, err)
	}
	if text := fs.ProcMounts(ctx.FS.Root()); !strings.HasPrefix(text, "n / tmpfs") {
		t.Errorf("/proc/mounts:\n%s", text)
	}
	// And pivot_root from there, as u-root and containers do.
	build(t, ctx, "/third/")
	if err := ctx.Mount("p", "/third", "tmpfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	build(t, ctx, "/third/put/")
	if err := ctx.PivotRoot("/third", "/third/put"); err != nil {
		t.Fatal(err)
	}
	if ctx.Stat(at, "/put/new-file", 0, &st) != nil || ctx.Stat(at, "/new-file", 0, &st) != unix.ENOENT {
		t.Error("not pivoted")
	}
	if err := ctx.Umount("/put", unix.MNT_DETACH); err != nil {
		t.Error(err)
	}
}

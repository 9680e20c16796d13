package initramfs

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/fs/tmpfs"
)

func TestMain(m *testing.M) {
	arch.InitHost(128 << 20)
	os.Exit(m.Run())
}

func newContext(t testing.TB) *fs.Context {
	sb, err := tmpfs.New("rootfs", "size=32m,nr_inodes=5000")
	if err != nil {
		t.Fatal(err)
	}
	th := new(wait.Thread)
	th.Bind()
	return fs.NewContext(fs.NewRootMount(sb, "rootfs"), th)
}

// item is an entry of an archive that a test makes.
type item struct {
	name  string
	mode  uint32
	body  string
	ino   uint32
	nlink uint32
	rdev  uint32
}

func newc(items ...item) []byte {
	var b bytes.Buffer
	add := func(i item) {
		if i.nlink == 0 {
			i.nlink = 1
		}
		fmt.Fprintf(&b, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", i.ino, i.mode, 7, 8, i.nlink, 1234567890, len(i.body), 0, 0, i.rdev>>8, i.rdev&255, len(i.name)+1, 0)
		b.WriteString(i.name + "\x00")
		for b.Len()%4 != 0 {
			b.WriteByte(0)
		}
		b.WriteString(i.body)
		for b.Len()%4 != 0 {
			b.WriteByte(0)
		}
	}
	for _, i := range items {
		add(i)
	}
	add(item{name: "TRAILER!!!"})
	return b.Bytes()
}

func gz(p []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write(p)
	w.Close()
	return b.Bytes()
}

const cwd = unix.AT_FDCWD

func content(t *testing.T, ctx *fs.Context, path string) string {
	t.Helper()
	f, err := ctx.Open(cwd, path, unix.O_RDONLY, 0)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return ""
	}
	defer f.Unref()
	p := make([]byte, 1<<20)
	n, err := ctx.ReadAt(f, p, 0)
	if err != nil {
		t.Errorf("%s: %v", path, err)
	}
	return string(p[:n])
}

func TestUnpack(t *testing.T) {
	big := strings.Repeat("0123456789", 30000)
	first := newc(
		item{name: "bin", mode: unix.S_IFDIR | 0o755},
		item{name: "bin/sh", mode: unix.S_IFREG | 0o4755, body: "shell"},
		item{name: "big", mode: unix.S_IFREG | 0o600, body: big},
		item{name: "link", mode: unix.S_IFLNK | 0o777, body: "bin/sh"},
		item{name: "dev", mode: unix.S_IFDIR | 0o755},
		item{name: "dev/null", mode: unix.S_IFCHR | 0o666, rdev: 1<<8 | 3},
		item{name: "h1", mode: unix.S_IFREG | 0o644, ino: 5, nlink: 3},
		item{name: "h2", mode: unix.S_IFREG | 0o644, ino: 5, nlink: 3},
		item{name: "h3", mode: unix.S_IFREG | 0o644, ino: 5, nlink: 3, body: "content comes last"},
		item{name: "gone", mode: unix.S_IFREG | 0o644, body: "old and longer"},
		item{name: "/abs", mode: unix.S_IFREG | 0o644, body: "rooted"},
		item{name: "none/x", mode: unix.S_IFREG | 0o644, body: "its directory is missing"},
	)
	second := newc(
		item{name: ".", mode: unix.S_IFDIR | 0o711},
		item{name: "bin", mode: unix.S_IFDIR | 0o700},
		item{name: "bin/b", mode: unix.S_IFREG | 0o644, body: "second"},
		item{name: "gone", mode: unix.S_IFREG | 0o644, body: "new"},
		item{name: "link", mode: unix.S_IFREG | 0o644, body: "no link any more"},
		item{name: "h1", mode: unix.S_IFREG | 0o644, ino: 5, nlink: 2, body: "another file with inode 5"},
	)
	pad := make([]byte, 512)
	for name, in := range map[string][]byte{
		"plain":                      append(append([]byte{}, first...), second...),
		"plain, padded":              append(append(append(append([]byte{}, pad...), first...), pad[:100]...), append(second, pad...)...),
		"plain and gzip":             append(append(append([]byte{}, first...), pad[:4]...), append(gz(second), pad...)...),
		"gzip twice":                 append(gz(first), gz(second)...),
		"both in one gzip":           gz(append(append([]byte{}, first...), append(pad, second...)...)),
		"gzip in two, without zeros": append(gz(first), second...),
	} {
		t.Run(name, func(t *testing.T) {
			ctx := newContext(t)
			st, err := Unpack(ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			if st.Archives != 2 || st.Entries != 18 || st.Skipped != 1 {
				t.Errorf("%+v", st)
			}
			for path, want := range map[string]string{"/bin/sh": "shell", "/big": big, "/gone": "new", "/abs": "rooted", "/h2": "content comes last",
				"/h3": "content comes last", "/h1": "another file with inode 5", "/bin/b": "second", "/link": "no link any more"} {
				if got := content(t, ctx, path); got != want {
					t.Errorf("%s: %.40q, want %.40q", path, got, want)
				}
			}
			var a fs.Attr
			ctx.Stat(cwd, "/bin/sh", 0, &a)
			if a.Mode != unix.S_IFREG|0o4755 || a.UID != 7 || a.GID != 8 || a.Mtime != 1234567890e9 {
				t.Errorf("/bin/sh: %+v", a)
			}
			ctx.Stat(cwd, "/bin", 0, &a)
			if a.Mode != unix.S_IFDIR|0o700 {
				t.Errorf("/bin: mode %o", a.Mode)
			}
			ctx.Stat(cwd, "/dev/null", 0, &a)
			if a.Mode != unix.S_IFCHR|0o666 || a.Rdev != unix.Mkdev(1, 3) {
				t.Errorf("/dev/null: %+v", a)
			}
			ctx.Stat(cwd, "/h2", 0, &a)
			if a.Nlink != 2 {
				t.Errorf("/h2: %d links", a.Nlink)
			}
		})
	}
}

func TestBadInput(t *testing.T) {
	good := newc(item{name: "a", mode: unix.S_IFREG | 0o644, body: strings.Repeat("x", 5000)}, item{name: "b", mode: unix.S_IFDIR | 0o755})
	zipped := gz(good)
	edit := func(at int, s string) []byte {
		p := append([]byte{}, good...)
		copy(p[at:], s)
		return p
	}
	for name, in := range map[string][]byte{
		"noise":              []byte("hello, world"),
		"cut in the header":  good[:50],
		"cut in the name":    good[:111],
		"cut in the body":    good[:3000],
		"cut gzip":           zipped[:len(zipped)/2],
		"bad gzip":           append(append([]byte{}, zipped[:20]...), bytes.Repeat([]byte{0xff}, 50)...),
		"gzip of noise":      gz([]byte("noise")),
		"bad magic":          edit(0, "070709"),
		"old magic":          edit(0, "070707"),
		"bad digit":          edit(20, "zz"),
		"negative name":      edit(94, "ffffffff"),
		"no name":            edit(94, "00000000"),
		"huge body":          edit(54, "ffffffff"),
		"name without a NUL": edit(94, "00000001"),
		"xz":                 []byte("\xfd7zXZ\x00rest"),
		"zstd":               []byte("\x28\xb5\x2f\xfdrest"),
		"noise behind":       append(append([]byte{}, good...), "xyz"...),
		"checksum":           edit(0, "070702"),
	} {
		st, err := Unpack(newContext(t), in)
		if err == nil {
			t.Errorf("%s: no error, %+v", name, st)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
	if _, err := Unpack(newContext(t), nil); err != nil {
		t.Errorf("nothing: %v", err)
	}
	// More than fits.
	full := newc(item{name: "a", mode: unix.S_IFREG | 0o644, body: strings.Repeat("x", 40<<20)})
	if _, err := Unpack(newContext(t), full); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("too much: %v", err)
	}
}

// TestCpioProgram unpacks what cpio(1) makes.
func TestCpioProgram(t *testing.T) {
	if _, err := exec.LookPath("cpio"); err != nil {
		t.Skip("no cpio here")
	}
	dir := t.TempDir()
	os.MkdirAll(filepath.Join(dir, "x/y"), 0o755)
	os.WriteFile(filepath.Join(dir, "x/y/f"), []byte("from cpio"), 0o640)
	os.Link(filepath.Join(dir, "x/y/f"), filepath.Join(dir, "x/g"))
	for _, format := range []string{"newc", "crc"} {
		c := exec.Command("sh", "-c", "find . | cpio -o -H "+format)
		c.Dir = dir
		out, err := c.Output()
		if err != nil {
			t.Fatal(err)
		}
		ctx := newContext(t)
		if st, err := Unpack(ctx, out); err != nil || st.Skipped != 0 {
			t.Errorf("%s: %v, %+v", format, err, st)
		}
		if got := content(t, ctx, "/x/g"); got != "from cpio" {
			t.Errorf("%s: %q", format, got)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	good := newc(item{name: "a", mode: unix.S_IFREG | 0o644, body: "text"}, item{name: "b", mode: unix.S_IFDIR | 0o755},
		item{name: "b/l", mode: unix.S_IFLNK | 0o777, body: "../a"}, item{name: "h", mode: unix.S_IFREG, ino: 1, nlink: 2}, item{name: "i", mode: unix.S_IFREG, ino: 1, nlink: 2, body: "x"})
	f.Add(good)
	f.Add(gz(good))
	f.Add(append(gz(good), good...))
	f.Fuzz(func(t *testing.T, in []byte) {
		before := arch.ReadFrameStats().Free
		ctx := newContext(t)
		if err := ctx.Mkdir(cwd, "/m", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := ctx.Mount("x", "/m", "tmpfs", 0, "size=1m,nr_inodes=1000"); err != nil {
			t.Fatal(err)
		}
		in2 := fs.NewContext(func() fs.Path { p, _ := ctx.Lookup(cwd, "/m", 0); return p }(), ctx.Thread)
		Unpack(in2, in)
		in2.FS.Unref()
		if err := ctx.Umount("/m", 0); err != nil {
			t.Fatal(err)
		}
		if after := arch.ReadFrameStats().Free; after != before {
			t.Fatalf("%d frames lost", int64(before)-int64(after))
		}
	})
}

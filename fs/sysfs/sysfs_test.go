package sysfs

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/fs/tmpfs"
	"tamarix/mm"
)

func TestMain(m *testing.M) {
	arch.InitHost(16 << 20)
	os.Exit(m.Run())
}

// mounted returns a context in which the file system is mounted at /sys.
func mounted(t *testing.T) *fs.Context {
	t.Helper()
	sb, err := tmpfs.New("rootfs", "")
	if err != nil {
		t.Fatal(err)
	}
	ctx := fs.NewContext(fs.NewRootMount(sb, "rootfs"), new(wait.Thread))
	if err := ctx.Mkdir(unix.AT_FDCWD, "/sys", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := ctx.Mount("sysfs", "/sys", "sysfs", 0, ""); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// read returns the content of an open file from its position on, by single bytes.
func read(t *testing.T, ctx *fs.Context, f *fs.File) (s string) {
	t.Helper()
	for {
		b := make([]byte, 1)
		it := mm.BytesIter(b)
		n, err := ctx.Read(f, &it)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return s
		}
		s += string(b)
	}
}

func readAll(t *testing.T, ctx *fs.Context, path string) string {
	t.Helper()
	f, err := ctx.Open(unix.AT_FDCWD, path, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer f.Unref()
	return read(t, ctx, f)
}

func list(t *testing.T, ctx *fs.Context, path string) string {
	t.Helper()
	d, err := ctx.Open(unix.AT_FDCWD, path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	defer d.Unref()
	var names []string
	ctx.ReadDir(d, func(name string, _ uint64, _ uint8, _ int64) bool { names = append(names, name); return true })
	return strings.Join(names, " ")
}

func write(ctx *fs.Context, path, value string) error {
	f, err := ctx.Open(unix.AT_FDCWD, path, unix.O_WRONLY|unix.O_TRUNC, 0)
	if err != nil {
		return err
	}
	defer f.Unref()
	it := mm.BytesIter([]byte(value))
	_, err = ctx.Write(f, &it)
	return err
}

func TestTree(t *testing.T) {
	Register([]Attribute{
		{Path: "devices/system/cpu/online", Get: func() string { return "0-1" }},
		{Path: "devices/system/cpu/cpu0"},
	})
	ctx := mounted(t)
	if got := readAll(t, ctx, "/sys/devices/system/cpu/online"); got != "0-1\n" {
		t.Errorf("online: %q", got)
	}
	for path, want := range map[string]string{
		"/sys":                    ". .. " + strings.Join(topLevel, " "),
		"/sys/devices/system/cpu": ". .. cpu0 online",
		"/sys/block":              ". ..",
	} {
		if s := list(t, ctx, path); s != want {
			t.Errorf("%s: %s", path, s)
		}
	}
	if _, err := ctx.Open(unix.AT_FDCWD, "/sys/kernel/nothing", unix.O_RDONLY, 0); err != unix.ENOENT {
		t.Errorf("a missing name: %v", err)
	}
	if _, err := ctx.Open(unix.AT_FDCWD, "/sys/kernel/new", unix.O_RDWR|unix.O_CREAT, 0o644); err == nil {
		t.Error("a file was created")
	}
	if _, err := ctx.Open(unix.AT_FDCWD, "/sys/devices/system/cpu/online", unix.O_WRONLY, 0); err != unix.EACCES {
		t.Errorf("open for writing: %v", err)
	}
}

func TestValuesAreWritten(t *testing.T) {
	value := "one"
	Register([]Attribute{{Path: "kernel/value",
		Get: func() string { return value },
		Set: func(v string) error {
			if v == "bad" {
				return unix.EINVAL
			}
			value = v
			return nil
		}}, {Path: "kernel/only", Mode: 0o200, Set: func(string) error { return nil }}})
	ctx := mounted(t)
	if err := write(ctx, "/sys/kernel/value", "  two\n"); err != nil {
		t.Fatal(err)
	}
	if err := write(ctx, "/sys/kernel/value", "bad"); err != unix.EINVAL {
		t.Errorf("a bad value: %v", err)
	}
	if got := readAll(t, ctx, "/sys/kernel/value"); got != "two\n" {
		t.Errorf("value: %q", got)
	}
	if _, err := ctx.Open(unix.AT_FDCWD, "/sys/kernel/only", unix.O_RDONLY, 0); err != unix.EACCES {
		t.Errorf("reading what can only be written: %v", err)
	}
	if err := write(ctx, "/sys/kernel/value", strings.Repeat("x", attrSize+1)); err != unix.EINVAL {
		t.Errorf("more than a page: %v", err)
	}
}

func TestBinaryFilesAndLinks(t *testing.T) {
	content := []byte("\x00binary\xff")
	Register([]Attribute{
		{Path: "firmware/table", Mode: 0o400, Bin: func() []byte { return content }},
		{Path: "bus/x/devices/one", Link: "../../../devices/one"},
		{Path: "devices/one/name", Get: func() string { return "first" }},
	})
	ctx := mounted(t)
	if got := readAll(t, ctx, "/sys/firmware/table"); got != string(content) {
		t.Errorf("content: %q", got)
	}
	var st fs.Attr
	if err := ctx.Stat(unix.AT_FDCWD, "/sys/firmware/table", 0, &st); err != nil || st.Size != int64(len(content)) || st.Mode != unix.S_IFREG|0o400 {
		t.Errorf("stat: %+v, %v", st, err)
	}
	if got := readAll(t, ctx, "/sys/bus/x/devices/one/name"); got != "first\n" {
		t.Errorf("through the link: %q", got)
	}
}

func TestDevicesComeAndGo(t *testing.T) {
	Register(nil)
	ctx := mounted(t)
	const path = "/sys/devices/hot/plug/state"
	if _, err := ctx.Open(unix.AT_FDCWD, path, unix.O_RDONLY, 0); err != unix.ENOENT {
		t.Fatalf("before: %v", err)
	}
	Add(Attribute{Path: "devices/hot/plug/state", Get: func() string { return "in" }},
		Attribute{Path: "devices/hot/other", Get: func() string { return "" }})
	if got := readAll(t, ctx, path); got != "in\n" {
		t.Errorf("plugged in: %q", got)
	}
	open, err := ctx.Open(unix.AT_FDCWD, path, unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Unref()
	Remove("devices/hot/plug")
	if s := list(t, ctx, "/sys/devices/hot"); s != ". .. other" {
		t.Errorf("plugged out: %s", s)
	}
	if _, err := ctx.Open(unix.AT_FDCWD, path, unix.O_RDONLY, 0); err != unix.ENOENT {
		t.Errorf("plugged out: %v", err)
	}
	it := mm.BytesIter(make([]byte, 8))
	if _, err := ctx.Read(open, &it); err != unix.ENODEV {
		t.Errorf("reading on what is gone: %v", err)
	}
	Add(Attribute{Path: "devices/hot/plug/state", Get: func() string { return "again" }})
	if got := readAll(t, ctx, path); got != "again\n" {
		t.Errorf("plugged in again: %q", got)
	}
	Remove("devices/hot")
	Remove("devices/hot")
	Remove("devices/none/at/all")
}

// TestReadersAndHotPlug has names looked up while they come and go.
func TestReadersAndHotPlug(t *testing.T) {
	Register(nil)
	done := make(chan bool)
	go func() {
		for range 500 {
			Add(Attribute{Path: "devices/race/a/b", Get: func() string { return "x" }})
			Remove("devices/race/a")
		}
		done <- true
	}()
	ctx := mounted(t)
	for {
		select {
		case <-done:
			Remove("devices/race")
			return
		default:
		}
		if f, err := ctx.Open(unix.AT_FDCWD, "/sys/devices/race/a/b", unix.O_RDONLY, 0); err == nil {
			it := mm.BytesIter(make([]byte, 8))
			if n, err := ctx.Read(f, &it); err != nil && err != unix.ENODEV || err == nil && n != 2 {
				t.Errorf("read: %d, %v", n, err)
			}
			f.Unref()
		} else if err != unix.ENOENT {
			t.Errorf("open: %v", err)
		}
		if d, err := ctx.Open(unix.AT_FDCWD, "/sys/devices/race", unix.O_RDONLY|unix.O_DIRECTORY, 0); err == nil {
			ctx.ReadDir(d, func(string, uint64, uint8, int64) bool { return true })
			d.Unref()
		}
	}
}

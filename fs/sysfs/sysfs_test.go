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

func TestTree(t *testing.T) {
	Register([]Attribute{
		{"devices/system/cpu/online", func() string { return "0-1" }},
		{"devices/system/cpu/cpu0", nil},
	})
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
	f, err := ctx.Open(unix.AT_FDCWD, "/sys/devices/system/cpu/online", unix.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Unref()
	var got string
	for { // by single bytes
		b := make([]byte, 1)
		it := mm.BytesIter(b)
		n, err := ctx.Read(f, &it)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		got += string(b)
	}
	if got != "0-1\n" {
		t.Errorf("online: %q", got)
	}
	for path, want := range map[string]string{
		"/sys":                    ". .. " + strings.Join(topLevel, " "),
		"/sys/devices/system/cpu": ". .. cpu0 online",
		"/sys/block":              ". ..",
	} {
		d, err := ctx.Open(unix.AT_FDCWD, path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		ctx.ReadDir(d, func(name string, _ uint64, _ uint8, _ int64) bool { names = append(names, name); return true })
		d.Unref()
		if s := strings.Join(names, " "); s != want {
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

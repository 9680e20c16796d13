package procfs

import (
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"tamarix/fs"
)

func TestFilesOfDrivers(t *testing.T) {
	AddFile("bus/pci/devices", func() string { return "0010\t80862922\n" })
	AddFileFor("iomem", func(ctx *fs.Context) string {
		return strconv.FormatBool(ctx.Cred.Capable(unix.CAP_SYS_ADMIN)) + "\n"
	})
	w := newWorld(t)
	for path, want := range map[string]string{"/proc/bus/pci/devices": "0010\t80862922\n", "/proc/iomem": "true\n"} {
		for _, n := range []int{1, 4096} {
			if got := w.read(t, path, n); got != want {
				t.Errorf("%s by %d: %q, want %q", path, n, got, want)
			}
		}
	}
	// A section may come, and be replaced, at any time.
	AddHardware("test b", func() string { return "one\ntwo\n" })
	AddHardware("test a", func() string { return "old" })
	AddHardware("test a", func() string { return "" })
	if got, want := w.read(t, "/proc/tamarix/hardware", 7), "[test a]\n\n[test b]\none\ntwo\n\n"; got != want {
		t.Errorf("hardware: %q, want %q", got, want)
	}
}

package image

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Guest adds the test program of scripts/guest as /init, and what its cases use:
// busybox, bash, and the files of scripts/guest/files under /t.
func (m *Image) Guest(root string) error {
	bin, err := GuestProgram(root)
	if err != nil {
		return err
	}
	for _, d := range []string{"/bin", "/sbin", "/dev", "/etc", "/proc", "/sys", "/run", "/root", "/usr/bin", "/usr/sbin"} {
		m.Dir(d, 0o755)
	}
	m.Dir("/tmp", 0o777|unix.S_ISVTX)
	m.CharDev("/dev/console", 0o600, 5, 1)
	m.CharDev("/dev/null", 0o666, 1, 3)
	if err := m.File(bin, "/init"); err != nil {
		return err
	}
	for _, f := range []string{"passwd", "group"} {
		if err := m.File(filepath.Join(root, "initramfs", "etc", f), "/etc/"+f); err != nil {
			return err
		}
	}
	if files := filepath.Join(root, "scripts", "guest", "files"); exists(files) {
		if err := m.File(files, "/t"); err != nil {
			return err
		}
	}
	if err := m.Busybox(root); err != nil {
		return err
	}
	return m.Bash(root)
}

// GuestProgram compiles scripts/guest and returns the binary's path.
func GuestProgram(root string) (string, error) {
	bin := filepath.Join(mkdir(filepath.Join(root, "out", "cache")), "guest")
	defer Progress("compiling scripts/guest")()
	return bin, run(root, nil, "sh", "scripts/guest/build.sh", bin)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

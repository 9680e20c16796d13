package image

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// ours are the names of the one binary built from initramfs/init; it looks at
// its argv[0]. One file, so that init, getty and login share their text pages.
var ours = []string{
	"/sbin/init", "/sbin/telinit", "/sbin/getty", "/sbin/mountall", "/sbin/loadkeys",
	"/sbin/poweroff", "/sbin/reboot", "/sbin/halt", "/sbin/shutdown",
	"/bin/login", "/bin/kbd_mode", "/bin/hwreport",
}

// Base adds what every image has: the directory tree, the two device nodes
// that must be there before anything is mounted, /etc, and our programs.
func (m *Image) Base(root string) error {
	for _, d := range []string{"/bin", "/sbin", "/dev", "/etc", "/proc", "/sys", "/run", "/usr/bin", "/var/log", "/mnt"} {
		m.Dir(d, 0o755)
	}
	m.Dir("/root", 0o700)
	m.Dir("/tmp", 0o777|unix.S_ISVTX)
	m.CharDev("/dev/console", 0o600, 5, 1)
	m.CharDev("/dev/null", 0o666, 1, 3)
	if err := m.Tree(filepath.Join(root, "initramfs", "etc"), "/etc"); err != nil {
		return err
	}
	// A checkout does not keep this file's mode.
	shadow, err := os.ReadFile(filepath.Join(root, "initramfs", "etc", "shadow"))
	if err != nil {
		return err
	}
	m.Data("/etc/shadow", 0o600, shadow)
	bin, err := GoProgram(root, "./initramfs/init", "init")
	if err != nil {
		return err
	}
	if err := m.Tree(bin, "/sbin/tamarix-init"); err != nil {
		return err
	}
	for _, name := range ours {
		m.Symlink(name, "/sbin/tamarix-init")
	}
	m.Symlink("/init", "/sbin/init")
	return nil
}

// Userland adds the commands of the named user land: uroot, busybox, or bash
// (busybox with Debian's static bash as the login shell).
func (m *Image) Userland(root, name string) error {
	if err := m.Base(root); err != nil {
		return err
	}
	switch name {
	case "uroot", "":
		bb, cmds, err := URoot(root)
		if err != nil {
			return err
		}
		if err := m.Tree(bb, "/bin/bb"); err != nil {
			return err
		}
		for _, c := range cmds {
			m.Symlink("/bin/"+c, "bb")
		}
		// bb goes by the exact name it is called by: a login shell's "-sh"
		// and a plain "sh" would be unknown to it. Our sh starts gosh properly.
		m.Symlink("/bin/sh", "/sbin/tamarix-init")
		return nil
	case "busybox":
		return m.Busybox(root)
	case "bash":
		if err := m.Busybox(root); err != nil {
			return err
		}
		if err := m.Terminfo(root); err != nil {
			return err
		}
		return m.Bash(root)
	}
	return fmt.Errorf("user land %q: want uroot, busybox or bash", name)
}

// Busybox adds Debian's static busybox and a link for each of its applets that
// the image does not have yet.
func (m *Image) Busybox(root string) error {
	dir, err := Deb(root, "busybox-static")
	if err != nil {
		return err
	}
	bin := filepath.Join(dir, "bin", "busybox")
	out, err := exec.Command(bin, "--list-full").Output()
	if err != nil {
		return fmt.Errorf("%s --list-full: %w", bin, err)
	}
	if err := m.Tree(bin, "/bin/busybox"); err != nil {
		return err
	}
	for applet := range strings.Lines(string(out)) {
		if to := "/" + strings.TrimSpace(applet); !m.Has(to) {
			m.Symlink(to, "/bin/busybox")
		}
	}
	return nil
}

// terminfo are the terminals whose descriptions an image gets: the screen's own,
// and those that sit at the other end of a serial line.
var terminfo = []string{"l/linux", "a/ansi", "d/dumb", "v/vt100", "v/vt102", "v/vt220", "x/xterm", "x/xterm-256color", "s/screen", "s/screen-256color", "t/tmux-256color"}

// Terminfo adds Debian's descriptions of the usual terminals, where bash's line
// editor looks for them.
func (m *Image) Terminfo(root string) error {
	dir, err := Deb(root, "ncurses-base")
	if err != nil {
		return err
	}
	for _, name := range terminfo {
		if err := m.File(filepath.Join(dir, "lib", "terminfo", name), "/lib/terminfo/"+name); err != nil {
			return err
		}
	}
	return nil
}

// Bash adds Debian's static bash as /bin/bash and makes it root's shell.
func (m *Image) Bash(root string) error {
	dir, err := Deb(root, "bash-static")
	if err != nil {
		return err
	}
	if err := m.Tree(filepath.Join(dir, "bin", "bash-static"), "/bin/bash"); err != nil {
		return err
	}
	passwd, err := os.ReadFile(filepath.Join(root, "initramfs", "etc", "passwd"))
	if err != nil {
		return err
	}
	m.Data("/etc/passwd", 0o644, []byte(strings.Replace(string(passwd), ":/bin/sh\n", ":/bin/bash\n", 1)))
	return nil
}

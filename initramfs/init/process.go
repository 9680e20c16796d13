package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"tamarix/initramfs/inittab"
)

// startProcess starts an entry's command in a session of its own and returns
// its pid. See the package comment for what terminal it gets.
func startProcess(e inittab.Entry, env []string) (int, error) {
	tty := terminal(e.ID)
	name := tty
	if tty == "" {
		name = "/dev/console"
	}
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		// No console: the output is lost, the process is not.
		if fd, err = unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0); err != nil {
			return 0, err
		}
		tty = ""
	}
	defer unix.Close(fd)
	f := uintptr(fd)
	if tty == "" && !isTerminal(1) {
		f = 1 // init's own output goes to a file or pipe: so does theirs
	}

	if e.Action == inittab.AskFirst {
		self, err := os.Executable()
		if err != nil {
			self = "/sbin/init"
		}
		login := ""
		if e.Login {
			login = "-"
		}
		return fork([]string{self, "askfirst", login + e.Process}, "askfirst", env, f, tty != "")
	}
	argv := command(e)
	argv0 := argv[0]
	if e.Login {
		argv0 = "-" + filepath.Base(argv0)
	}
	return fork(argv, argv0, env, f, tty != "")
}

// fork starts argv[0] with the given name as argv[0] of the new program.
func fork(argv []string, argv0 string, env []string, tty uintptr, controlling bool) (int, error) {
	path := argv[0]
	if !strings.Contains(path, "/") {
		if p := lookPath(path); p != "" {
			path = p
		}
	}
	args := append([]string{argv0}, argv[1:]...)
	return syscall.ForkExec(path, args, &syscall.ProcAttr{
		Dir:   "/",
		Env:   append(os.Environ(), env...),
		Files: []uintptr{tty, tty, tty},
		Sys:   &syscall.SysProcAttr{Setsid: true, Setctty: controlling, Ctty: 0},
	})
}

// lookPath finds a command in init's PATH.
func lookPath(name string) string {
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		p := filepath.Join(dir, name)
		if unix.Access(p, unix.X_OK) == nil {
			return p
		}
	}
	return ""
}

// terminal returns the path of the terminal an id names: /dev/console for the
// empty one, "" where it names none.
func terminal(id string) string {
	if id == "" {
		return "/dev/console"
	}
	name := "/dev/" + id
	var st unix.Stat_t
	if unix.Stat(name, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFCHR {
		return ""
	}
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	if !isTerminal(fd) {
		return ""
	}
	return name
}

// isTerminal tells whether fd is one.
func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// command splits an entry's process field. With characters that mean something
// to a shell the shell gets it, as System V's init does (which puts exec before
// it, and so takes no compound commands).
func command(e inittab.Entry) []string {
	if strings.ContainsAny(e.Process, "~`!$^&*()=|\\{}[];\"'<>?#") {
		return []string{"/bin/sh", "-c", e.Process}
	}
	return strings.Fields(e.Process)
}

// runAskFirst is what an askfirst entry runs: it waits for Enter and becomes
// the command.
func runAskFirst(process string) int {
	os.Stdout.WriteString("\nPlease press Enter to activate this console. ")
	var b [1]byte
	for b[0] != '\n' {
		if n, err := unix.Read(0, b[:]); err == unix.EINTR {
			continue
		} else if err != nil || n == 0 {
			return 1
		}
	}
	p, login := strings.CutPrefix(process, "-")
	argv := command(inittab.Entry{Process: p})
	path := argv[0]
	if !strings.Contains(path, "/") {
		path = lookPath(path)
	}
	if login {
		argv[0] = "-" + filepath.Base(argv[0])
	}
	say("askfirst: %s: %v", path, unix.Exec(path, argv, os.Environ()))
	return 1
}

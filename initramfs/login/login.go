package login

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxTries  = 5
	failDelay = 3 * time.Second
	timeLimit = time.Minute // for the whole dialogue
	ttyGroup  = 5           // owns terminals, by convention (Debian's base-passwd)
)

// Main is login's main function; it returns only when nobody was logged in.
func Main(args []string) int {
	fs := flag.NewFlagSet("login", flag.ContinueOnError)
	keep := fs.Bool("p", false, "keep the environment")
	force := fs.String("f", "", "log this `user` in without a password")
	fs.String("h", "", "the remote `host` (taken for compatibility)")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "login: only root may start it")
		return 1
	}
	limit := time.AfterFunc(timeLimit, func() {
		fmt.Fprintf(os.Stderr, "\nlogin: nobody logged in within %v\n", timeLimit)
		setEcho(true)
		os.Exit(1)
	})

	a, err := identify(*force, fs.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, "login:", err)
		return 1
	}
	limit.Stop()
	if text, err := os.ReadFile("/etc/nologin"); err == nil && a.uid != 0 {
		if len(text) == 0 {
			text = []byte("No log-ins are allowed now.\n")
		}
		os.Stdout.Write(text)
		return 1
	}
	if err := become(a, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "login:", err)
		return 1
	}
	shell := a.shell
	err = unix.Exec(shell, []string{"-" + filepath.Base(shell)}, os.Environ())
	fmt.Fprintf(os.Stderr, "login: %s: %v\n", shell, err)
	return 1
}

// identify finds out whom to log in: the one given by -f, or one who knows the
// password.
func identify(force, name string) (account, error) {
	if force != "" {
		a, ok := find(force)
		if !ok {
			return a, fmt.Errorf("no user is called %q", force)
		}
		return a, nil
	}
	host, _ := os.Hostname()
	for try := 0; try < maxTries; try++ {
		for name == "" {
			fmt.Printf("%s login: ", host)
			line, err := readLine()
			if err != nil {
				return account{}, err
			}
			name = strings.TrimSpace(line)
		}
		a, ok := find(name)
		if match, err := authenticate(a, ok); err != nil {
			return a, err
		} else if match {
			return a, nil
		}
		logFailure(name)
		time.Sleep(failDelay)
		fmt.Print("\nLogin incorrect\n\n")
		name = ""
	}
	return account{}, errors.New("too many tries")
}

// find looks an account up in /etc/passwd.
func find(name string) (account, bool) {
	type result struct {
		a  account
		ok bool
	}
	r := readFile("/etc/passwd", func(f io.Reader) (r result) {
		r.a, r.ok = lookup(f, name)
		return r
	})
	return r.a, r.ok
}

// authenticate asks for the password, if there is one, and checks it.
func authenticate(a account, exists bool) (bool, error) {
	h := nobodysHash
	if exists {
		h = readFile("/etc/shadow", func(f io.Reader) string { return hash(f, a) })
	}
	if h == "" {
		return true, nil
	}
	setEcho(false)
	fmt.Print("Password: ")
	password, err := readLine()
	setEcho(true)
	fmt.Println()
	if err != nil {
		return false, err
	}
	match, known := check(h, password)
	if !known {
		toLog("the password of %q is of a kind login does not know", a.name)
	}
	return match && exists, nil
}

// setEcho switches the terminal's echo. What is typed already stays.
func setEcho(on bool) {
	t, err := unix.IoctlGetTermios(0, unix.TCGETS)
	if err != nil {
		return
	}
	t.Lflag &^= unix.ECHO
	if on {
		t.Lflag |= unix.ECHO
	}
	unix.IoctlSetTermios(0, unix.TCSETS, t)
}

// readLine reads a line from standard input, a byte at a time: what follows
// belongs to the shell.
func readLine() (string, error) {
	var line []byte
	var b [1]byte
	for {
		n, err := os.Stdin.Read(b[:])
		switch {
		case err != nil:
			return "", err
		case n == 0:
			return "", io.EOF
		case b[0] == '\n':
			return string(line), nil
		case len(line) < 1024:
			line = append(line, b[0])
		}
	}
}

// become turns this process into the user's: the terminal, the groups, the
// environment, the working directory; then nothing of root is left.
func become(a account, keep bool) error {
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err == nil {
		unix.Fchown(0, a.uid, ttyGroup)
		unix.Fchmod(0, 0o620)
	}
	gids := readFile("/etc/group", func(f io.Reader) []int { return groups(f, a) })
	if err := syscall.Setgroups(gids); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	if err := syscall.Setgid(a.gid); err != nil {
		return fmt.Errorf("setgid %d: %w", a.gid, err)
	}
	if err := syscall.Setuid(a.uid); err != nil {
		return fmt.Errorf("setuid %d: %w", a.uid, err)
	}
	if err := os.Chdir(a.home); err != nil {
		fmt.Fprintf(os.Stderr, "login: %v; starting in /\n", err)
		if err := os.Chdir("/"); err != nil {
			return err
		}
	}
	if !keep {
		term := os.Getenv("TERM")
		os.Clearenv()
		if term != "" {
			os.Setenv("TERM", term)
		}
	}
	path := "/bin:/usr/bin"
	if a.uid == 0 {
		path = "/bin:/sbin:/usr/bin:/usr/sbin"
	}
	for k, v := range map[string]string{"HOME": a.home, "SHELL": a.shell, "USER": a.name, "LOGNAME": a.name, "PATH": path} {
		os.Setenv(k, v)
	}
	if _, err := os.Stat(".hushlogin"); err != nil {
		if motd, err := os.ReadFile("/etc/motd"); err == nil {
			os.Stdout.Write(motd)
		}
	}
	return nil
}

// logFailure notes a failed log-in, without the name if it is none: people type
// their password at the wrong prompt.
func logFailure(name string) {
	if _, ok := find(name); !ok {
		toLog("log-in failed for an unknown name")
		return
	}
	toLog("log-in failed for %q", name)
}

// toLog writes to the kernel's log: there may be no other. The number is
// syslog(3)'s LOG_AUTH|LOG_NOTICE.
func toLog(format string, a ...any) {
	f, err := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "<37>login: "+format+"\n", a...)
}

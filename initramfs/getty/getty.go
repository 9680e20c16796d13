package getty

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The size given to a terminal that knows none.
const (
	defaultRows = 24
	defaultCols = 80
)

// maxName is the longest name that is read (LOGIN_NAME_MAX is 256 on Linux, but
// no one types that).
const maxName = 64

// Main is getty's main function; it returns only if login cannot be started.
func Main(args []string) int {
	fs := flag.NewFlagSet("getty", flag.ContinueOnError)
	noName := fs.Bool("n", false, "do not ask for a name")
	auto := fs.String("a", "", "log this `user` in without asking")
	program := fs.String("l", "/bin/login", "the `program` to start")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	line, speed, term := "-", uint32(0), ""
	for i, a := range fs.Args() {
		if n, err := strconv.ParseUint(strings.Split(a, ",")[0], 10, 32); err == nil {
			speed = uint32(n) // System V gives the speed first, agetty last: take both
		} else if i == 0 || line == "-" && term == "" && i == 1 && speed != 0 {
			line = a
		} else {
			term = a
		}
	}
	line = behind(strings.TrimPrefix(line, "/dev/"))
	if err := open(line); err != nil {
		fmt.Fprintf(os.Stderr, "getty: %s: %v\n", line, err)
		time.Sleep(5 * time.Second) // init starts us again at once
		return 1
	}
	if err := sane(speed); err != nil {
		fmt.Fprintf(os.Stderr, "getty: %s: %v\n", line, err)
	}
	if isVirtual(line) {
		if term == "" {
			term = "linux"
		}
		io.WriteString(os.Stdout, fresh)
	}
	if term != "" {
		os.Setenv("TERM", term)
	}

	argv := []string{"login"}
	switch {
	case *auto != "":
		argv = append(argv, "-f", *auto)
	case !*noName:
		name, err := ask(line)
		if err != nil {
			return 0 // hung up, or ^D: init starts a new getty
		}
		argv = append(argv, "--", name)
	}
	err := unix.Exec(*program, argv, os.Environ())
	fmt.Fprintf(os.Stderr, "getty: %s: %v\n", *program, err)
	time.Sleep(5 * time.Second)
	return 1
}

// fresh undoes on a virtual terminal what a program that did not end well may have
// left behind, and leaves the text where it is (console_codes(4)).
const fresh = "\x1b[?1049l" + // the alternate screen
	"\x1b7\x1b[?6l\x1b[r\x1b8" + // origin mode and a scroll region; the cursor is kept over those
	"\x1b[0;10m\x1b[3;4;20l" + // attributes, control characters shown, insert mode, LF that is CR LF
	"\x1b[?5;9;1000l\x1b[?7;8;25h\x1b[?0c" + // reverse screen, mouse; wrapping, keys that repeat, the cursor
	"\x1b[?1l\x1b>" + // application keys
	"\x1b%G\x1b(B\x1b)0\x0f" + // UTF-8, line drawing
	"\x1b]R" // colours

// isVirtual tells whether line is a virtual terminal, whose type is known: tty
// and a number.
func isVirtual(line string) bool {
	n, ok := strings.CutPrefix(line, "tty")
	_, err := strconv.ParseUint(n, 10, 8)
	return ok && err == nil
}

// open makes line the controlling terminal and descriptors 0 to 2.
func open(line string) error {
	if line == "-" || controls(line) {
		return nil
	}
	unix.Setsid() // fails where we lead a session already: just as good
	fd, err := unix.Open("/dev/"+line, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
		return errors.New("not a terminal")
	}
	if err := unix.IoctlSetInt(fd, unix.TIOCSCTTY, 1); err != nil {
		return fmt.Errorf("as controlling terminal: %w", err)
	}
	for i := range 3 {
		if err := unix.Dup2(fd, i); err != nil {
			return err
		}
	}
	return nil
}

// behind is the terminal that /dev/console stands for, and line itself otherwise.
// A shell on /dev/console would have half a job control only: the kernel never
// stops a background process for reading that file (n_tty.c, job_control).
func behind(line string) string {
	if line != "console" {
		return line
	}
	fd, err := unix.Open("/dev/console", unix.O_RDONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return line
	}
	defer unix.Close(fd)
	dev, err := unix.IoctlGetUint32(fd, unix.TIOCGDEV)
	if err != nil {
		return line
	}
	entries, err := os.ReadDir("/dev")
	if err != nil {
		return line
	}
	for _, e := range entries {
		var st unix.Stat_t
		if e.Name() == "console" || unix.Stat("/dev/"+e.Name(), &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFCHR {
			continue
		}
		// The kernel's 32-bit form of a device number (linux/kdev_t.h).
		major, minor := unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev))
		if minor&0xff|major<<8|minor&^0xff<<12 == dev {
			return e.Name()
		}
	}
	return line
}

// controls tells whether standard input is that terminal and controls our
// session.
func controls(line string) bool {
	var in, want unix.Stat_t
	if unix.Fstat(0, &in) != nil || unix.Stat("/dev/"+line, &want) != nil || in.Rdev != want.Rdev {
		return false
	}
	sid, err := unix.IoctlGetInt(0, unix.TIOCGSID)
	return err == nil && sid == unix.Getpid()
}

// sane gives the terminal the settings stty(1) calls sane, a speed if one is
// given, and a window size if it has none.
func sane(speed uint32) error {
	t, err := unix.IoctlGetTermios(0, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag = unix.BRKINT | unix.ICRNL | unix.IXON | unix.IMAXBEL | unix.IUTF8
	t.Oflag = unix.OPOST | unix.ONLCR
	t.Cflag = t.Cflag&(unix.CBAUD|unix.CLOCAL) | unix.CS8 | unix.CREAD | unix.HUPCL
	t.Lflag = unix.ISIG | unix.ICANON | unix.IEXTEN | unix.ECHO | unix.ECHOE | unix.ECHOK | unix.ECHOCTL | unix.ECHOKE
	// The control characters of asm-generic/termbits.h's INIT_C_CC.
	t.Cc = [len(t.Cc)]uint8{
		unix.VINTR: 3, unix.VQUIT: 28, unix.VERASE: 127, unix.VKILL: 21, unix.VEOF: 4, unix.VMIN: 1,
		unix.VSTART: 17, unix.VSTOP: 19, unix.VSUSP: 26, unix.VREPRINT: 18, unix.VDISCARD: 15,
		unix.VWERASE: 23, unix.VLNEXT: 22,
	}
	if b, ok := speeds[speed]; ok {
		t.Cflag = t.Cflag&^unix.CBAUD | b
		t.Ispeed, t.Ospeed = b, b
	}
	if err := unix.IoctlSetTermios(0, unix.TCSETS, t); err != nil {
		return err
	}
	ws, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ)
	if err == nil && (ws.Row == 0 || ws.Col == 0) {
		err = unix.IoctlSetWinsize(0, unix.TIOCSWINSZ, &unix.Winsize{Row: defaultRows, Col: defaultCols})
	}
	return err
}

var speeds = map[uint32]uint32{
	1200: unix.B1200, 2400: unix.B2400, 4800: unix.B4800, 9600: unix.B9600, 19200: unix.B19200,
	38400: unix.B38400, 57600: unix.B57600, 115200: unix.B115200, 230400: unix.B230400,
}

// ask prints the issue and the prompt until a name is typed. The terminal is
// out of canonical mode for that time, so that any of the usual erase keys works
// whatever the terminal sends; afterwards it is sane again.
func ask(line string) (string, error) {
	t, err := unix.IoctlGetTermios(0, unix.TCGETS)
	if err != nil {
		return "", err
	}
	raw := *t
	raw.Lflag &^= unix.ICANON | unix.ECHO | unix.ISIG | unix.IEXTEN
	raw.Iflag &^= unix.ICRNL
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	if err := unix.IoctlSetTermios(0, unix.TCSETS, &raw); err != nil {
		return "", err
	}
	defer unix.IoctlSetTermios(0, unix.TCSETS, t)

	host, _ := os.Hostname()
	for {
		issue, _ := os.ReadFile("/etc/issue")
		fmt.Fprint(os.Stdout, "\n", expand(string(issue), line, time.Now()), host, " login: ")
		name, err := readName(os.Stdin, os.Stdout)
		if err != nil || name != "" {
			return name, err
		}
	}
}

// readName reads a name, echoing and editing it: Backspace or Delete takes the
// last character, ^U all, ^W too (a name is one word); ^C starts over; ^D on an
// empty line is the end. Characters that can be in no name are not taken.
func readName(r io.Reader, w io.Writer) (string, error) {
	var name []byte
	var b [1]byte
	for {
		if n, err := r.Read(b[:]); err != nil {
			return "", err
		} else if n == 0 {
			return "", io.EOF
		}
		switch c := b[0]; {
		case c == '\r' || c == '\n':
			io.WriteString(w, "\n")
			return string(name), nil
		case c == 8 || c == 127:
			if len(name) > 0 {
				name = name[:len(name)-1]
				io.WriteString(w, "\b \b")
			}
		case c == 'U'-'@' || c == 'W'-'@':
			io.WriteString(w, strings.Repeat("\b \b", len(name)))
			name = name[:0]
		case c == 'C'-'@':
			io.WriteString(w, "\n")
			return "", nil
		case c == 'D'-'@':
			if len(name) == 0 {
				return "", io.EOF
			}
		case c > ' ' && c < 127 && c != ':' && c != '/' && len(name) < maxName:
			name = append(name, c)
			w.Write(b[:])
		}
	}
}

// expand replaces the escapes of agetty's issue file: \s \n \r \v \m for the
// fields of uname(2), \l the line, \d \t date and time.
func expand(issue, line string, now time.Time) string {
	var u unix.Utsname
	unix.Uname(&u)
	var out strings.Builder
	for i := 0; i < len(issue); i++ {
		if issue[i] != '\\' || i+1 == len(issue) {
			out.WriteByte(issue[i])
			continue
		}
		i++
		switch issue[i] {
		case 's':
			out.WriteString(unix.ByteSliceToString(u.Sysname[:]))
		case 'n':
			out.WriteString(unix.ByteSliceToString(u.Nodename[:]))
		case 'r':
			out.WriteString(unix.ByteSliceToString(u.Release[:]))
		case 'v':
			out.WriteString(unix.ByteSliceToString(u.Version[:]))
		case 'm':
			out.WriteString(unix.ByteSliceToString(u.Machine[:]))
		case 'l':
			out.WriteString(line)
		case 'd':
			out.WriteString(now.Format("Mon Jan _2 2006"))
		case 't':
			out.WriteString(now.Format("15:04:05"))
		default:
			out.WriteByte(issue[i])
		}
	}
	return out.String()
}

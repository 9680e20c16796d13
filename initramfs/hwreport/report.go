package hwreport

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// report is one text in the making.
type report struct {
	w    *bufio.Writer
	root string // where /proc and /sys are; "/" but in tests
	log  func() ([]byte, error)
}

// Main prints the report and returns the exit status.
func Main(args []string) int {
	if len(args) > 0 {
		fmt.Fprintln(os.Stderr, "usage: hwreport\nPrints what machine this is, for a report of a fault.")
		return 2
	}
	if err := Write(os.Stdout, "/", kernelLog); err != nil {
		fmt.Fprintln(os.Stderr, "hwreport:", err)
		return 1
	}
	return 0
}

// Write writes the report of the machine whose /proc and /sys are below root. log
// returns the kernel's log as syslog(2) gives it.
func Write(w io.Writer, root string, log func() ([]byte, error)) error {
	r := &report{bufio.NewWriter(w), root, log}
	r.kernel()
	r.machine()
	r.cpus()
	r.memory()
	r.pci()
	r.usb()
	r.acpi()
	r.clocks()
	r.interrupts()
	r.devices()
	r.places()
	r.messages()
	r.line("== end of report ==")
	return r.w.Flush()
}

// kernelLog returns the kernel's log (syslog(2), SYSLOG_ACTION_READ_ALL).
func kernelLog() ([]byte, error) {
	const readAll, size = 3, 10
	n, err := unix.Klogctl(size, nil)
	if err != nil {
		return nil, err
	}
	p := make([]byte, n)
	n, err = unix.Klogctl(readAll, p)
	if err != nil {
		return nil, err
	}
	return p[:n], nil
}

func (r *report) line(format string, a ...any) { fmt.Fprintf(r.w, format+"\n", a...) }

// section begins a part of the report.
func (r *report) section(name string) { r.line("\n== %s ==", name) }

// missing says why something cannot be told.
func (r *report) missing(what string, err error) {
	var p *os.PathError
	if errors.As(err, &p) {
		err = fmt.Errorf("%s: %w", strings.TrimPrefix(p.Path, strings.TrimSuffix(r.root, "/")), p.Err)
	}
	r.line("%s: not available (%v)", what, err)
}

// read returns a file's text without white space at its end.
func (r *report) read(path string) (string, error) {
	p, err := os.ReadFile(filepath.Join(r.root, path))
	return strings.TrimRight(string(p), " \t\n\x00"), err
}

// value returns a file's text, or "" if it cannot be read.
func (r *report) value(path string) string {
	s, err := r.read(path)
	if err != nil {
		return ""
	}
	return s
}

// list returns the names in a directory, sorted, numbers by their value.
func (r *report) list(path string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(r.root, path))
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.SortFunc(names, func(a, b string) int {
		x, errA := strconv.Atoi(a)
		y, errB := strconv.Atoi(b)
		if errA == nil && errB == nil {
			return x - y
		}
		return strings.Compare(a, b)
	})
	return names, err
}

// file copies a whole file, each line with a blank before it.
func (r *report) file(what, path string) {
	s, err := r.read(path)
	if err != nil {
		r.missing(what, err)
		return
	}
	r.line("%s:", what)
	r.text(s)
}

// text copies lines.
func (r *report) text(s string) {
	for l := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		r.line(" %s", clean(l))
	}
}

// one prints the one line of a file.
func (r *report) one(what, path string) {
	s, err := r.read(path)
	if err != nil {
		r.missing(what, err)
		return
	}
	r.line("%s: %s", what, clean(s))
}

// clean makes what firmware or devices have written fit for a terminal.
func clean(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' || c == 0x7f || c == '\ufffd' {
			return '?'
		}
		return c
	}, s)
}

// hardware returns a section of /proc/tamarix/hardware; "" if there is none.
func (r *report) hardware(section string) string {
	_, rest, ok := strings.Cut("\n"+r.value("proc/tamarix/hardware"), "\n["+section+"]\n")
	if !ok {
		return ""
	}
	text, _, _ := strings.Cut(rest, "\n\n")
	return text
}

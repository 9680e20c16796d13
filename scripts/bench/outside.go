package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"tamarix/scripts/bench/measure"
)

// build makes the kernel; timed, as on a machine that has never built anything:
// with an empty build cache. The modules that go.mod names have been downloaded.
func (s *session) build(timed bool) error {
	if out, err := exec.Command("make", "-s", "kernel").CombinedOutput(); err != nil {
		return fmt.Errorf("make kernel: %w\n%s", err, out)
	}
	if !timed {
		return nil
	}
	fmt.Fprintln(os.Stderr, "building the kernel with an empty cache ...")
	dir, err := os.MkdirTemp("", "bench-build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	start := time.Now()
	c := exec.Command("make", "-s", "kernel", "OUT="+filepath.Join(dir, "out"))
	c.Env = append(os.Environ(), "GOCACHE="+filepath.Join(dir, "cache"))
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("make kernel: %w\n%s", err, out)
	}
	s.outside(measure.Tamarix, 1, measure.Build, float64(time.Since(start).Nanoseconds()))
	return nil
}

// images records how large the kernels are and which Linux it is.
func (s *session) images() error {
	b, err := os.ReadFile(s.kernels[measure.Linux])
	if err != nil {
		return err
	}
	z, err := readBzImage(b)
	if err != nil {
		return fmt.Errorf("%s: %w", s.kernels[measure.Linux], err)
	}
	st, err := os.Stat(s.kernels[measure.Tamarix])
	if err != nil {
		return err
	}
	s.fact("Linux", z.version)
	s.outside(measure.Linux, 1, measure.Image, float64(len(b)))
	s.outside(measure.Linux, 1, measure.Unpacked, float64(z.unpacked))
	s.outside(measure.Tamarix, 1, measure.Image, float64(st.Size()))
	s.outside(measure.Tamarix, 1, measure.Unpacked, float64(st.Size()))
	return nil
}

// A bzImage is what is said about a compressed Linux kernel by its own header.
type bzImage struct {
	version  string
	unpacked uint32 // size of the ELF file in it
}

// readBzImage reads the setup header (kernel.org, "The Linux/x86 Boot Protocol").
// The compressed kernel ends with its size when uncompressed.
func readBzImage(b []byte) (z bzImage, err error) {
	const (
		setupSects    = 0x1f1
		magic         = 0x202
		version       = 0x20e
		payloadOffset = 0x248
		payloadLength = 0x24c
	)
	if len(b) < 0x1000 || string(b[magic:magic+4]) != "HdrS" {
		return z, errors.New("no bzImage")
	}
	le := binary.LittleEndian
	if at := int(le.Uint16(b[version:])) + 0x200; at < len(b) {
		text, _, _ := bytes.Cut(b[at:], []byte{0})
		z.version = string(text)
	}
	end := (uint64(b[setupSects])+1)*512 + uint64(le.Uint32(b[payloadOffset:])) + uint64(le.Uint32(b[payloadLength:]))
	if end > uint64(len(b)) {
		return z, errors.New("the compressed kernel is cut off")
	}
	z.unpacked = le.Uint32(b[end-4:])
	return z, nil
}

func (s *session) fact(name, value string) {
	s.set.Facts = append(s.set.Facts, measure.Fact{Name: name, Value: value})
}

// facts records under what circumstances it is measured.
func (s *session) facts() {
	first := func(name string, args ...string) string {
		out, _ := exec.Command(name, args...).Output()
		line, _, _ := strings.Cut(string(out), "\n")
		return line
	}
	s.fact("Date", s.started.UTC().Format("2006-01-02 15:04 UTC"))
	commit := first("git", "rev-parse", "--short=12", "HEAD")
	if commit != "" && first("git", "status", "--porcelain", "--untracked-files=no") != "" {
		commit += ", with changes"
	}
	s.fact("Commit", commit)
	s.fact("Go", runtime.Version())
	s.fact("QEMU", strings.TrimPrefix(first("qemu-system-x86_64", "--version"), "QEMU emulator version "))
	model := "unknown"
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if v, ok := strings.CutPrefix(line, "model name\t: "); ok {
				model = strings.TrimSpace(v)
				break
			}
		}
	}
	s.fact("Host CPU", model)
	s.fact("Host cores", fmt.Sprint(runtime.NumCPU()))
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		s.fact("Host load before", strings.Fields(string(b))[0])
	}
	s.fact("Machine", "-machine q35 -cpu "+measure.CPU+` -m 512M -append "console=ttyS0 quiet"`)
	s.fact("Boots for wall time", fmt.Sprint(s.options.n))
	s.fact("Batch", fmt.Sprintf("%d ms", s.options.ms))
	var what []string
	if s.options.quick {
		what = append(what, "quick")
	}
	if s.options.rows != "" {
		what = append(what, "rows "+s.options.rows)
	}
	if strings.Join(s.parts, ",") != strings.Join(allParts, ",") {
		what = append(what, "parts "+strings.Join(s.parts, ","))
	}
	s.fact("Only", strings.Join(what, "; "))
}

// wanted tells whether the program runs the row of that name when its ROWS is
// list: names, beginnings that end in a dot, and -name for what is left out.
func wanted(list, name string) bool {
	some, in := false, false
	for w := range strings.SplitSeq(list, ",") {
		w, not := strings.CutPrefix(w, "-")
		is := w == name || strings.HasSuffix(w, ".") && strings.HasPrefix(name, w)
		if not && is {
			return false
		}
		some = some || !not && w != ""
		in = in || is
	}
	return in || !some
}

package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"tamarix/scripts/image"
)

// options are the command line's.
type options struct {
	row, in, out, kernel string
	rate, seconds, smp   int
	mem                  string
	icount               bool
}

func main() {
	var o options
	flag.StringVar(&o.row, "row", "", "boot the kernel and profile this `row` of the benchmark")
	flag.StringVar(&o.in, "in", "", "convert the samples in `file` (- is the standard input)")
	flag.StringVar(&o.out, "o", "", "write the profile to `file` (out/profile/ROW.pb.gz)")
	flag.StringVar(&o.kernel, "kernel", "out/tamarix.debug", "the kernel's `file` with symbols")
	flag.IntVar(&o.rate, "rate", 1000, "samples a second and CPU")
	flag.IntVar(&o.seconds, "seconds", 10, "how long")
	flag.IntVar(&o.smp, "smp", 1, "CPUs")
	flag.StringVar(&o.mem, "mem", "512M", "memory")
	flag.BoolVar(&o.icount, "icount", false, "let the clock count instructions")
	flag.Parse()
	if err := run(&o); err != nil {
		fmt.Fprintln(os.Stderr, "profile:", err)
		os.Exit(1)
	}
}

func run(o *options) error {
	root, err := image.Root()
	if err != nil {
		return err
	}
	var text []byte
	switch {
	case o.in == "-":
		text, err = io.ReadAll(os.Stdin)
	case o.in != "":
		text, err = os.ReadFile(o.in)
	case o.row != "":
		text, err = take(root, o)
	default:
		return errors.New("which row? (-row NAME; make profile ROW=NAME)")
	}
	if err != nil {
		return err
	}
	s, err := parse(bytes.NewReader(text))
	if err != nil {
		return err
	}
	y, err := readSymbols(o.kernel)
	if err != nil {
		return err
	}
	p := convert(s, y, o.kernel, &sources{root, goEnv("GOROOT"), goEnv("GOMODCACHE"), map[string]string{}})
	if err := p.CheckValid(); err != nil {
		return err
	}
	if o.out == "" {
		o.out = filepath.Join(root, "out", "profile", strings.ReplaceAll(o.row, "/", "_")+".pb.gz")
		if o.row == "" {
			o.out = "profile.pb.gz"
		}
	}
	if err := os.MkdirAll(filepath.Dir(o.out), 0o755); err != nil {
		return err
	}
	f, err := os.Create(o.out)
	if err != nil {
		return err
	}
	if err := errors.Join(p.Write(f), f.Close()); err != nil {
		return err
	}
	if s.heap {
		fmt.Printf("Look at it:  go tool pprof -top %s\n", o.out)
		return nil
	}
	summary(s)
	fmt.Printf("Garbage collector: %.2f %% of the kernel's samples", collectorShare(p))
	if r := collectorReport(text); r != "" {
		fmt.Printf("; %s", r)
	}
	fmt.Println()
	if rel, err := filepath.Rel(root, o.out); err == nil && !strings.HasPrefix(rel, "..") {
		o.out = rel
	}
	fmt.Printf("Look at it:  go tool pprof -top -ignore '^idle$' %s\n", o.out)
	return nil
}

// summary says what the samples were taken of.
func summary(s *samples) {
	total, kinds := int64(0), map[string]int64{}
	for _, k := range s.stacks {
		total += k.count
		kinds[k.kind] += k.count
	}
	fmt.Printf("%d samples in %.1f s: kernel %.1f %%, user %.1f %%, idle %.1f %%; %d lost; mean delay in ns: %s\n",
		total, float64(s.ns)/1e9, percent(kinds["kernel"], total), percent(kinds["user"], total), percent(kinds["idle"], total), s.lost, s.late)
}

func percent(n, of int64) float64 { return 100 * float64(n) / float64(max(1, of)) }

// goEnv asks the go command; "" if it does not know.
func goEnv(name string) string {
	out, _ := exec.Command("go", "env", name).Output()
	return strings.TrimSpace(string(out))
}

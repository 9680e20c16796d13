// Test runs all of Tamarix's tests, or some of them by name.
//
//	go run ./scripts/test [-run NAME] [-stress 10m] [-pc] [-fuzz 10m] [-screenshots]
//
// Without a name: gofmt, go vet, go test -race ./... on this host, the kernel and
// the images, then the machines in QEMU (scripts/qemutest). With one, only what
// is called so:
//
//	-run mm/fork          guest cases whose group/name begins so, on Tamarix
//	-run TestBusybox      a test of scripts/qemutest, if it has one of that name;
//	-run TestParse        else of the other packages, on this host
//
// -stress runs everything at once on four CPUs for that long. -pc boots the USB
// image on every kind of PC, or on those whose names begin with that of -run.
// -fuzz runs the fuzz tests for so long each, or those whose package and name hold
// that of -run. -screenshots makes the pictures in scripts/screens anew.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"tamarix/scripts/image"
)

func main() {
	name := flag.String("run", "", "only the tests of that `name`")
	stress := flag.Duration("stress", 0, "run the stress test for that long")
	pc := flag.Bool("pc", false, "the USB image on every kind of PC")
	fuzzing := flag.Duration("fuzz", 0, "run each fuzz test for that long")
	screens := flag.Bool("screenshots", false, "only make the README's pictures")
	flag.Parse()
	root, err := image.Root()
	if err == nil {
		err = os.Chdir(root)
	}
	if err == nil {
		switch {
		case *screens:
			err = machines("^TestScreenshots$", "TAMARIX_SCREENSHOTS=1")
		case *fuzzing > 0:
			err = fuzz(*fuzzing, *name)
		default:
			err = run(*name, *stress, *pc)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		os.Exit(1)
	}
	fmt.Println("All is well.")
}

// run chooses what is to be done and does it.
func run(name string, stress time.Duration, pc bool) error {
	if err := command("checking what is installed", nil, "scripts/deps.sh", "test"); err != nil {
		return err
	}
	if stress > 0 {
		return machines("^TestStress$", fmt.Sprintf("STRESS_SECONDS=%d", int(stress.Seconds())))
	}
	if pc {
		return machines("^TestPC$", "TAMARIX_PC="+cmp.Or(strings.TrimPrefix(name, "TestPC/"), "all"))
	}
	if name == "" {
		return everything()
	}
	if name[0] >= 'a' && name[0] <= 'z' {
		return machines("^TestGuest$/^smp2$", "GUEST_RUN="+name)
	}
	first, _, _ := strings.Cut(name, "/")
	out, err := exec.Command("go", "test", "-list", "^"+first+"$", "./scripts/qemutest").Output()
	if err != nil {
		return fmt.Errorf("go test -list: %w", err)
	}
	pattern := anchored(name)
	if bytes.HasPrefix(out, []byte("Test")) {
		return machines(pattern)
	}
	return command("host tests", nil, "go", "test", "-race", "-run", pattern, "./...")
}

// anchored makes each part of a test's name match just that.
func anchored(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.Join(parts, "/")
}

// everything is all there is, the quick things first. What fails on the host does
// not keep the machines from being tried.
func everything() error {
	start := time.Now()
	var errs []error
	steps := []func() error{
		formatted,
		func() error { return command("go vet", nil, "go", "vet", "./...") },
		func() error { return command("host tests", nil, "go", "test", "-race", "./...") },
		func() error { return machines("") },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			fmt.Fprintln(os.Stderr, "FAIL:", err)
			errs = append(errs, err)
		}
	}
	fmt.Printf("%v in all\n", time.Since(start).Round(time.Second))
	return errors.Join(errs...)
}

// formatted complains about files that gofmt would change.
func formatted() error {
	dirs := []string{"arch", "boot", "dev", "fs", "initramfs", "kernel", "mm", "proc", "scripts"}
	out, err := exec.Command("gofmt", append([]string{"-l"}, dirs...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("gofmt: %w\n%s", err, out)
	}
	if len(out) > 0 {
		return fmt.Errorf("not as gofmt has it:\n%s", out)
	}
	return nil
}

// machines builds the kernel and runs the tests of scripts/qemutest that match
// the pattern.
func machines(pattern string, env ...string) error {
	if err := command("building the kernel", nil, "make", "-s", "kernel"); err != nil {
		return err
	}
	args := []string{"test", "-v", "-count=1", "-timeout=3h"}
	if pattern != "" {
		args = append(args, "-run", pattern)
	}
	return command("QEMU tests", append(env, "TAMARIX_QEMU=1"), "go", append(args, "./scripts/qemutest")...)
}

// command runs a command and shows what it says, but for the noise of go test.
func command(what string, env []string, name string, args ...string) error {
	fmt.Printf("--- %s\n", what)
	start := time.Now()
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), env...)
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	c.Stderr = c.Stdout
	if err := c.Start(); err != nil {
		return err
	}
	failed := show(os.Stdout, out)
	if err := c.Wait(); err != nil {
		if len(failed) > 0 {
			fmt.Printf("--- of the %s, these failed:\n%s\n", what, strings.Join(failed, "\n"))
		}
		return fmt.Errorf("%s: %w", what, err)
	}
	if d := time.Since(start); d > 2*time.Second {
		fmt.Printf("    %v\n", d.Round(100*time.Millisecond))
	}
	return nil
}

// noise is what go test says of tests that begin or that there are none.
var noise = regexp.MustCompile(`^(=== (CONT|PAUSE|NAME)|\?  .*no test files|=== RUN +\S+/\S+/)`)

// told is how many lines of a failed test are said again at the end.
const told = 60

// packageEnd is how go test ends what it says of a package.
var packageEnd = regexp.MustCompile(`^(ok  |FAIL)\t`)

// show copies lines that say something. It returns the last lines of each test
// that failed (without -v, of each package), for they may be far above when all the
// tests have run.
func show(w io.Writer, r io.Reader) (failed []string) {
	var test []string // the lines of the test or package that runs
	bad := false      // it has failed
	end := func() {
		if bad {
			failed = append(failed, test[max(0, len(test)-told):]...)
		}
		test, bad = nil, false
	}
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		line := in.Text()
		if noise.MatchString(line) {
			continue
		}
		fmt.Fprintln(w, line)
		if f := strings.Fields(line); strings.HasPrefix(line, "=== RUN") && len(f) > 2 && !strings.Contains(f[2], "/") {
			end()
		}
		bad = bad || strings.HasPrefix(line, "--- FAIL") || strings.HasPrefix(line, "panic: ")
		test = append(test, line)
		if packageEnd.MatchString(line) {
			end()
		}
	}
	end()
	io.Copy(w, r) // a line too long for the scanner
	return failed
}

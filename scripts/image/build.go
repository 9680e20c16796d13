package image

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Root is the top folder of the Tamarix tree: the nearest parent of the working
// directory whose go.mod says `module tamarix`.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		b, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && bytes.HasPrefix(b, []byte("module tamarix\n")) {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("not inside the Tamarix tree: no go.mod with `module tamarix` here or above")
		}
		dir = up
	}
}

// Progress says what is being made when it takes longer than two seconds. The
// returned function ends it.
func Progress(what string) (done func()) {
	start := time.Now()
	t := time.AfterFunc(2*time.Second, func() { fmt.Fprintf(os.Stderr, "%s ...\n", what) })
	return func() {
		if !t.Stop() {
			fmt.Fprintf(os.Stderr, "%s: done in %.1f s\n", what, time.Since(start).Seconds())
		}
	}
}

// run runs a command in dir; its output becomes part of the error.
func run(dir string, env []string, name string, args ...string) error {
	c := exec.Command(name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), env...)
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return nil
}

// static is the environment of every Go program that goes into an image.
var static = []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "GOFLAGS="}

// GoProgram builds the package pkg of the tree as a static program and returns
// the path of the binary, out/cache/NAME. The Go build cache makes a second
// build cheap.
func GoProgram(root, pkg, name string) (string, error) {
	out := filepath.Join(root, "out", "cache", name)
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return "", err
	}
	defer Progress("building " + name)()
	err := run(root, static, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", out, pkg)
	return out, err
}

// URoot returns the path of u-root's commands as one binary, and their names.
// The binary is kept under a name made of the toolchain, go.mod and go.sum of
// initramfs/uroot, so it is built once for each of their versions.
func URoot(root string) (binary string, names []string, err error) {
	dir := filepath.Join(root, "initramfs", "uroot")
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version())
	var mod []byte
	for _, f := range []string{"go.mod", "go.sum"} {
		b, err := os.ReadFile(filepath.Join(dir, f))
		if err != nil {
			return "", nil, err
		}
		if f == "go.mod" {
			mod = b
		}
		h.Write(b)
	}
	var pkgs []string
	for line := range strings.Lines(string(mod)) {
		p := strings.TrimPrefix(strings.TrimSpace(line), "tool ")
		if strings.HasPrefix(p, "github.com/u-root/u-root/cmds/") {
			pkgs = append(pkgs, p)
			names = append(names, filepath.Base(p))
		}
	}
	binary = filepath.Join(root, "out", "cache", fmt.Sprintf("uroot-%x", h.Sum(nil)[:8]))
	if _, err := os.Stat(binary); err == nil {
		return binary, names, nil
	}
	defer Progress(fmt.Sprintf("building u-root's %d commands as one binary", len(names)))()
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return "", nil, err
	}
	tmp := binary + ".new"
	args := append([]string{"tool", "makebb", "-o", tmp}, pkgs...)
	if err := run(dir, static, "go", args...); err != nil {
		return "", nil, err
	}
	return binary, names, os.Rename(tmp, binary)
}

// Deb downloads the Debian package name with apt (nothing is installed, no
// privilege is needed) and unpacks it under out/deb/name, whose path it
// returns. A package that is there already is taken as it is.
func Deb(root, name string) (string, error) {
	dir := filepath.Join(root, "out", "deb", name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	for _, tool := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", fmt.Errorf("package %s: no %s here; put its content under %s by hand", name, tool, dir)
		}
	}
	defer Progress("downloading Debian's " + name)()
	tmp, err := os.MkdirTemp(mkdir(filepath.Join(root, "out")), "deb-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	// apt warns when its download user cannot write here; it then goes on as us.
	err = run(tmp, nil, "apt-get", "-q", "download", name)
	if err != nil && refresh() {
		err = run(tmp, nil, "apt-get", "-q", "download", name)
	}
	if err != nil {
		return "", fmt.Errorf("%w\n(apt-get update may help)", err)
	}
	debs, _ := filepath.Glob(filepath.Join(tmp, "*.deb"))
	if len(debs) != 1 {
		return "", fmt.Errorf("package %s: apt-get download left %d files", name, len(debs))
	}
	tree := filepath.Join(tmp, "tree")
	if err := run(tmp, nil, "dpkg-deb", "-x", debs[0], tree); err != nil {
		return "", err
	}
	mkdir(filepath.Dir(dir))
	return dir, os.Rename(tree, dir)
}

// refresh has apt fetch its lists of packages, which a fresh machine lacks and an
// old one has too old; that takes root. It tells whether that was done.
func refresh() bool {
	if os.Geteuid() != 0 {
		return false
	}
	fmt.Fprintln(os.Stderr, "apt-get update")
	return run("", nil, "apt-get", "-qq", "update") == nil
}

// mkdir makes dir with its parents and returns it; a failure shows in what is
// done with it next.
func mkdir(dir string) string {
	os.MkdirAll(dir, 0o755)
	return dir
}

// DebianKernel returns the path of the vmlinuz of Debian's linux-image-amd64:
// the Linux the tests are compared with.
func DebianKernel(root string) (string, error) {
	pattern := filepath.Join(root, "out", "deb", "linux-image-*", "boot", "vmlinuz-*")
	if m, _ := filepath.Glob(pattern); len(m) > 0 {
		return m[len(m)-1], nil
	}
	out, err := exec.Command("apt-cache", "depends", "linux-image-amd64").Output()
	if err != nil && refresh() {
		out, err = exec.Command("apt-cache", "depends", "linux-image-amd64").Output()
	}
	if err != nil {
		return "", fmt.Errorf("apt-cache depends linux-image-amd64: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "Depends: linux-image-")
		if !ok {
			continue
		}
		if _, err := Deb(root, "linux-image-"+name); err != nil {
			return "", err
		}
		m, _ := filepath.Glob(pattern)
		if len(m) == 0 {
			return "", fmt.Errorf("package linux-image-%s holds no vmlinuz", name)
		}
		// The modules (300 MB) are not wanted: the tests use what is built in.
		os.RemoveAll(filepath.Join(root, "out", "deb", "linux-image-"+name, "lib"))
		os.RemoveAll(filepath.Join(root, "out", "deb", "linux-image-"+name, "usr"))
		return m[len(m)-1], nil
	}
	return "", errors.New("linux-image-amd64: apt knows no package it depends on; try apt-get update")
}

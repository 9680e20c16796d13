package qemutest

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"tamarix/scripts/image"
	"tamarix/scripts/qemu"
)

// needQEMU skips the test unless machines are to be booted, and returns the top
// of the tree.
func needQEMU(t *testing.T) string {
	t.Helper()
	if os.Getenv("TAMARIX_QEMU") == "" {
		t.Skip("boots a machine: set TAMARIX_QEMU=1, or use make test")
	}
	root, err := image.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// tamarix is the kernel under test.
func tamarix(t *testing.T, root string) string {
	t.Helper()
	k := filepath.Join(root, "out", "tamarix.elf")
	if _, err := os.Stat(k); err != nil {
		t.Fatalf("%v (make kernel builds it)", err)
	}
	return k
}

// linux is Debian's kernel.
func linux(t *testing.T, root string) string {
	t.Helper()
	k, err := image.DebianKernel(root)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// built remembers which images this run has made.
var built sync.Map // name → func() error, a sync.OnceValue

// archive makes an image once in a run and returns its path.
func archive(t *testing.T, root, name string, fill func(m *image.Image) error) string {
	t.Helper()
	path := filepath.Join(root, "out", "test", name+".cpio.gz")
	once, _ := built.LoadOrStore(name, sync.OnceValue(func() error {
		var m image.Image
		if err := fill(&m); err != nil {
			return err
		}
		return m.Write(path)
	}))
	if err := once.(func() error)(); err != nil {
		t.Fatal(err)
	}
	return path
}

// userland is the image of that user land, as make initramfs builds it.
func userland(t *testing.T, root, name string) string {
	return archive(t, root, name, func(m *image.Image) error { return m.Userland(root, name) })
}

// guest is the image of the guest tests.
func guest(t *testing.T, root string) string {
	return archive(t, root, "guest", func(m *image.Image) error { return m.Guest(root) })
}

// boot starts a machine that is killed with the test. CPU models are given
// without 57-bit addresses: where a program may map then differs between the
// kernels by design.
func boot(t *testing.T, c qemu.Config) *qemu.VM {
	t.Helper()
	if c.CPU == "" {
		c.CPU = "max,la57=off"
	}
	vm, err := qemu.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		vm.Kill()
		if t.Failed() {
			t.Logf("run it again: make test RUN=%s", t.Name())
		}
	})
	return vm
}

package qemutest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"tamarix/scripts/image"
	"tamarix/scripts/qemu"
)

// sticks are boots of the image that need no other machine, only another stick,
// another entry of the menu, or a processor that has less.
func sticks() []pcCase {
	return []pcCase{
		{name: "larger-stick-bios", Config: qemu.Config{Screen: "VGA"}, setup: larger, do: brief},
		{name: "larger-stick-uefi", Config: qemu.Config{Screen: "VGA", UEFI: true}, setup: larger, do: brief},
		{name: "memory-test", Config: qemu.Config{Screen: "VGA", Mem: "128M", SMP: 2}, do: testsMemory},
		{name: "memory-test-uefi", Config: qemu.Config{Screen: "VGA", Mem: "192M", UEFI: true}, do: testsMemory},
		// No 1 GiB pages, no x2APIC, no FSGSBASE.
		{name: "old-processor-bios", Config: qemu.Config{Screen: "VGA", CPU: "core2duo", Machine: "pc", Mem: "6G", SMP: 2}, do: brief},
		{name: "old-processor-uefi", Config: qemu.Config{Screen: "VGA", CPU: "qemu64,-pdpe1gb", UEFI: true, Mem: "6G", SMP: 4}, do: brief},
	}
}

// larger puts the image on a stick with room behind it, as every real one has: the
// second GPT is not at its end then.
func larger(t *testing.T, c *qemu.Config) {
	b, err := os.ReadFile(usbImage(t, needQEMU(t)))
	if err != nil {
		t.Fatal(err)
	}
	c.Image = filepath.Join(t.TempDir(), "stick")
	if err := os.WriteFile(c.Image, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(c.Image, 100_000_000); err != nil {
		t.Fatal(err)
	}
}

// testsMemory chooses the memory test in the menu, sees it work, and uses the
// machine afterwards.
func testsMemory(p *person) {
	p.chooses(3)
	p.sees(`Memory test 2 of 4: a{16} \.\.`, 2*time.Minute)
	p.logsIn()
	p.runs("dmesg | grep 'y test'", " MiB, 4 passes, no errors")
	p.runs("grep Early /proc/meminfo", "EarlyMemtestBad: ", "0 kB")
	p.powersOff()
}

// TestModuleBelow1M has GRUB put a small initramfs where it likes to under UEFI: at
// the beginning of memory, which TamaGo's start, the firmware and the start of
// other processors use too.
func TestModuleBelow1M(t *testing.T) {
	root := needQEMU(t)
	src := filepath.Join(t.TempDir(), "init.c")
	if err := os.WriteFile(src, []byte(`#include <unistd.h>
int main(void) { write(1, "small init\n", 11); for (;;) pause(); }
`), 0o600); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(filepath.Dir(src), "init")
	if out, err := exec.Command("musl-gcc", "-static", "-Os", "-s", "-o", bin, src).CombinedOutput(); err != nil {
		t.Fatalf("musl-gcc: %v\n%s(scripts/deps.sh test installs it)", err, out)
	}
	initrd := archive(t, root, "small", func(m *image.Image) error {
		m.CharDev("/dev/console", 0o600, 5, 1)
		return m.File(bin, "/init")
	})
	stick := filepath.Join(t.TempDir(), "stick")
	c := exec.Command("go", "run", "./scripts/usb", "build", "-kernel", tamarix(t, root), "-initrd", initrd,
		"-append", "console=ttyS0", "-o", stick)
	c.Dir = root
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	vm := boot(t, qemu.Config{Image: stick, UEFI: true, SMP: 4})
	m, err := vm.Expect(`initramfs: unpacking .* at 0x([0-9a-f]+)`, 2*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if at, _ := strconv.ParseUint(m[1], 16, 64); at >= 1<<20 {
		t.Skipf("GRUB put the module at %#x", at)
	}
	if _, err := vm.Expect(`small init`, time.Minute); err != nil {
		t.Fatal(err)
	}
}

// TestCannotStart: why the machine cannot start stands on the screen too, long
// before there is a terminal, with and without a serial port.
func TestCannotStart(t *testing.T) {
	root := needQEMU(t)
	p := sitDown(t, qemu.Config{Kernel: tamarix(t, root), Append: "mem=1M", Screen: "VGA", NoSerial: true})
	p.sees(`tamarix: cannot start: boot information: no free memory`, time.Minute)
}

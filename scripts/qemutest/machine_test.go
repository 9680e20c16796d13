package qemutest

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"tamarix/scripts/image"
	"tamarix/scripts/qemu"
)

// TestMachines boots to the login prompt on machines of every kind and size.
func TestMachines(t *testing.T) {
	root := needQEMU(t)
	for _, c := range []struct {
		image string
		qemu.Config
	}{
		{"busybox", qemu.Config{Mem: "64M", SMP: 1}},
		{"busybox", qemu.Config{Mem: "64M", SMP: 4, CPU: "qemu64", Machine: "pc"}},
		{"uroot", qemu.Config{Mem: "128M", SMP: 2, Machine: "pc"}},
		{"uroot", qemu.Config{Mem: "8G", SMP: 8}},
		{"busybox", qemu.Config{Mem: "1G", SMP: 3, CPU: "Skylake-Client"}},
		{"busybox", qemu.Config{Mem: "3G", SMP: 8, CPU: "max", Machine: "pc"}},
	} {
		name := fmt.Sprintf("%s-%s-smp%d-%s-%s", c.image, c.Mem, c.SMP, c.CPU, c.Machine)
		t.Run(strings.TrimRight(name, "-"), func(t *testing.T) {
			c.Kernel, c.Initrd, c.Append = tamarix(t, root), userland(t, root, c.image), "console=ttyS0"
			s := &session{t, boot(t, c.Config), `[#>$] $`}
			s.expect(`login: $`, time.Minute)
			t.Logf("login prompt after %.1f s", s.vm.Age().Seconds())
			if !strings.Contains(s.vm.Text(), fmt.Sprintf("CPUs: %d", c.SMP)) {
				t.Errorf("not %d CPUs:\n%s", c.SMP, s.vm.Tail(30))
			}
			if c.image == "busybox" {
				s.vm.Send("root\r")
				s.expect(`~ # $`, 20*time.Second)
				s.wants("nproc", strconv.Itoa(c.SMP))
				s.powerOff()
			}
		})
	}
}

// TestFootprint is a small static init as the only file: how much memory is gone
// when it starts. How soon that is stands in the log: on a busy host it proves
// nothing.
func TestFootprint(t *testing.T) {
	root := needQEMU(t)
	src := filepath.Join(t.TempDir(), "init.c")
	if err := os.WriteFile(src, []byte(`#include <unistd.h>
int main(void) { write(1, "first\n", 6); for (;;) pause(); }
`), 0o600); err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(filepath.Dir(src), "init")
	if out, err := exec.Command("musl-gcc", "-static", "-Os", "-s", "-o", bin, src).CombinedOutput(); err != nil {
		t.Fatalf("musl-gcc: %v\n%s(scripts/deps.sh test installs it)", err, out)
	}
	initrd := archive(t, root, "tiny", func(m *image.Image) error {
		m.CharDev("/dev/console", 0o600, 5, 1)
		return m.File(bin, "/init")
	})
	vm := boot(t, qemu.Config{Kernel: tamarix(t, root), Initrd: initrd, Append: "console=ttyS0", CPU: "max"})
	m, err := vm.Expect(`Memory gone when process 1 starts: (\d+) KiB`, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vm.Expect(`first`, time.Minute); err != nil {
		t.Fatal(err)
	}
	kib, _ := strconv.Atoi(m[1])
	t.Logf("%d KiB gone, %.2f s from QEMU's start", kib, vm.Age().Seconds())
	if kib > 16<<10 {
		t.Errorf("%d KiB are gone when process 1 starts; 16 MiB are the bound", kib)
	}
}

// TestDamagedArchives: whatever is wrong with the initramfs, there is a message
// and no hang.
func TestDamagedArchives(t *testing.T) {
	root := needQEMU(t)
	good, err := os.ReadFile(userland(t, root, "busybox"))
	if err != nil {
		t.Fatal(err)
	}
	// Plain archives of nothing but text: not even an init.
	var m image.Image
	m.Data("/note", 0o644, []byte("no init here\n"))
	plain, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	for i := 1000; i < len(flipped); i += 1000 {
		flipped[i] ^= 0x55
	}
	noNumber := bytes.Clone(plain)
	copy(noNumber[54:], "zzzzzzzz")
	huge := bytes.Clone(plain)
	copy(huge[54:], "FFFFFFFF") // the first file's size
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"cut", good[:len(good)/2], ``},
		{"bits", flipped, ``},
		{"empty", nil, ``},
		{"text", []byte(strings.Repeat("this is no archive\n", 100)), ``},
		{"number", noNumber, ``},
		{"size", huge, ``},
		{"noinit", plain, `/sbin/init.*/bin/sh`},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "initrd")
			if err := os.WriteFile(file, c.data, 0o600); err != nil {
				t.Fatal(err)
			}
			vm := boot(t, qemu.Config{Kernel: tamarix(t, root), Initrd: file, Append: "console=ttyS0 panic=1"})
			if _, err := vm.Expect(`(?i)login: $|panic|no init|not found`, time.Minute); err != nil {
				t.Fatal(err)
			}
			if c.name != "cut" && c.name != "bits" {
				// panic=1 reboots, and QEMU was told -no-reboot.
				if status, err := vm.Wait(time.Minute); err != nil || status != 0 {
					t.Errorf("status %d, %v", status, err)
				}
			}
			if c.want != "" && !regexp.MustCompile(`(?s)`+c.want).MatchString(vm.Text()) {
				t.Errorf("no %q in\n%s", c.want, vm.Tail(20))
			}
		})
	}
}

// TestConcatenated boots several archives one behind the other, the last file of
// a name counting.
func TestConcatenated(t *testing.T) {
	root := needQEMU(t)
	first, err := os.ReadFile(userland(t, root, "busybox"))
	if err != nil {
		t.Fatal(err)
	}
	var m image.Image
	m.Data("/etc/issue", 0o644, []byte("from the second archive\n"))
	second, err := m.Bytes() // not compressed
	if err != nil {
		t.Fatal(err)
	}
	for len(first)%4 != 0 {
		first = append(first, 0)
	}
	file := filepath.Join(t.TempDir(), "initrd")
	if err := os.WriteFile(file, append(first, second...), 0o600); err != nil {
		t.Fatal(err)
	}
	vm := boot(t, qemu.Config{Kernel: tamarix(t, root), Initrd: file, Append: "console=ttyS0 quiet"})
	if _, err := vm.Expect(`from the second archive\s+tamarix login: $`, time.Minute); err != nil {
		t.Fatal(err)
	}
}

// TestCommandLine: what the kernel takes from its command line, and what it hands
// on to init.
func TestCommandLine(t *testing.T) {
	root := needQEMU(t)
	initrd := archive(t, root, "cmdline", func(m *image.Image) error {
		m.Data("/line.sh", 0o755, []byte("#!/bin/sh\n/bin/mount -t proc proc /proc\necho cpus $(nproc), greeting $GREETING, args $*\nfree -m\npoweroff -f\n"))
		return m.Userland(root, "busybox")
	})
	vm := boot(t, qemu.Config{
		Kernel: tamarix(t, root), Initrd: initrd, SMP: 4, Mem: "512M",
		Append: `console=ttyS0 quiet maxcpus=2 mem=256M rdinit=/line.sh GREETING="hello there" word -- one "two three" --four`,
	})
	if _, err := vm.Expect(`(?s)cpus 2, greeting hello there, args word one two three --four\n.*Mem:\s+2[0-5]\d\s`, time.Minute); err != nil {
		t.Fatal(err)
	}
	if status, err := vm.Wait(time.Minute); err != nil || status != 0 {
		t.Errorf("poweroff -f: status %d, %v", status, err)
	}
}

// TestAdd puts a dynamically linked program of this host, with its loader and
// libraries, into an image, as ADD= does.
func TestAdd(t *testing.T) {
	root := needQEMU(t)
	const program = "/bin/ls"
	f, err := elf.Open(program)
	if err != nil {
		t.Skip(err)
	}
	f.Close()
	out, err := exec.Command("ldd", program).Output()
	if err != nil {
		t.Skipf("ldd %s: %v", program, err)
	}
	files := []string{program}
	for _, m := range regexp.MustCompile(`(?m)(/\S+) \(0x`).FindAllStringSubmatch(string(out), -1) {
		files = append(files, m[1])
	}
	if len(files) < 3 {
		t.Skipf("%s is not dynamically linked", program)
	}
	initrd := archive(t, root, "dynamic", func(m *image.Image) error {
		if err := m.Userland(root, "busybox"); err != nil {
			return err
		}
		for _, file := range files {
			to := file
			if file == program {
				to = "/usr/local/bin/ls"
			}
			if err := m.File(file, to); err != nil {
				return err
			}
		}
		return nil
	})
	s := logIn(t, qemu.Config{Kernel: tamarix(t, root), Initrd: initrd, SMP: 2}, `~ # $`)
	s.wants("/usr/local/bin/ls --version", "coreutils")
	s.wants("/usr/local/bin/ls -l /etc/passwd", "root root", "/etc/passwd")
	s.powerOff()
}

// TestAsRun starts make run, as a newcomer does, with a terminal that answers.
func TestAsRun(t *testing.T) {
	root := needQEMU(t)
	c := exec.Command("make", "-s", "run", "USERLAND=busybox", "INITRD="+userland(t, root, "busybox"), "APPEND=quiet")
	c.Dir = root
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Process.Kill()
	// No expecting here: the other tests do that. The line discipline keeps what
	// is typed before it is asked for.
	go func() {
		for _, line := range []string{"root\r", "echo I am $USER\r", "poweroff\r"} {
			time.Sleep(15 * time.Second)
			in.Write([]byte(line))
		}
	}()
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	select {
	case err := <-done:
		if err != nil || !strings.Contains(log.String(), "I am root") {
			t.Errorf("make run: %v\n%s", err, log.String())
		}
	case <-time.After(5 * time.Minute):
		t.Errorf("make run does not end")
	}
}

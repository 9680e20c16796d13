package qemutest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBochs boots in x2APIC mode, which QEMU's emulation of a CPU does not have
// and Bochs's has: two CPUs, to the login and off again. It is for who changes the
// APICs' code, or what is done on real machines only, since Bochs does not say that
// it is none:
//
//	apt-get install bochs bochsbios vgabios
//	make usb && TAMARIX_QEMU=1 TAMARIX_BOCHS=1 go test ./scripts/qemutest -run TestBochs -v
//
// Bochs has no APIC ids from 255 on, and its BIOS leaves x2APIC mode off: the
// word x2apic on the command line turns it on.
func TestBochs(t *testing.T) {
	root := needQEMU(t)
	if os.Getenv("TAMARIX_BOCHS") == "" {
		t.Skip("needs Bochs: set TAMARIX_BOCHS=1")
	}
	dir := t.TempDir()
	img := filepath.Join(dir, "image")
	c := exec.Command("go", "run", "./scripts/usb", "build", "-kernel", tamarix(t, root),
		"-initrd", userland(t, root, "busybox"), "-append", "x2apic loglevel=8", "-o", img)
	c.Dir = root
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// Without VBE: GRUB does not survive that of Bochs's BIOS.
	rc := fmt.Sprintf(`
display_library: rfb, options="timeout=0"
cpu: model=corei7_skylake_x, count=2:1:1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=256, host=256
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
vga: extension=none
pci: enabled=1, chipset=i440fx
ata0-master: type=disk, path=%s, mode=volatile
boot: disk
clock: sync=none
com1: enabled=1, mode=socket-client, dev=%s
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
speaker: enabled=0
log: %s/log
panic: action=fatal
`, img, l.Addr(), dir)
	if err := os.WriteFile(filepath.Join(dir, "rc"), []byte(rc), 0o600); err != nil {
		t.Fatal(err)
	}
	bochs := exec.Command("bochs", "-q", "-f", filepath.Join(dir, "rc"))
	bochs.Stdin = strings.NewReader("c\n") // Debian's begins in its debugger
	if err := bochs.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		bochs.Process.Kill()
		bochs.Wait()
	}()
	l.(*net.TCPListener).SetDeadline(time.Now().Add(time.Minute))
	line, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	line.SetDeadline(time.Now().Add(20 * time.Minute))
	var log []byte
	expect := func(want string) {
		t.Helper()
		from, buf := len(log), make([]byte, 4096)
		for !strings.Contains(string(log[from:]), want) {
			n, err := line.Read(buf)
			if log = append(log, buf[:n]...); err != nil {
				t.Fatalf("no %q: %v\n%s", want, err, log)
			}
		}
	}
	expect("APIC: x2APIC mode")
	expect("CPUs: 2")
	expect("login: ")
	line.Write([]byte("root\r"))
	expect("# ")
	line.Write([]byte("cat /proc/interrupts\r"))
	expect("Spurious interrupts")
	line.Write([]byte("poweroff\r"))
	expect("Power down")
}

package qemutest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tamarix/scripts/qemu"
)

// acpiTable makes a table with a right header around a body (ACPI specification
// 6.5, 5.2.6).
func acpiTable(signature string, revision byte, body ...[]byte) []byte {
	t := make([]byte, 36)
	copy(t, signature)
	copy(t[10:], "TAMARIXTEST   ")
	t[8] = revision
	t = append(t, bytes.Join(body, nil)...)
	binary.LittleEndian.PutUint32(t[4:], uint32(len(t)))
	fixSum(t, 9)
	return t
}

// fixSum sets the byte at so that all of them add up to 0.
func fixSum(p []byte, at int) {
	p[at] = 0
	for i, c := range p {
		if i != at {
			p[at] -= c
		}
	}
}

// inMemory puts bytes at a physical address of the machine, before it starts.
func inMemory(t *testing.T, c *qemu.Config, addr uint64, p []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), fmt.Sprintf("%#x", addr))
	if err := os.WriteFile(file, p, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Extra = append(c.Extra, "-device", fmt.Sprintf("loader,file=%s,addr=%#x,force-raw=on", file, addr))
}

// says checks that the log so far holds each of the texts.
func (s *session) says(texts ...string) {
	s.Helper()
	for _, text := range texts {
		if !strings.Contains(s.vm.Text(), text) {
			s.Errorf("no %q in the log", text)
		}
	}
	if s.Failed() {
		s.Log(s.vm.Text())
	}
}

// TestDamagedTables gives the kernel a set of ACPI tables of which many are bad,
// beyond the memory that it may use; the good MADT even lies beyond all memory
// that the firmware tells of, and lists a CPU that is not there: waiting for it takes
// longer than the clock, a timer of 24 bits, takes to come round. acpi_rsdp= says
// where they are.
func TestDamagedTables(t *testing.T) {
	root := needQEMU(t)
	const (
		base = 0x1a00_0000 // above mem=
		high = 1 << 32     // where QEMU plugs more memory in
	)
	le := binary.LittleEndian
	c := qemu.Config{Kernel: tamarix(t, root), Initrd: userland(t, root, "busybox"), SMP: 3, Mem: "512M,slots=1,maxmem=2G",
		Append: fmt.Sprintf("console=ttyS0 mem=384M tsc=unstable acpi_rsdp=%#x", base),
		Extra:  []string{"-object", "memory-backend-ram,id=more,size=128M", "-device", "pc-dimm,memdev=more"}}

	inMemory(t, &c, high, acpiTable("APIC", 4,
		[]byte{0, 0, 0xe0, 0xfe, 1, 0, 0, 0},
		[]byte{0, 8, 0, 0, 1, 0, 0, 0}, []byte{0, 8, 1, 7, 1, 0, 0, 0}, // CPU 7 does not exist
		[]byte{0, 8, 2, 1, 1, 0, 0, 0}, []byte{0, 8, 3, 2, 1, 0, 0, 0},
		[]byte{9, 16, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0}, // the last one again
		[]byte{1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0},
		[]byte{2, 10, 0, 0, 2, 0, 0, 0, 0, 0},
		[]byte{4, 6, 0xff, 0, 0, 1}, []byte{0, 0, 1, 2, 3}))

	fadt := make([]byte, 244-36)
	field := func(off int, v uint32) { le.PutUint32(fadt[off-36:], v) }
	field(40, base+0x3000)                                           // DSDT
	field(56, 0x600)                                                 // PM1a, of the ICH9
	field(64, 0x604)                                                 //
	field(76, 0x608)                                                 // the timer
	fadt[88-36], fadt[89-36], fadt[91-36], fadt[109-36] = 4, 2, 4, 2 // sizes; there is a keyboard controller
	second := bytes.Clone(fadt)
	le.PutUint32(second[64-36:], 0x80) // would only make a number appear on a diagnostic card

	damaged := acpiTable("SSDT", 1, make([]byte, 100))
	damaged[50]++
	long := acpiTable("SSDT", 1)
	le.PutUint32(long[4:], 0xffff_fff0)
	inner := acpiTable("SSDT", 1, []byte{1})

	tables := make([]byte, 0x8000)
	at := map[int][]byte{
		0x1000: damaged,
		0x1800: long,
		0x2000: acpiTable("FACP", 3, fadt),
		0x2800: acpiTable("FACP", 3, second),
		0x3000: acpiTable("DSDT", 1, []byte("\x08_S5_\x12\x06\x04\x00\x00\x00\x00")),
		0x4000: acpiTable("OEM1", 1, make([]byte, 28), inner), // inner is at 0x4040
		0x5000: acpiTable("HPET", 1, make([]byte, 20)),
		0x6000: acpiTable("MCFG", 1, bytes.Repeat([]byte{0xff}, 24)),
	}
	for off, p := range at {
		copy(tables[off:], p)
	}
	var list []byte
	for _, a := range []uint64{base + 0x100, base + 0x1000, base + 0x1800, high, base + 0x2000, base + 0x2800,
		1 << 60, 0xd000_0000, base + 0x4000, base + 0x4040, base + 0x5000, base + 0x6000, high, 0} {
		list = le.AppendUint64(list, a)
	}
	copy(tables[0x100:], acpiTable("XSDT", 1, list))
	rsdp := tables[:36]
	copy(rsdp, "RSD PTR ")
	rsdp[15], rsdp[20] = 2, 36
	le.PutUint64(rsdp[24:], base+0x100)
	fixSum(rsdp[:20], 8)
	fixSum(rsdp, 32)
	inMemory(t, &c, base, tables)

	s := &session{t, boot(t, c), `~ # $`}
	s.expect(`login: $`, time.Minute)
	left := func(sig string, addr uint64, why string) string {
		return fmt.Sprintf("ACPI: table %q at %#x left out: %s", sig, addr, why)
	}
	s.says("CPUs: 3", "the clock is acpi_pm", "CPU with APIC id 7 does not start",
		left("????", base+0x100, "is listed twice"),
		left("SSDT", base+0x1000, "bad checksum"),
		left("SSDT", base+0x1800, "bad length"),
		left("FACP", base+0x2800, "is the second of its kind"),
		left("????", 1<<60, "lies outside readable memory"),
		"at 0xd0000000 left out: bad length", // nothing is there, and reads as something
		left("SSDT", base+0x4040, "overlaps another table"),
		left("HPET", base+0x5000, "its content makes no sense"),
		left("MCFG", base+0x6000, "its content makes no sense"),
		left("APIC", high, "is listed twice"),
		"1 entries of the MADT make no sense")
	s.vm.Send("root\r")
	s.expect(s.prompt, time.Minute)
	s.wants("nproc", "3")
	s.wants("cat /sys/firmware/acpi/tables/APIC | head -c 4", "APIC")

	// A non-maskable interrupt, as from a person's button, is told and counted.
	if _, err := s.vm.Monitor("nmi"); err != nil {
		t.Fatal(err)
	}
	s.expect(`non-maskable interrupt.*going on`, 20*time.Second)
	s.vm.Send("\r")
	s.expect(s.prompt, 20*time.Second)
	s.wants("dmesg", "non-maskable interrupt, reason unknown, on CPU 0")
	s.wants("grep maskable /proc/interrupts", "NMI:          1          0          0 ")
	s.powerOff()
}

// TestOddFirmware boots where firmware gives tables that make no sense beside its
// own, no timer that counts events, registers where no PC has them, or no tables
// at all.
func TestOddFirmware(t *testing.T) {
	root := needQEMU(t)
	for _, machine := range []string{"pc", "q35"} {
		t.Run("garbage-"+machine, func(t *testing.T) {
			c := qemu.Config{Kernel: tamarix(t, root), Initrd: userland(t, root, "busybox"), SMP: 2, Mem: "256M", Machine: machine + ",hpet=off"}
			// A timer and configuration space where no CPU has addresses.
			hpet, mcfg := "x", ""
			if machine == "pc" {
				beyond := "\x00\x00\x00\x00\x00\x00\x04\x00" // 1<<50
				hpet = "\x01\xa2\x86\x80\x00\x40\x00\x00" + beyond + "\x00\x00\x00\x00"
				mcfg = strings.Repeat("\x00", 8) + beyond + "\x00\x00\x00\xff\x00\x00\x00\x00"
			}
			// QEMU makes the headers.
			for _, table := range []struct{ sig, body string }{
				{"MCFG", mcfg}, {"APIC", "\x00\x00\xe0\xfe\x01\x00\x00\x00\x00\x00\x01\xff"}, {"HPET", hpet}, {"SSDT", strings.Repeat("\x08_S5_\x12\xff", 500)}, {"a\x1b/b", ""},
			} {
				file := filepath.Join(t.TempDir(), "table")
				if err := os.WriteFile(file, []byte(table.body), 0o600); err != nil {
					t.Fatal(err)
				}
				c.Extra = append(c.Extra, "-acpitable", "sig="+table.sig+",data="+file)
			}
			s := logIn(t, c, `~ # $`)
			s.wants("nproc", "2")
			if machine == "pc" {
				s.wants("dmesg", `table "APIC" at`, "is the second of its kind", "HPET at 0x4000000000000: out of reach, not used",
					"1 entries of the MCFG make no sense")
			} else {
				s.wants("dmesg", `table "HPET" at`, "its content makes no sense", `table "APIC" at`, "is the second of its kind")
			}
			s.wants("ls /sys/firmware/acpi/tables", "APIC", "DSDT", "FACP", "FACS", "SSDT", "a__b")
			s.powerOff()
		})
	}
	// Hardware-reduced ACPI, with the registers to turn off and to reset in memory,
	// and two I/O APICs.
	t.Run("reduced", func(t *testing.T) {
		for _, command := range []string{"poweroff", "reboot"} {
			c := qemu.Config{Kernel: tamarix(t, root), Initrd: userland(t, root, "busybox"), SMP: 2, Mem: "256M",
				Machine: "microvm,acpi=on,rtc=on,pic=on,pit=on", Append: "loglevel=8"}
			s := logIn(t, c, `~ # $`)
			s.says("I/O APIC: global interrupts 24 to")
			s.wants("nproc", "2")
			s.vm.Send(command + "\r")
			if status, err := s.vm.Wait(time.Minute); err != nil || status != 0 {
				t.Errorf("%s: status %d, %v", command, status, err)
			}
		}
	})
	t.Run("none", func(t *testing.T) {
		c := qemu.Config{Kernel: tamarix(t, root), Initrd: userland(t, root, "busybox"), SMP: 2, Mem: "256M", Machine: "pc", Extra: []string{"-no-acpi"}}
		s := logIn(t, c, `~ # $`)
		s.wants("dmesg", "ACPI: no root pointer")
		s.wants("nproc", "1")
		s.wants("grep ttyS0 /proc/interrupts", "ttyS0")
		s.vm.Send("reboot\r") // QEMU was told to end then
		if status, err := s.vm.Wait(time.Minute); err != nil || status != 0 {
			t.Errorf("reboot: status %d, %v", status, err)
		}
	})
}

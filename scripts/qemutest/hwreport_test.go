package qemutest

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"tamarix/scripts/image"
	"tamarix/scripts/qemu"
)

// hardware is a machine of which a test knows what is in it.
var hardware = []string{
	"-device", "qemu-xhci,addr=0x10", "-device", "usb-kbd", "-device", "e1000e,addr=0x11",
	"-device", "pci-testdev,addr=0x12",
	"-smbios", "type=0,vendor=Firmware maker,version=9.9",
	"-smbios", "type=1,manufacturer=Machine maker,product=Test PC,serial=DO-NOT-SHOW",
}

// TestHardwareReport runs hwreport on Tamarix and on Linux, on a machine whose parts
// are known, and looks for them. What only one of the two can know is said to be so.
func TestHardwareReport(t *testing.T) {
	root := needQEMU(t)
	script := "#!/bin/sh\n" +
		"/bin/mount -t proc proc /proc; /bin/mount -t sysfs sysfs /sys\n" +
		"i=0; while [ $i -lt 50 ] && [ -d /proc/tamarix ] && ! grep -q 0627:0001 /proc/tamarix/hardware; do sleep 0.1; i=$((i+1)); done\n" +
		"hwreport\nsu -s /bin/sh nobody -c hwreport >/dev/null && echo also for nobody\npoweroff -f\n"
	initrd := archive(t, root, "hwreport", func(m *image.Image) error {
		m.Data("/report.sh", 0o755, []byte(script))
		return m.Userland(root, "busybox")
	})
	everywhere := []string{
		`(?m)^command line: .*word=value`,
		`(?m)^system: Machine maker, Test PC`, `(?m)^firmware: Firmware maker, 9\.9`, `started by: BIOS`,
		`(?m)^count: 3 \(online 0-2`, `(?m)^vendor_id: AuthenticAMD$`, `(?m)^flags: fpu .*\bsse2\b.*\blm\b`,
		`(?m)^MemTotal: +\d{6} kB$`, `(?m)^ 0x100000-0x1ffdefff System RAM$`,
		`(?m)^0000:00:10\.0 1b36:000d class 0c0330 \(USB xHCI\), subsystem 1af4:1100, revision 01`,
		`(?m)^0000:00:11\.0 8086:10d3 class 020000 \(Ethernet\)`,
		`(?m)^0000:00:12\.0 1b36:0005 class 00ff00`,
		`(?m)^0000:00:00\.0 8086:29c0 class 060000 \(host bridge\)`,
		`(?m)^APIC: \d+ bytes, revision \d, by "BOCHS" "BXPC", compiled by "BXPC"$`, `(?m)^HPET: 56 bytes`, `(?m)^DSDT: \d{4} bytes`,
		`(?m)^clock: (tsc|hpet)$`, `(?m)^available: .*hpet acpi_pm`,
		`(?m)^ +CPU0 +CPU1 +CPU2 *$`, `(?m)^ +4: +\d+ +\d+ +\d+ +IO-APIC +4-edge +ttyS0$`, `(?m)^ LOC: +\d+`,
		`(?m)^ 00100000-1ffdefff : System RAM$`, `(?m)^   [0-9a-f]{8}-[0-9a-f]{8} : Kernel code$`,
		`(?m)^ +fed00000-fed003ff : HPET 0$`, `(?m)^ +fec00000-fec003ff : IOAPIC 0$`, `(?m)^ +03f8-03ff : serial$`, `(?m)^ +0cf8-0cff : PCI conf1$`,
		`(?m)^warnings and errors: \d+$`, `(?s)last messages:\n .*== end of report ==`, `also for nobody`,
	}
	for _, c := range []struct {
		name, kernel string
		own          []string
	}{
		{"tamarix", tamarix(t, root), []string{
			`(?m)^version: Linux version .*\(go1`, `(?m)^ loader: PVH$`, `(?m)^ clock: tsc, because not invariant`,
			`(?m)^ APIC: xAPIC mode: `, `(?m)^ I/O APIC: global interrupts 0 to 23$`,
			`(?m)^ candidate: \d+ Hz by the HPET`, `(?m)^ watchdog: HPET and the power management timer`,
			`(?m)^ tsc of the CPUs: 2 compared, worst difference 0 ticks`,
			`(?m)^ .*0627:0001`, `(?m)^screen:\n none$`, `(?m)^keyboards:\n `,
		}},
		{"linux", linux(t, root), []string{`(?m)^version: Linux version .*Debian`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			vm := boot(t, qemu.Config{
				Kernel: c.kernel, Initrd: initrd, SMP: 3, Mem: "512M", CPU: "max", Extra: hardware,
				Append: "console=ttyS0 quiet rdinit=/report.sh word=value",
			})
			m, err := vm.Expect(`(?s)== kernel ==\n.*== end of report ==\n.*\n`, 2*time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			rest, _ := vm.Expect(`also for nobody`, time.Minute)
			text := m[0] + strings.Join(rest, "")
			for _, want := range append(c.own, everywhere...) {
				if !regexp.MustCompile(want).MatchString(text) {
					t.Errorf("no %s", want)
				}
			}
			if strings.Contains(text, "DO-NOT-SHOW") {
				t.Error("a serial number is in it")
			}
			if t.Failed() {
				t.Logf("%s", text)
			}
		})
	}
}

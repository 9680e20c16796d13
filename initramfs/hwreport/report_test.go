package hwreport

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree makes files below a folder of the test's.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func write(t *testing.T, root string, log func() ([]byte, error)) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, root, log); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReport(t *testing.T) {
	table := make([]byte, 40)
	copy(table, "APIC\x28\x00\x00\x00\x05\x00BOCHS BXPC    \x01\x00\x00\x00BXPC")
	root := tree(t, map[string]string{
		"proc/version":                            "Tamarix 1.0\n",
		"proc/cmdline":                            "console=ttyS0\n",
		"proc/uptime":                             "12.34 20.00\n",
		"proc/loadavg":                            "0.00 0.00 0.00 1/2 3\n",
		"proc/cpuinfo":                            "processor\t: 0\nvendor_id\t: AuthenticAMD\nflags\t\t: fpu tsc\n\nprocessor\t: 1\n\n",
		"proc/meminfo":                            "MemTotal:  1000 kB\nMemFree: 500 kB\n",
		"proc/interrupts":                         "CPU0\n  4: 7  IO-APIC 4-edge ttyS0\n",
		"proc/tamarix/hardware":                   "[clocks]\nclock: tsc, because it is good\n\n[keyboards]\nAT keyboard\n\n[interrupts]\nAPIC: xAPIC mode\n\n[usb]\n1-1 0627:0001 keyboard\n\n",
		"sys/class/dmi/id/sys_vendor":             "QEMU\n",
		"sys/class/dmi/id/product_name":           "Standard\x1b[2J PC\n",
		"sys/class/dmi/id/product_serial":         "SECRET-NUMBER\n",
		"sys/devices/system/cpu/online":           "0-1\n",
		"sys/firmware/memmap/10/start":            "0x100000\n",
		"sys/firmware/memmap/10/end":              "0x1fffff\n",
		"sys/firmware/memmap/10/type":             "System RAM\n",
		"sys/firmware/memmap/9/start":             "0x0\n",
		"sys/firmware/acpi/tables/APIC":           string(table),
		"sys/bus/pci/devices/0000:00:1f.2/vendor": "0x8086\n",
		"sys/bus/pci/devices/0000:00:1f.2/device": "0x2922\n",
		"sys/bus/pci/devices/0000:00:1f.2/class":  "0x010601\n",
		"sys/bus/pci/devices/0000:00:1f.2/irq":    "10\n",
	})
	got := write(t, root, func() ([]byte, error) {
		return []byte("<6>[    0.1] starting\n<4>[    0.2] something odd\nno level\n<3>[    0.3] bad\n"), nil
	})
	for _, want := range []string{
		"version: Tamarix 1.0\n", "count: 2 (online 0-1, possible ?)\n", "vendor_id: AuthenticAMD\n", "MemTotal: 1000 kB\n",
		"system: QEMU, Standard?[2J PC\n", " 0x0- \n 0x100000-0x1fffff System RAM\n",
		"0000:00:1f.2 8086:2922 class 010601 (SATA), revision ?, irq 10\n",
		"APIC: 40 bytes, revision 5, by \"BOCHS\" \"BXPC\", compiled by \"BXPC\"\n",
		" clock: tsc, because it is good\n", "== interrupts ==\n APIC: xAPIC mode\nsince the start:\n", "keyboards:\n AT keyboard\n", " 1-1 0627:0001 keyboard\n",
		"clock: not available (/sys/devices/system/clocksource/clocksource0/current_clocksource: no such file or directory)\n",
		"warnings and errors: 2\n [    0.2] something odd\n [    0.3] bad\nlast messages:\n [    0.1] starting\n",
		"memory: not available (/proc/iomem: no such file or directory)\n", "\n== end of report ==\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
	if strings.Contains(got, "SECRET") || strings.Contains(got, "\x1b") {
		t.Errorf("what does not belong there:\n%s", got)
	}
}

// TestNothingThere: with no file at all there is still a report.
func TestNothingThere(t *testing.T) {
	got := write(t, t.TempDir(), func() ([]byte, error) { return nil, errors.New("not permitted") })
	if n := strings.Count(got, "not available"); n < 12 {
		t.Errorf("only %d parts are said not to be available:\n%s", n, got)
	}
	if !strings.HasSuffix(got, "== end of report ==\n") {
		t.Error("no end")
	}
}

// TestOnThisHost has it read a real Linux.
func TestOnThisHost(t *testing.T) {
	if _, err := os.Stat("/proc/cpuinfo"); err != nil {
		t.Skip(err)
	}
	got := write(t, "/", kernelLog)
	if !strings.Contains(got, "flags: fpu ") || !strings.Contains(got, "MemTotal: ") {
		t.Errorf("%s", got)
	}
}

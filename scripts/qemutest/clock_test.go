package qemutest

import (
	"bufio"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"tamarix/scripts/image"
	"tamarix/scripts/qemu"
)

// TestClockSources runs the cases about clocks with each of the chipset's counters
// as the clock, chosen by the command line or because there is nothing better, and
// with a machine that has but one of them to measure with.
func TestClockSources(t *testing.T) {
	root := needQEMU(t)
	for _, c := range []struct {
		name, option string
		extra        []string
		log          string
	}{
		{"hpet", "clocksource=hpet", nil, "the clock is hpet: the command line wants it"},
		{"acpi_pm", "clocksource=acpi_pm tsc=unstable", nil, "the clock is acpi_pm: the command line wants it"},
		{"unstable_without_hpet", "tsc=unstable", []string{"-machine", "hpet=off"}, "the clock is acpi_pm: the time stamp counter is no good"},
		{"nothing_but_the_pit", "acpi=off", nil, "the clock is tsc: not invariant, and there is nothing to compare it with"},
	} {
		t.Run(c.name, func(t *testing.T) {
			vm := boot(t, qemu.Config{
				Kernel: tamarix(t, root), Initrd: guest(t, root), SMP: 2, Extra: c.extra,
				Append: "console=ttyS0 SLOW=3 RUN=clocks " + c.option,
			})
			if _, err := vm.Expect("clocks: "+c.log, time.Minute); err != nil {
				t.Fatal(err)
			}
			for n := 0; ; n++ {
				m, err := vm.Expect(`(?m)^(ok|FAIL|skip) (\S+)(.*)\n|^DONE .*`, 3*time.Minute)
				if err != nil {
					t.Fatal(err)
				}
				if m[1] == "" {
					if n < 10 {
						t.Errorf("only %d cases ran", n)
					}
					break
				}
				if m[1] == "FAIL" {
					t.Error(fmt.Sprint(m[2], m[3]))
				}
			}
		})
	}
}

// TestCrashWaits has the kernel reset the machine some seconds after its Go program
// has failed, by a clock that comes round sooner and that no tick extends any more.
func TestCrashWaits(t *testing.T) {
	root := needQEMU(t)
	s := &session{t, boot(t, qemu.Config{
		Kernel: tamarix(t, root), Initrd: userland(t, root, "busybox"), SMP: 2, Extra: []string{"-machine", "hpet=off"},
		Append: "console=ttyS0 tsc=unstable panic=4",
	}), `~ # $`}
	s.expect(`login: $`, time.Minute)
	s.vm.Send("root\r")
	s.expect(s.prompt, time.Minute)
	s.wants("dmesg", "the clock is acpi_pm")
	// By now, but for this, the timer might not have come round yet.
	s.vm.Send(`while read up idle < /proc/uptime; [ ${up%.*} -lt 6 ]; do :; done; echo "it is la""te"` + "\r")
	s.expect(`it is late`, time.Minute)
	if err := s.vm.Press("alt-sysrq-c"); err != nil {
		t.Fatal(err)
	}
	s.expect(`nil pointer dereference`, time.Minute)
	if _, err := s.vm.Wait(time.Minute); err != nil {
		t.Error(err)
	}
}

// TestClockWatchdog makes the kernel believe another frequency of its time stamp
// counter than it has, as if the counter had begun to run slowly: the kernel must
// find out and take another clock, and no program may see the time go back.
func TestClockWatchdog(t *testing.T) {
	root := needQEMU(t)
	kernel := tamarix(t, root)
	initrd := archive(t, root, "watchdog", func(m *image.Image) error {
		m.Data("/watch.sh", 0o755, []byte(`#!/bin/sh
/bin/mount -t proc proc /proc; /bin/mount -t sysfs sysfs /sys
clock=/sys/devices/system/clocksource/clocksource0/current_clocksource
echo the clock is $(cat $clock)
last=0 n=0
until grep -q hpet $clock; do
	read up idle < /proc/uptime
	up=${up%.*}${up#*.}
	[ $up -ge $last ] || echo BACK: $up after $last
	last=$up n=$((n+1))
done
read up idle < /proc/uptime
up=${up%.*}${up#*.}
[ $up -ge $last ] && [ $up -lt $((last+500)) ] && echo replaced after $n readings
cat $(dirname $clock)/available_clocksource
echo tsc > $clock || echo refused
dmesg | grep 'clocks:' | tail -n 1
poweroff -f
`))
		return m.Userland(root, "busybox")
	})
	stub := filepath.Join(t.TempDir(), "gdb")
	vm := boot(t, qemu.Config{
		Kernel: kernel, Initrd: initrd, SMP: 2, Append: "console=ttyS0 quiet rdinit=/watch.sh",
		Extra: []string{"-chardev", "socket,path=" + stub + ",server=on,wait=off,id=gdb", "-gdb", "chardev:gdb"},
	})
	if _, err := vm.Expect(`the clock is tsc\n`, time.Minute); err != nil {
		t.Fatal(err)
	}
	scaleWord(t, stub, symbol(t, filepath.Join(root, "out", "tamarix.debug"), "tamarix/arch/amd64.tscHz"), 9, 10)
	m, err := vm.Expect(`(?s)^.*replaced after \d+ readings\nhpet acpi_pm ?\n.*refused\n.*time stamp counter is (-?\d+) us ahead of the HPET.*the clock is hpet`, 2*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if regexpBack.MatchString(m[0]) {
		t.Errorf("%s", m[0])
	}
}

var regexpBack = regexp.MustCompile(`BACK: .*`)

// symbol returns the address of a symbol.
func symbol(t *testing.T, file, name string) uint64 {
	t.Helper()
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	syms, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range syms {
		if s.Name == name {
			return s.Value
		}
	}
	t.Fatalf("%s: no symbol %s", file, name)
	return 0
}

// scaleWord multiplies a 64-bit word of the machine's memory by num/den, by way of
// the debugger's stub that QEMU has at a socket (GDB manual, appendix E).
func scaleWord(t *testing.T, stub string, addr, num, den uint64) {
	t.Helper()
	c, err := net.Dial("unix", stub)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(time.Minute))
	r := bufio.NewReader(c)
	ask := func(request string) string {
		sum := byte(0)
		for i := range len(request) {
			sum += request[i]
		}
		fmt.Fprintf(c, "$%s#%02x", request, sum)
		for { // the answer, after acknowledgements and the news that it has stopped
			if _, err := r.ReadString('$'); err != nil {
				t.Fatalf("%s: %v", request, err)
			}
			s, err := r.ReadString('#')
			if err != nil {
				t.Fatalf("%s: %v", request, err)
			}
			fmt.Fprint(c, "+")
			if s[0] != 'T' && s[0] != 'S' {
				return s[:len(s)-1]
			}
		}
	}
	var p [8]byte
	old := ask(fmt.Sprintf("m%x,8", addr))
	if _, err := hex.Decode(p[:], []byte(old)); err != nil {
		t.Fatalf("read: %q", old)
	}
	binary.LittleEndian.PutUint64(p[:], binary.LittleEndian.Uint64(p[:])/den*num)
	if s := ask(fmt.Sprintf("M%x,8:%x", addr, p)); s != "OK" {
		t.Fatalf("write: %q", s)
	}
	if s := ask("D"); s != "OK" {
		t.Fatalf("detach: %q", s)
	}
}

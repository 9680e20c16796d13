package qemutest

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tamarix/scripts/qemu"
)

// noPS2 are the machines without the keyboard controller that PCs used to have.
const noPS2 = "q35,i8042=off"

// usbKeyboard plugs a keyboard into that port of the xHCI controller, or of a hub
// ("2.1").
func usbKeyboard(port string) []string {
	return []string{"-device", "usb-kbd,id=keyboard,bus=xhci.0,port=" + port}
}

// hub plugs a hub into that port.
func hub(port string) []string {
	return []string{"-device", "usb-hub,id=hub,bus=xhci.0,port=" + port}
}

// others are the PCs that differ in one thing from the usual.
func others() []pcCase {
	cases := []pcCase{
		// Keyboards.
		{name: "usb-keyboard", Config: qemu.Config{Machine: noPS2, Screen: "VGA", Extra: usbKeyboard("2")}, do: ordinary},
		{name: "usb-keyboard-hub", Config: qemu.Config{Machine: noPS2, Screen: "VGA", UEFI: true, Medium: qemu.CD, NoSerial: true, SMP: 4,
			Extra: slices.Concat(xhci, hub("2"), usbKeyboard("2.3"))}, do: ordinary, quick: true},
		{name: "usb-keyboard-nec", Config: qemu.Config{Machine: "pc", Screen: "VGA", Medium: qemu.Disk,
			Extra: []string{"-device", "nec-usb-xhci,id=xhci", "-device", "usb-kbd,bus=xhci.0"}}, do: ordinary},
		{name: "usb-keyboard-two-controllers", Config: qemu.Config{Machine: noPS2, Screen: "VGA",
			Extra: []string{"-device", "qemu-xhci,id=other", "-device", "usb-kbd,bus=other.0"}}, do: ordinary},
		{name: "usb-keyboard-among-others", Config: qemu.Config{Machine: noPS2, Screen: "VGA", SMP: 2, Extra: slices.Concat(
			[]string{"-device", "usb-mouse,bus=xhci.0", "-device", "usb-tablet,bus=xhci.0"}, usbKeyboard("4"))}, do: ordinary},
		{name: "usb-keyboard-later", Config: qemu.Config{Machine: noPS2, Screen: "VGA", SMP: 2}, do: plugsLater},
		{name: "usb-keyboard-later-hub", Config: qemu.Config{Machine: noPS2, Screen: "VGA", Extra: hub("2")}, do: plugsIntoHub},
		{name: "usb-keyboard-again", Config: qemu.Config{Machine: noPS2, Screen: "VGA", SMP: 2, Extra: usbKeyboard("2")}, do: plugsAgain},
		{name: "usb-and-ps2", Config: qemu.Config{Screen: "VGA", SMP: 2}, do: hasTwo},
		{name: "keys-ps2", Config: qemu.Config{Screen: "VGA", SMP: 2}, do: usesKeys},
		{name: "keys-usb", Config: qemu.Config{Machine: noPS2, Screen: "VGA", SMP: 2, Extra: usbKeyboard("2")}, do: usesKeys},
		{name: "keys-held", Config: qemu.Config{Machine: noPS2, Screen: "VGA", SMP: 2, Extra: usbKeyboard("2")}, do: holdsKeys},
		{name: "ctrl-alt-del", Config: qemu.Config{Screen: "VGA"}, do: restarts},

		// Screens.
		{name: "text", Config: qemu.Config{Screen: "VGA", Machine: "pc", SMP: 4, Medium: qemu.Disk}, do: safeMode, quick: true},
		{name: "no-screen-bios", Config: qemu.Config{SMP: 2}, do: serialOnly},
		{name: "no-screen-uefi", Config: qemu.Config{SMP: 2, UEFI: true}, do: serialOnly},
		{name: "no-serial-bios", Config: qemu.Config{Screen: "VGA", SMP: 2, NoSerial: true}, do: ordinary},
		{name: "no-serial-uefi", Config: qemu.Config{Screen: "VGA", SMP: 2, NoSerial: true, UEFI: true}, do: ordinary},
		{name: "terminals", Config: qemu.Config{Screen: "VGA", SMP: 4}, do: switches, quick: true},
		{name: "programs", Config: qemu.Config{Screen: "VGA", SMP: 2}, do: usesPrograms},
		{name: "large-in-128M", Config: qemu.Config{Screen: qemu.Framebuffer(1920, 1080), Mem: "128M"}, do: usesPrograms},
		{name: "panic", Config: qemu.Config{Screen: "VGA", SMP: 4}, do: panics, quick: true},
		{name: "panic-text", Config: qemu.Config{Screen: "VGA", Machine: "pc"}, do: panicsInText},

		// Firmware and media that the matrix has not.
		{name: "ehci", Config: qemu.Config{Screen: "VGA", Medium: qemu.EHCI}, do: ordinary},
		{name: "bad-acpi", Config: qemu.Config{Machine: "pc,hpet=off", Screen: "VGA", SMP: 4}, setup: badTables, do: ordinary},
		{name: "bad-acpi-uefi", Config: qemu.Config{Machine: "q35,hpet=off", Screen: "VGA", SMP: 4, UEFI: true}, setup: badTables, do: ordinary},
	}
	for _, uefi := range []bool{false, true} {
		firmware := map[bool]string{false: "bios", true: "uefi"}[uefi]
		for _, size := range []image.Point{{800, 600}, {1024, 768}, {1280, 800}, {1920, 1080}} {
			cases = append(cases, pcCase{
				name:   fmt.Sprintf("%dx%d-%s", size.X, size.Y, firmware),
				Config: qemu.Config{UEFI: uefi, Screen: qemu.Framebuffer(size.X, size.Y), SMP: 2},
				do: func(p *person) {
					p.logsIn()
					if s := p.runs("true"); s.Picture.Rect.Max != size {
						p.Errorf("the screen has %v pixels", s.Picture.Rect.Max)
					}
					p.everyday()
					p.powersOff()
				},
			})
		}
		for _, model := range []string{"cirrus-vga", "qxl-vga", "virtio-vga", "vmware-svga", "bochs-display"} {
			if model == "bochs-display" && !uefi {
				continue // it has no VGA, and GRUB no other driver under BIOS
			}
			cases = append(cases, pcCase{name: model + "-" + firmware, Config: qemu.Config{UEFI: uefi, Screen: model}, do: brief})
		}
	}
	return cases
}

// badTables adds ACPI tables whose contents make no sense to the machine's own.
// QEMU makes their headers, so that the firmware hands them on. Machines without an
// HPET or MCFG have only the bad one.
func badTables(t *testing.T, c *qemu.Config) {
	for sig, contents := range map[string]string{
		"APIC":          "\x00\x00\xe0\xfe\x01\x00\x00\x00" + "\x00\x00" + "\x01\xff\x00", // entries of no length, and of one beyond the end
		"HPET":          "\x00",
		"MCFG":          strings.Repeat("\xff", 8+15),
		"SSDT":          strings.Repeat("\xff", 4000),
		"SRAT":          "",
		"\x01\x02 \xff": strings.Repeat("\x00", 100),
	} {
		file := filepath.Join(t.TempDir(), "table")
		if err := os.WriteFile(file, []byte(contents), 0o600); err != nil {
			t.Fatal(err)
		}
		c.Extra = append(c.Extra, "-acpitable", "sig="+sig+",data="+file)
	}
}

// brief is a person who only looks whether it works.
func brief(p *person) {
	p.logsIn()
	p.runs("ls /", "bin", "proc")
	p.powersOff()
}

// chooses picks an entry of GRUB's menu, counted from 0.
func (p *person) chooses(entry int) {
	p.Helper()
	if _, err := p.vm.Expect(`memory first`, 2*time.Minute); err != nil {
		p.Fatal(err)
	}
	p.presses(slices.Repeat([]string{"down"}, entry)...)
	p.presses("ret")
}

// safeMode chooses text mode on one CPU in the menu.
func safeMode(p *person) {
	p.chooses(2)
	p.logsIn()
	if s := p.runs("nproc; stty size", "\n1\n25 80\n"); s.Picture.Rect.Max != image.Pt(720, 400) {
		p.Errorf("no text mode: %v", s.Picture.Rect.Max)
	}
	p.everyday()
	p.powersOff()
}

// serialOnly logs in on the serial port: there is no screen.
func serialOnly(p *person) {
	s := &session{p.T, p.vm, usbPrompt + " $"}
	s.expect(`tamarix login: $`, 90*time.Second)
	s.vm.Send("root\r")
	s.expect(s.prompt, 20*time.Second)
	s.wants("tty", "/dev/ttyS0")
	s.wants("ls /", "bin", "proc")
	s.wants("ls /dev/tty1", "No such file")
	s.edits()
	s.vm.Send("top\r")
	s.expect(`PID +PPID`, 20*time.Second)
	s.vm.Send("q")
	s.expect(s.prompt, 10*time.Second)
	s.powerOff()
}

// plug adds a keyboard to the running machine.
func (p *person) plug(driver, id, port string) {
	p.Helper()
	if err := p.vm.Plug(driver, map[string]any{"id": id, "bus": "xhci.0", "port": port}); err != nil {
		p.Fatal(err)
	}
}

// unplug takes it away again.
func (p *person) unplug(id string) {
	p.Helper()
	if err := p.vm.Unplug(id); err != nil {
		p.Fatal(err)
	}
}

// What the kernel's log says on the serial port of USB devices that come and go.
const (
	keyboardCame = `usb \S+: .* keyboard`
	hubCame      = `usb \S+: .* hub`
	deviceGone   = `usb \S+: disconnected`
)

// finds waits until the log says that.
func (p *person) finds(re string) {
	p.Helper()
	if _, err := p.vm.Expect(re, time.Minute); err != nil {
		p.Fatal(err)
	}
}

// waitsForLogin reads the log past the login prompt.
func (p *person) waitsForLogin() {
	p.Helper()
	p.sees(`login:`, 90*time.Second)
	p.finds(`login: `)
}

// plugsLater has no keyboard until the login prompt asks for one.
func plugsLater(p *person) {
	p.waitsForLogin()
	p.plug("usb-kbd", "keyboard", "3")
	p.finds(keyboardCame)
	ordinary(p)
}

// plugsIntoHub plugs the keyboard into a hub that is there.
func plugsIntoHub(p *person) {
	p.waitsForLogin()
	p.plug("usb-kbd", "keyboard", "2.2")
	p.finds(keyboardCame)
	ordinary(p)
}

// plugsAgain pulls the keyboard out and plugs it in elsewhere, three times, then
// behind a hub, which goes with what is in it.
func plugsAgain(p *person) {
	p.waitsForLogin()
	p.logsIn()
	for _, port := range []string{"3", "2", "4"} {
		p.unplug("keyboard")
		p.finds(deviceGone)
		p.plug("usb-kbd", "keyboard", port)
		p.finds(keyboardCame)
		p.runs("echo port "+port+"$((1+1))", "port "+port+"2")
	}
	p.unplug("keyboard")
	p.finds(deviceGone)
	p.plug("usb-hub", "hub", "2")
	p.finds(hubCame)
	p.plug("usb-kbd", "again", "2.1")
	p.finds(keyboardCame)
	p.runs("echo behind a $(echo hub)", "behind a hub")
	p.unplug("hub")
	p.finds(deviceGone)
	p.plug("usb-kbd", "last", "3")
	p.finds(keyboardCame)
	p.everyday()
	p.powersOff()
}

// hasTwo types on one keyboard, then on another one, then on the first again.
func hasTwo(p *person) {
	p.waitsForLogin()
	p.logsIn()
	p.plug("usb-kbd", "second", "3")
	p.finds(keyboardCame)
	p.runs("echo the $(echo second)", "the second")
	p.unplug("second")
	p.finds(deviceGone)
	p.runs("echo the $(echo first)", "the first")
	p.powersOff()
}

// holdsKeys keeps a key down: it repeats. A PS/2 keyboard repeats by itself, but
// QEMU's does not.
func holdsKeys(p *person) {
	p.logsIn()
	p.types("\x0c#")
	if err := p.vm.Hold("z", 1500); err != nil {
		p.Fatal(err)
	}
	p.sees(`#z{5,}`, 10*time.Second)
	p.presses("ctrl-c")
	p.powersOff()
}

// usesKeys tries what keys do beyond letters.
func usesKeys(p *person) {
	p.logsIn()
	// Line editing and history.
	p.types("\x0cecho abcd")
	p.presses("left", "left", "backspace")
	p.types("X\r")
	p.sees(`\naXcd\n`, 10*time.Second)
	p.presses("up", "home")
	p.presses("delete", "delete", "delete", "delete")
	p.types("printf")
	p.presses("end")
	p.types("'\\n%s\\n' e\r")
	p.sees(`\naXcd\n\ne\n|\naXcd.*\n(.*\n)*e\n`, 10*time.Second)
	p.presses("ctrl-l")
	p.types("ec\tab") // completed
	p.presses("ctrl-c")
	p.sees(`echo ab\^C\n`+p.prompt+bottom, 10*time.Second)
	// All that can be typed.
	all := ""
	for c := '!'; c < 0x7f; c++ {
		if c != '\'' {
			all += string(c)
		}
	}
	p.types("\x0ccat > /tmp/all\r" + all[:40] + "\r")
	p.types(all[40:] + "\r\x04")
	p.sees(regexp.QuoteMeta(all[40:])+`\n`+p.prompt+bottom, 20*time.Second)
	p.runs("tr -d '\\n' < /tmp/all; echo", "\n"+all+"\n")
	p.runs("md5sum < /tmp/all | cut -c 1-32")
	// Caps Lock, and off again.
	p.types("\x0c")
	p.presses("caps_lock")
	p.types("echo lOuD\r")
	p.sees(`ECHO LoUd`, 10*time.Second)
	p.presses("caps_lock")
	p.runs("echo quiet$((1))", "quiet1")
	// ^C ends what runs; so does nothing else that is typed meanwhile.
	p.types("\x0csleep 1000\r")
	p.sees(`sleep 1000\n`, 10*time.Second)
	p.presses("ctrl-c")
	p.sees(`\^C\n+`+p.prompt+bottom, 10*time.Second)
	p.runs("echo $?", "130")
	// What is typed while there is output is not lost.
	p.types("\x0cseq 1 2000\recho typed-$((40+2))\r")
	p.sees(`typed-42\n`+p.prompt+bottom, 30*time.Second)
	// The keypad, and function keys, through the terminal.
	p.types("\x0ccat -v\r")
	p.presses("f1", "f5", "f12", "pgup", "insert", "kp_5", "ret")
	p.sees(`\^\[\[\[A\^\[\[\[E\^\[\[24~\^\[\[5~\^\[\[2~`, 10*time.Second)
	p.presses("ctrl-d")
	p.powersOff()
}

// restarts presses Ctrl-Alt-Del; QEMU ends instead of starting again.
func restarts(p *person) {
	p.logsIn()
	p.presses("ctrl-alt-delete")
	if status, err := p.vm.Wait(time.Minute); err != nil || status != 0 {
		p.Errorf("Ctrl-Alt-Del: QEMU's exit status %d, %v\n%s", status, err, p.vm.Tail(30))
	}
}

// switches uses four terminals.
func switches(p *person) {
	p.logsIn()
	p.runs("echo this is $(tty)", "this is /dev/tty1")
	for n := 2; n <= 4; n++ {
		p.presses(fmt.Sprintf("alt-f%d", n))
		p.sees(fmt.Sprintf(`tty%d\b(.*\n)*.*login:`, n)+bottom, 20*time.Second)
		p.types("root\r")
		p.sees(p.prompt+bottom, 20*time.Second)
		p.runs("echo this is $(tty)", fmt.Sprintf("this is /dev/tty%d", n))
	}
	for _, n := range []int{1, 3, 2, 4, 1} {
		p.presses(fmt.Sprintf("alt-f%d", n))
		p.sees(fmt.Sprintf(`this is /dev/tty%d\n`, n)+p.prompt+bottom, 10*time.Second)
	}
	p.presses("alt-right")
	p.sees(`this is /dev/tty2\n`, 10*time.Second)
	p.presses("alt-left")
	p.sees(`this is /dev/tty1\n`, 10*time.Second)
	// Output goes on where it began.
	p.types("\x0csleep 1; seq 1 5000 | tail -n 3000\r")
	p.presses("alt-f2")
	p.sees(`this is /dev/tty2\n`+p.prompt+bottom, 10*time.Second)
	p.runs("ls /", "bin", "proc")
	p.presses("alt-f1")
	p.sees(`4999\n5000\n`+p.prompt+bottom, 30*time.Second)
	p.everyday()
	p.powersOff()
}

// usesPrograms tries what draws on the screen in its own way.
func usesPrograms(p *person) {
	p.logsIn()
	s := p.runs("stty size; seq 1 3000 > /tmp/numbers; dmesg > /tmp/dmesg")
	rows := len(s.Lines)
	p.types("\x0cless /tmp/numbers\r")
	p.sees(fmt.Sprintf(`^1\n2\n(.*\n)*%d\n/tmp/numbers`, rows-1), 10*time.Second)
	p.presses("pgdn")
	p.sees(fmt.Sprintf(`\n%d\n`, 2*rows-3), 10*time.Second)
	p.types("G")
	p.sees(`\n3000\n`, 10*time.Second)
	p.types("g/1234\r")
	p.sees(`^1234\n`, 10*time.Second)
	p.types("q")
	p.sees(p.prompt+bottom, 10*time.Second)

	p.types("vi /tmp/numbers\r")
	p.sees(`^1\n2\n`, 10*time.Second)
	p.types("G")
	p.sees(`\n3000\n(~\n)*- /tmp/numbers`, 10*time.Second)
	p.types("dd1G")
	p.sees(`^1\n2\n`, 10*time.Second)
	p.presses("down", "down")
	p.types("dd:wq\r")
	p.sees(p.prompt+bottom, 10*time.Second)
	p.runs("head -n 3 /tmp/numbers; tail -n 1 /tmp/numbers; wc -l < /tmp/numbers", "\n1\n2\n4\n2999\n2998\n")

	p.types("top\r")
	p.sees(`(?s)^Mem: .*PID +PPID`, 20*time.Second)
	p.types("M ") // by memory
	p.sees(`(?s)^Mem .*PID \^|^Mem: `, 10*time.Second)
	p.types("q")
	p.sees(p.prompt+bottom, 10*time.Second)

	p.runs(`printf '\xc3\xa4\xc3\xb6\xc3\xbc \xe2\x82\xac \xe2\x94\x8c\xe2\x94\x80\xe2\x94\x90 \xce\xbb \xd0\x96\n'`, "äöü")
	p.runs(`printf '\e[31mred \e[1;32mgreen \e[7mreverse\e[0m \e[4mline\e[0m plain\n'`, "red green reverse line plain")
	p.runs(`printf '\e(0lqqk\e(B\n'`, "\n┌──┐\n")
	p.types(`printf '\e(0\e[7m'; reset; echo still $(echo here)` + "\r")
	p.sees(`^still here\n`+p.prompt+bottom, 20*time.Second)
	p.runs("cat /etc/passwd", "root:")
	p.types("head -c 20000 /dev/urandom; reset; echo $(echo again)\r")
	p.sees(`^again\n`, 20*time.Second)
	p.presses("ctrl-u") // what the terminal has answered to questions in there
	p.sees(p.prompt+bottom, 20*time.Second)
	p.runs("dmesg | grep -c clocks; dmesg | grep built", "Tamarix, built with go")
	p.runs("hwreport > /tmp/report; echo status $?; grep model /tmp/report", "\nstatus 0\nmodel name: ")
	p.powersOff()
}

// panics makes the kernel panic by Alt-SysRq-c while the screen is being drawn, and
// reads its last screen.
func panics(p *person) {
	p.logsIn()
	p.types("while :; do seq 1 500; done\r")
	p.sees(`500\n`, 10*time.Second)
	p.crashes()
}

// panicsInText does it in text mode, on another terminal than the first.
func panicsInText(p *person) {
	p.chooses(2)
	p.logsIn()
	p.presses("alt-f3")
	p.sees(`tty3\b(.*\n)*.*login:`+bottom, 20*time.Second)
	p.crashes()
}

// crashes ends the kernel; the last screen must say what has happened and where.
func (p *person) crashes() *qemu.Screen {
	p.Helper()
	p.presses("alt-sysrq-c")
	return p.sees(`(?s)^ *KERNEL CRASH.*nil pointer dereference.*rip +ffff[0-9a-f]{12}.*goroutine \d+ \[running\]:\n *kernel\.crash +kernel/sysrq.go:\d+\n.*machine has been stopped`, 20*time.Second)
}

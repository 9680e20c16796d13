package qemutest

import (
	"testing"
	"time"

	"tamarix/scripts/qemu"
)

// keyboardPC boots the kernel without a loader on a PC with a screen in text
// mode and a PS/2 keyboard.
func keyboardPC(t *testing.T, words string) *person {
	root := needQEMU(t)
	return sitDown(t, qemu.Config{
		Kernel: tamarix(t, root), Initrd: userland(t, root, "bash"), SMP: 2, Screen: "VGA",
		Append: "console=ttyS0 console=tty0 quiet " + words,
	})
}

// TestKeyMaps types with maps of other countries, on a keyboard whose scan codes
// are of set 2. What is typed below has the names of the US keyboard's keys.
func TestKeyMaps(t *testing.T) {
	p := keyboardPC(t, "keymap=de i8042.direct")
	p.logsIn()
	p.types("echo ")
	p.presses("semicolon", "shift-apostrophe", "minus", "shift-minus", "z", "y", "alt_r-q", "alt_r-7", "backspace")
	p.types("\r")
	p.sees(`\nöÄß\?yz@\n`+p.prompt+bottom, 10*time.Second)
	p.presses("caps_lock")
	p.types("ECHO ")
	p.presses("semicolon", "a", "1")
	p.presses("caps_lock")
	p.types("\r")
	p.sees(`\nÖA1\n`+p.prompt+bottom, 10*time.Second)
	p.types("loadkezs us\r")
	p.sees(`Loading us\n`+p.prompt+bottom, 10*time.Second)
	p.runs("echo 'yz;:@'", "yz;:@\n")

	// busybox's tools: what is dumped and loaded again is the same. (The first
	// load makes the columns that dumpkmap writes although there are none.)
	p.runs("dumpkmap | loadkmap; dumpkmap > /tmp/a; loadkeys -q fr; loadkmap < /tmp/a; dumpkmap | cmp - /tmp/a && echo the sa''me", "the same")
	p.runs("loadkeys -b us | loadkmap; echo yz", "yz")
	p.runs("loadkeys nowhere", `no keyboard map is called "nowhere"`)
	p.runs("su nobody -s /bin/sh -c 'loadkeys us' 2>&1 | tail -n 1", "operation not permitted")
	p.runs("grep -A1 keyboards /proc/tamarix/hardware", "AT keyboard")
	p.powersOff()
}

// TestSysRq gives the commands of Alt-SysRq, which are answered on the serial
// line too, and ends with the one that resets the machine.
func TestSysRq(t *testing.T) {
	p := keyboardPC(t, "")
	says := func(re string) {
		t.Helper()
		if _, err := p.vm.Until(re, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	p.logsIn()
	p.presses("alt-sysrq-h")
	says(`sysrq: HELP : loglevel\(0-9\) reboot\(b\)`)
	p.presses("alt-sysrq-m")
	says(`Mem-Info: total \d+ KiB`)
	p.presses("alt-sysrq-t")
	says(`\d S +\d+ init\n`)
	p.presses("alt-sysrq-l")
	says(`goroutine \d+ (?s:.*)\d+ goroutines in all`) // and then nothing more, on a screen that is cleared below
	p.presses("alt-sysrq-s")
	says(`Emergency Sync complete`)
	p.runs("echo m > /proc/sysrq-trigger")
	says(`Mem-Info: total \d+ KiB`)
	p.presses("alt-sysrq-7")
	says(`Loglevel set to 7`)
	p.runs("cut -f 1 /proc/sys/kernel/printk", "\n7\n")

	// The mask: dumps are forbidden, the log level is not.
	p.runs("echo 2 > /proc/sys/kernel/sysrq")
	p.presses("alt-sysrq-t")
	says(`This sysrq operation is disabled`)
	p.presses("alt-sysrq-5")
	says(`Loglevel set to 5`)
	p.runs("echo 1 > /proc/sys/kernel/sysrq")

	// A program that took the keys away and is gone.
	p.runs("kbd_mode", "The keyboard is in Unicode (UTF-8) mode")
	p.types("\x0ckbd_mode -k; echo ta''ken; cat -v\r")
	p.sees(`taken\n`, 10*time.Second) // Enter's release may come before it
	p.presses("q", "z")               // key codes 16 and 44: ^P and a comma
	p.sees(`\^P[^\n]*,`, 10*time.Second)
	p.presses("alt-sysrq-r")
	says(`Keyboard mode set to system default`)
	p.presses("ctrl-c")
	p.runs("kbd_mode", "The keyboard is in Unicode (UTF-8) mode")

	// The terminal is taken away from who has it.
	p.types("\x0csleep 1000\r")
	p.sees(`sleep 1000\n`, 10*time.Second)
	p.presses("alt-sysrq-k")
	says(`SAK: killed process \d+`)
	p.logsIn()
	p.runs("pidof sleep || echo none", "none")

	p.presses("alt-sysrq-b")
	if status, err := p.vm.Wait(30 * time.Second); err != nil || status != 0 {
		t.Errorf("QEMU's exit status %d, %v\n%s", status, err, p.vm.Tail(20))
	}
}

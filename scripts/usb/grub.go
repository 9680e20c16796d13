package main

import (
	"fmt"
	"strings"
)

// grubDir is where Debian's grub-pc-bin and grub-efi-amd64-bin put what an image
// is made of.
const grubDir = "/usr/lib/grub"

// The modules in GRUB: common ones, and each firmware's own for disks and for
// setting a video mode.
const (
	modules     = "normal iso9660 part_gpt part_msdos search_fs_file multiboot2 boot configfile echo test sleep halt reboot cpuid serial terminal"
	modulesBIOS = "biosdisk vbe vga_text"
	modulesUEFI = "fat efi_gop efi_uga"
)

// firstScript is what GRUB runs before it has a menu: it finds the disk that it
// came from. After that it reads grub.cfg below prefix.
func firstScript(id string) string {
	return "search.file /boot/" + id + ".id root\nset prefix=($root)/boot/grub\n"
}

// An entry is a line of the menu.
type entry struct {
	title string
	words string // of the kernel command line
	text  bool   // text mode, where the firmware has one
}

// entries are the menu, the usual one first.
var entries = []entry{
	{"Tamarix", "console=ttyS0 console=tty0 loglevel=7", false},
	{"Tamarix, serial console (ttyS0, 115200 baud)", "console=tty0 console=ttyS0,115200 loglevel=7", false},
	{"Tamarix, safe mode (one CPU, text)", "console=ttyS0 console=tty0 loglevel=7 maxcpus=1", true},
	{"Tamarix, test the memory first", "console=ttyS0 console=tty0 loglevel=7 memtest=4", false},
}

// menuSeconds is how long the menu waits for a key.
const menuSeconds = 3

// menu returns grub.cfg.
//
// GRUB's serial command fails where there is no such port (it tries the port's
// scratch register), and then only the console is used. The mode of the
// screen must be chosen after multiboot2, which sets gfxpayload to what the
// kernel's header asks for.
func menu(extra string) (string, error) {
	words, err := split(extra)
	if err != nil {
		return "", err
	}
	tail := ""
	for _, w := range words {
		tail += " " + quote(w)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `if serial --unit=0 --speed=115200; then
	terminal_input console serial
	terminal_output console serial
fi
if cpuid -l; then set default=0; else
	echo 'This PC has no 64-bit processor. Tamarix cannot run on it.'
	sleep --interruptible 60
	halt
fi
set default=0
set timeout=%d
`, menuSeconds)
	for _, e := range entries {
		fmt.Fprintf(&b, "menuentry %s {\n\techo 'Loading Tamarix ...'\n\tmultiboot2 ($root)/boot/tamarix.elf %s%s\n", quote(e.title), e.words, tail)
		if e.text {
			b.WriteString("\tif [ $grub_platform = pc ]; then set gfxpayload=text; fi\n")
		}
		b.WriteString("\tmodule2 ($root)/boot/initramfs.cpio.gz\n\techo 'Starting it.'\n}\n")
	}
	return b.String(), nil
}

// quote makes one word of GRUB's script language.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// split cuts a kernel command line into words as the kernel does: at blanks that
// are not within double quotes. GRUB puts the quotes back around a word with a
// blank.
func split(s string) (words []string, err error) {
	var w strings.Builder
	in, quoted := false, false
	for _, c := range s {
		switch {
		case c < ' ' && c != '\t' || c == 0x7f || c == '\\':
			return nil, fmt.Errorf("command line: the character %q cannot be passed on", c)
		case c == '"':
			in, quoted = true, !quoted
		case (c == ' ' || c == '\t') && !quoted:
			if in {
				words = append(words, w.String())
				w.Reset()
			}
			in = false
		default:
			in = true
			w.WriteRune(c)
		}
	}
	if quoted {
		return nil, fmt.Errorf("command line: a double quote is not closed")
	}
	if in {
		words = append(words, w.String())
	}
	return words, nil
}

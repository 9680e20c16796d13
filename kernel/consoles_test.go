package kernel

import (
	"strings"
	"testing"

	"tamarix/fs/devfs"
)

func TestListOfConsoles(t *testing.T) {
	for _, c := range []struct{ words, want string }{
		{"", "tty0                 -WU (EC  p  )    4:3\n"},
		{"tty0 ttyS0", "ttyS0                -W- (EC  p a)    4:64\ntty0                 -WU (E   p  )    4:3\n"},
		{"ttyS0 tty2", "tty2                 -WU (EC  p  )    4:2\nttyS0                -W- (E   p a)    4:64\n"},
	} {
		if got := listConsoles(chooseConsoles(strings.Fields(c.words), true, true), devfs.VirtualDev(3)); got != c.want {
			t.Errorf("console=%s: %q, want %q", c.words, got, c.want)
		}
	}
}

func TestChooseConsoles(t *testing.T) {
	for _, c := range []struct {
		words          string
		screen, serial bool
		log            string
		console        string
		missing        string
	}{
		{"", true, true, "tty0", "tty0", ""},
		{"", false, true, "ttyS0", "ttyS0", ""},
		{"", true, false, "tty0", "tty0", ""},
		{"", false, false, "", "", ""},
		{"ttyS0", true, true, "ttyS0", "ttyS0", ""},
		{"tty0", true, true, "tty0", "tty0", ""},
		{"tty", true, true, "tty0", "tty0", ""},
		{"tty3", true, true, "tty3", "tty3", ""},
		{"ttyS0 tty0", true, true, "ttyS0 tty0", "tty0", ""},
		{"tty0 ttyS0", true, true, "tty0 ttyS0", "ttyS0", ""},
		{"tty0 ttyS0", true, false, "tty0", "tty0", "ttyS0"},
		{"ttyS0 tty0", false, true, "ttyS0", "ttyS0", "tty0"},
		{"tty0 ttyS0 tty0", true, true, "ttyS0 tty0", "tty0", ""},
		{"tty9", true, true, "tty0", "tty0", "tty9"},
		{"ttyS1 hvc0", true, true, "tty0", "tty0", "ttyS1 hvc0"},
		{"hvc0", false, true, "ttyS0", "ttyS0", "hvc0"},
		{"hvc0 tty0", false, false, "", "", "hvc0 tty0"},
		{"tty99999999999999999999", true, true, "tty0", "tty0", "tty99999999999999999999"},
	} {
		got := chooseConsoles(strings.Fields(c.words), c.screen, c.serial)
		want := consoleChoice{log: strings.Fields(c.log), console: c.console, missing: strings.Fields(c.missing)}
		if strings.Join(got.log, " ") != c.log || got.console != want.console || strings.Join(got.missing, " ") != c.missing {
			t.Errorf("%q, screen %v, serial %v: %+v, want %+v", c.words, c.screen, c.serial, got, want)
		}
	}
}

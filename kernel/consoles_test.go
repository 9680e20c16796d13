package kernel

import (
	"strings"
	"testing"
)

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

package loadkeys

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// setUp makes a place with our maps and files for the start.
func setUp(t *testing.T, cmdline, config string) {
	t.Helper()
	d := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(d, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	old := []any{dirs, commandLine, configured}
	dirs = []string{filepath.Join(d, "nowhere"), "../etc/keymaps"}
	commandLine = write("cmdline", cmdline)
	configured = filepath.Join(d, "missing")
	if config != "" {
		configured = write("keymap", config)
	}
	t.Cleanup(func() {
		dirs, commandLine, configured = old[0].([]string), old[1].(string), old[2].(string)
	})
}

func TestBootMap(t *testing.T) {
	for _, c := range []struct{ cmdline, config, want string }{
		{"quiet keymap=de console=tty0\n", "fr\n", "de"},
		{"quiet", "# which\n\nfr # of France\n", "fr"},
		{"quiet", "", ""},
		{"keymap=", "fr", ""},
	} {
		setUp(t, c.cmdline, c.config)
		if got := bootMap(); got != c.want {
			t.Errorf("%q, %q: %q, want %q", c.cmdline, c.config, got, c.want)
		}
	}
}

func TestMaps(t *testing.T) {
	setUp(t, "", "")
	if got := Main([]string{"-p", "us", "de", "../etc/keymaps/fr.map"}); got != 0 {
		t.Errorf("our maps: status %d", got)
	}
	for _, args := range [][]string{{"-p", "nosuchmap"}, {"-p", "/dev/null/x"}} {
		if got := Main(args); got != 1 {
			t.Errorf("%v: status %d, want 1", args, got)
		}
	}
	for _, args := range [][]string{{}, {"-x", "us"}, {"-C"}} {
		if got := Main(args); got != 2 {
			t.Errorf("%v: status %d, want 2", args, got)
		}
	}
	if got := Main([]string{"--boot"}); got != 0 {
		t.Errorf("no map for the start: status %d", got)
	}
}

// A device that is no virtual terminal is refused before anything is changed.
func TestNoConsole(t *testing.T) {
	if _, err := openTerminal("/dev/null"); err == nil || !strings.Contains(err.Error(), "not a virtual terminal") {
		t.Errorf("/dev/null: %v", err)
	}
}

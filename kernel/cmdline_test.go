package kernel

import (
	"reflect"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	defaultEnv := []string{"HOME=/", "TERM=linux"}
	for _, c := range []struct {
		name, line string
		want       options
	}{
		{"empty", "", options{level: 7, env: defaultEnv}},
		{"the usual", "console=ttyS0,115200n8 quiet panic=5 maxcpus=2 mem=64M norandmaps",
			options{consoles: []string{"ttyS0"}, speeds: []uint32{115200}, level: 4, panicTimeout: 5, maxCPUs: 2, memory: 64 << 20, noRandom: true, env: defaultEnv}},
		{"two consoles", "console=tty0 console=ttyS0", options{consoles: []string{"tty0", "ttyS0"}, speeds: []uint32{0, 0}, level: 7, env: defaultEnv}},
		{"for init", "single a=b -- x y=z --", options{level: 7, args: []string{"single", "x", "y=z", "--"}, env: []string{"HOME=/", "TERM=linux", "a=b"}}},
		{"init drops earlier arguments", "single init=/bin/sh emergency", options{level: 7, init: []string{"/bin/sh"}, args: []string{"emergency"}, env: defaultEnv}},
		{"both inits", "rdinit=/a init=/b", options{level: 7, init: []string{"/a", "/b"}, env: defaultEnv}},
		{"environment is replaced", "TERM=vt100 x=1 x=2", options{level: 7, env: []string{"HOME=/", "TERM=vt100", "x=2"}}},
		{"quotes", `a="b c" "d e" f="g`, options{level: 7, args: []string{"d e"}, env: []string{"HOME=/", "TERM=linux", "a=b c", "f=g"}}},
		{"Linux's own words", "root=/dev/sda1 ro printk.time=1 i8042.noaux", options{level: 7, env: defaultEnv}},
		{"loglevel", "loglevel=3 debug", options{level: 10, env: defaultEnv}},
		{"negative panic", "panic=-1", options{level: 7, panicTimeout: -1, env: defaultEnv}},
	} {
		got := parseCommandLine(c.line)
		c.want.line = c.line
		if len(got.warnings) != 0 {
			t.Errorf("%s: warnings %q", c.name, got.warnings)
		}
		if !reflect.DeepEqual(*got, c.want) {
			t.Errorf("%s: %+v\nwant %+v", c.name, *got, c.want)
		}
	}
}

func TestBadCommandLineIsReported(t *testing.T) {
	for _, line := range []string{"panic=soon", "mem=lots", "maxcpus=", "init=", "console=", "loglevel=99"} {
		if o := parseCommandLine(line); len(o.warnings) != 1 || !strings.Contains(o.warnings[0], line) {
			t.Errorf("%s: warnings %q", line, o.warnings)
		}
	}
	o := parseCommandLine(strings.Repeat("word ", 100) + strings.Repeat("a=b ", 100))
	if len(o.args) != maxInitArgs {
		t.Errorf("%d arguments for init", len(o.args))
	}
}

package kernel

import (
	"strconv"
	"strings"

	"tamarix/arch/klog"
	"tamarix/boot/info"
)

// options is what the kernel command line asks for. The words and their meaning
// are Linux's (kernel-parameters(7), bootparam(7)).
type options struct {
	line         string   // as given, for /proc/cmdline
	consoles     []string // "console=": device names; the last one is /dev/console
	speeds       []uint32 // of the consoles, bits per second; 0: not said
	init         []string // programs to try as process 1 before the usual ones
	args         []string // init's argv after argv[0]
	env          []string // init's environment
	level        klog.Level
	panicTimeout int // "panic=": seconds to reboot after a panic; 0 never, negative at once
	maxCPUs      int // "maxcpus=": 0 is no limit
	memory       uint64
	noRandom     bool     // "norandmaps"
	warnings     []string // what could not be used, to be logged
}

// Limits of what init gets, Linux's MAX_INIT_ARGS and MAX_INIT_ENVS
// (init/main.c).
const (
	maxInitArgs = 32
	maxInitEnv  = 32
)

// Console log levels (linux/printk.h).
const (
	levelDefault = 7  // CONSOLE_LOGLEVEL_DEFAULT
	levelQuiet   = 4  // CONSOLE_LOGLEVEL_QUIET
	levelDebug   = 10 // CONSOLE_LOGLEVEL_DEBUG
)

// notForInit are words that Linux takes for itself and that boot loaders and
// people put on every command line. They mean nothing here and must not reach
// init.
var notForInit = map[string]bool{
	"root": true, "ro": true, "rw": true, "rootfstype": true, "rootflags": true, "rootwait": true,
	"rootdelay": true, "initrd": true, "noinitrd": true, "nokaslr": true, "earlycon": true,
	"earlyprintk": true, "ignore_loglevel": true, "nomodeset": true, "vga": true, "acpi": true,
	"acpi_rsdp": true, "nr_cpus": true, "x2apic": true, "nox2apic": true,
	"apic": true, "noapic": true, "nolapic": true, "pci": true, "iommu": true, "idle": true,
	"clocksource": true, "tsc": true, "hpet": true, "selinux": true, "apparmor": true,
	"audit": true, "mitigations": true, "oops": true, "reboot": true, "video": true,
	"memtest": true, "resume": true, "noresume": true,
}

// parseCommandLine reads the kernel command line.
func parseCommandLine(line string) *options {
	o := &options{line: line, level: levelDefault, env: []string{"HOME=/", "TERM=linux"}}
	words := splitWords(line)
	for i, w := range words {
		if w == "--" {
			for _, a := range words[i+1:] {
				o.addArg(a)
			}
			break
		}
		o.word(w)
	}
	return o
}

func (o *options) word(w string) {
	key, value, hasValue := strings.Cut(w, "=")
	number := func(p *int) {
		n, err := strconv.Atoi(value)
		if err != nil {
			o.warn(w, "not a number")
			return
		}
		*p = n
	}
	switch key {
	case "console":
		name, mode, _ := strings.Cut(value, ",") // "115200n8": speed, parity, bits
		if name == "" {
			o.warn(w, "no device name")
			return
		}
		digits := len(mode) - len(strings.TrimLeft(mode, "0123456789"))
		speed, _ := strconv.ParseUint(mode[:digits], 10, 32)
		o.consoles, o.speeds = append(o.consoles, name), append(o.speeds, uint32(speed))
	case "init", "rdinit":
		if value == "" {
			o.warn(w, "no program")
			return
		}
		// As on Linux, arguments that came before were for another init.
		o.init, o.args = append(o.init, value), nil
	case "loglevel":
		n := int(o.level)
		number(&n)
		if n < 0 || n > 15 {
			o.warn(w, "out of range")
			return
		}
		o.level = klog.Level(n)
	case "quiet":
		o.level = levelQuiet
	case "debug":
		o.level = levelDebug
	case "panic":
		number(&o.panicTimeout)
	case "maxcpus":
		number(&o.maxCPUs)
	case "nosmp":
		o.maxCPUs = 1
	case "norandmaps":
		o.noRandom = true
	case "mem":
		v, ok := info.ParseSize([]byte(value))
		if !ok {
			o.warn(w, "not a size")
			return
		}
		o.memory = v
	default:
		switch {
		case notForInit[key] || strings.Contains(key, "."):
			// Linux takes "a.b" for a module's parameter.
		case hasValue:
			o.addEnv(key, value)
		default:
			o.addArg(w)
		}
	}
}

func (o *options) warn(word, why string) {
	o.warnings = append(o.warnings, "command line: "+word+": "+why)
}

func (o *options) addArg(a string) {
	if len(o.args) == maxInitArgs {
		o.warn(a, "too many arguments for init")
		return
	}
	o.args = append(o.args, a)
}

// addEnv sets a variable, in the place of an earlier one of the same name.
func (o *options) addEnv(key, value string) {
	for i, e := range o.env {
		if strings.HasPrefix(e, key+"=") {
			o.env[i] = key + "=" + value
			return
		}
	}
	if len(o.env) == maxInitEnv {
		o.warn(key, "too many variables for init")
		return
	}
	o.env = append(o.env, key+"="+value)
}

// splitWords splits at white space outside double quotes. A word may be quoted
// whole ("a b") or have a quoted value (a="b c"); the quotes are dropped
// (lib/cmdline.c, next_arg).
func splitWords(s string) (words []string) {
	for {
		s = strings.TrimLeft(s, " \t\n\r\v\f")
		if s == "" {
			return words
		}
		quoted, i := false, 0
		for ; i < len(s); i++ {
			if s[i] == '"' {
				quoted = !quoted
			} else if !quoted && strings.IndexByte(" \t\n\r\v\f", s[i]) >= 0 {
				break
			}
		}
		w := s[:i]
		s = s[i:]
		if strings.HasPrefix(w, `"`) {
			w = strings.TrimSuffix(w[1:], `"`)
		}
		if k, v, ok := strings.Cut(w, "="); ok && strings.HasPrefix(v, `"`) {
			w = k + "=" + strings.TrimSuffix(v[1:], `"`)
		}
		words = append(words, w)
	}
}

// consoleSpeed returns the speed that the command line names for a console, in
// bits per second; 0 if it names none.
func (o *options) consoleSpeed(name string) (speed uint32) {
	for i, c := range o.consoles {
		if c == name {
			speed = o.speeds[i]
		}
	}
	return speed
}

// candidates returns the programs to try as process 1, in order.
func (o *options) candidates() []string {
	return append(append([]string{}, o.init...),
		"/init", "/sbin/init", "/etc/init", "/bin/init", "/bin/sh")
}

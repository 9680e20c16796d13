package kernel

import (
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
	"tamarix/dev/vt"
	"tamarix/fs"
	"tamarix/fs/devfs"
	"tamarix/fs/tty"
	"tamarix/proc"
)

// consoles is the virtual terminals; nil where there is no screen. Set by
// startConsoles.
var consoles *vt.Consoles

// consoleChoice is where the kernel log goes and what /dev/console is.
type consoleChoice struct {
	log     []string // device names; may be empty
	console string   // "": there is none
	missing []string // asked for, and not there
}

// chooseConsoles makes the choice from the words of "console=" in their order and
// from what there is. The log goes to all of those that are there, and the last
// of them is /dev/console. Without any, it is the screen, or else the serial
// line (Linux, Documentation/admin-guide/serial-console.rst).
func chooseConsoles(words []string, screen, serial bool) (c consoleChoice) {
	for _, name := range words {
		if name == "tty" {
			name = "tty0"
		}
		there := serial
		if n, ok := virtual(name); ok {
			there = screen && n <= vt.Count
		} else if name != "ttyS0" {
			there = false
		}
		if !there {
			c.missing = append(c.missing, name)
			continue
		}
		c.log = append(slices.DeleteFunc(c.log, func(s string) bool { return s == name }), name)
	}
	if len(c.log) == 0 {
		switch {
		case screen:
			c.log = []string{"tty0"}
		case serial:
			c.log = []string{"ttyS0"}
		default:
			return c
		}
	}
	c.console = c.log[len(c.log)-1]
	return c
}

// virtual returns the number of the virtual terminal that has the given name.
func virtual(name string) (n int, ok bool) {
	if len(name) < 4 || name[:3] != "tty" || name[3] < '0' || name[3] > '9' {
		return 0, false
	}
	n, err := strconv.Atoi(name[3:])
	return n, err == nil && n < 64
}

// startConsoles has the log printed where the command line wants it, from the
// first record on. It runs before anything else is started.
func startConsoles(o *options) consoleChoice {
	if d := arch.Screen(); d != nil {
		consoles = vt.New(d)
		consoles.Log(1, crlf(arch.EarlyScreenText()))
	}
	if p := arch.ScreenProblem(); p != "" {
		klog.Warnf("Screen: it cannot be used: %s", p)
	}
	c := chooseConsoles(o.consoles, consoles != nil, arch.Serial().Present())
	var sinks []func([]byte)
	for _, name := range c.log {
		if n, ok := virtual(name); ok {
			sinks = append(sinks, func(p []byte) { consoles.Log(n, p) })
		} else {
			sinks = append(sinks, func(p []byte) { arch.Serial().Write(p) })
		}
	}
	if len(sinks) > 0 {
		klog.SetConsole(func(p []byte) {
			for _, sink := range sinks {
				sink(p)
			}
		})
	}
	return c
}

// crlf returns text with its lines ended as a terminal wants them.
func crlf(text []byte) (out []byte) {
	for _, c := range text {
		if c == '\n' {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return out
}

// makeTerminals makes the serial line and the virtual terminals, as far as the
// machine has them, and says which is /dev/console.
func makeTerminals(m *tty.Manager, c consoleChoice) (serial, virtuals []*tty.Terminal) {
	byName := map[string]*tty.Terminal{}
	if port := arch.Serial(); port.Present() {
		line := serialLine{port: port}
		speed := uint32(defaultSpeed)
		if s := boot.options.consoleSpeed("ttyS0"); s != 0 {
			speed = s
		}
		t := m.NewTerminal(tty.Config{Name: "ttyS0", Dev: devfs.SerialDev(0), Driver: line, Speed: speed})
		go line.receive(t)
		serial = []*tty.Terminal{t}
		byName["ttyS0"] = t
	}
	if consoles != nil {
		virtuals = consoles.Attach(vt.Config{Terminals: m, Keyboards: keyboard(), Dev: devfs.VirtualDev, Caller: switcher})
		for _, t := range virtuals {
			byName[t.Name()] = t
		}
	}
	machineTerminals = append(append(machineTerminals, serial...), virtuals...)
	if c.console == "tty0" {
		m.SetConsoleFunc(consoles.Foreground)
	} else if t := byName[c.console]; t != nil {
		m.SetConsole(t)
	}
	return serial, virtuals
}

// process is a process for package vt.
type process struct{ g *proc.ThreadGroup }

// Signal implements [vt.Process].
func (p process) Signal(sig unix.Signal) error {
	if proc.FindGroup(p.g.PID) != p.g {
		return unix.ESRCH
	}
	if sig == 0 {
		return nil
	}
	info := proc.KernelInfo(sig)
	return proc.SendGroup(p.g, &info)
}

// switcher returns the process of ctx's task; nil for the kernel's own.
func switcher(ctx *fs.Context) vt.Process {
	if t := taskOf(ctx); t != nil {
		return process{t.Group}
	}
	return nil
}

package kernel

import (
	"time"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
	"tamarix/fs"
	"tamarix/fs/devfs"
	"tamarix/fs/tty"
	"tamarix/proc"
)

// serialLine is the driver of a terminal on a serial port.
type serialLine struct{ port *arch.SerialPort }

// Write implements [tty.Driver].
func (l serialLine) Write(p []byte) (int, error) { return l.port.Write(p) }

// SetTermios implements [tty.Driver]. The line is always 8 bits without parity;
// only its speed can be chosen.
func (l serialLine) SetTermios(t *tty.Termios) {
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB|unix.CSTOPB) | unix.CS8
	if t.Ospeed > 0 {
		l.port.SetBaud(int(t.Ospeed))
	}
}

// Break implements [tty.Driver].
func (l serialLine) Break(ms int) {
	l.port.SetBreak(true)
	time.Sleep(time.Duration(ms) * time.Millisecond)
	l.port.SetBreak(false)
}

// receive hands what comes over the line to its terminal, for ever.
func (l serialLine) receive(t *tty.Terminal) {
	var buf [512]byte
	for {
		n, _ := l.port.Read(buf[:])
		t.Receive(buf[:n])
	}
}

// startDevices makes the terminals and the device files. The console is the
// last device that the command line names and that exists; COM1 without any.
func startDevices(ctx *fs.Context, consoles []string) {
	m := tty.NewManager(newJobControl())
	line := serialLine{arch.Serial()}
	t := m.NewTerminal(tty.Config{Name: "ttyS0", Dev: devfs.SerialDev(0), Driver: line, Speed: 115200})
	go line.receive(t)
	for _, name := range consoles {
		if name != t.Name() {
			klog.Warnf("console=%s: there is no such device", name)
		}
	}
	m.SetConsole(t)
	if _, err := devfs.Register(ctx, devfs.Config{
		Terminals: m,
		Serial:    []*tty.Terminal{t},
		Random:    proc.FillRandom,
	}); err != nil {
		Panic("device files: %v", err)
	}
}

package kernel

import (
	"time"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/fs/tty"
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

//go:build tamarix

package amd64

import (
	"time"

	"golang.org/x/sys/unix"

	"tamarix/arch/rtc"
)

// ReadRTC returns the time that the battery-backed clock shows, taken for UTC.
// ENODEV if there is none, or what it shows is no time.
func ReadRTC() (time.Time, error) {
	const index, data = 0x70, 0x71
	f := &firmware
	century := uint8(0)
	if f.hasFADT {
		if f.fadt.NoCMOSClock {
			return time.Time{}, unix.ENODEV
		}
		century = f.fadt.Century
	}
	read := func(r uint8) uint8 {
		outb(index, r)
		return inb(data)
	}
	t, ok := rtc.Now(read, century, func() { time.Sleep(time.Millisecond) })
	if !ok {
		return time.Time{}, unix.ENODEV
	}
	return t, nil
}

// Package rtc reads the battery-backed clock of a PC, the MC146818A and what
// chipsets have in its place. It is arithmetic on the chip's registers, which
// somebody else reads: the tests give it chips that lie.
//
// TamaGo's driver takes the clock for one in BCD and 24-hour mode with the century
// at a fixed place. On a PC the firmware decides about all three, and says where the
// century is in an ACPI table.
package rtc

import "time"

// Registers (MC146818A datasheet, figure 9 and 10).
const (
	seconds = 0x00
	minutes = 0x02
	hours   = 0x04
	day     = 0x07
	month   = 0x08
	year    = 0x09
	statusA = 0x0a
	statusB = 0x0b

	updating = 1 << 7 // of A: the time must not be read
	hour24   = 1 << 1 // of B
	binary   = 1 << 2 // of B: not BCD
	pm       = 1 << 7 // of the hours, in 12-hour mode

	first = 0x0e // of the memory behind the clock, where the century is
	last  = 0x7f
)

// Read returns a register of the chip.
type Read func(register uint8) uint8

// registers is the time as it stands in the chip.
type registers struct {
	second, minute, hour, day, month, year, century, b uint8
}

// Now returns the time that the chip shows, taken for UTC. century is the register
// that holds the century, 0 if none is known. wait is called between two attempts
// and should let a millisecond pass; after two thousand of them, or if what the
// chip shows is no date, ok is false.
//
// The chip counts on once a second and must not be read meanwhile, which it says
// beforehand. Since whoever reads may be stopped at any point, a time counts only
// if it was read twice.
func Now(read Read, century uint8, wait func()) (t time.Time, ok bool) {
	if century < first || century > last {
		century = 0
	}
	for range 2000 {
		if read(statusA)&updating == 0 {
			if a := load(read, century); read(statusA)&updating == 0 && a == load(read, century) {
				return a.time(century != 0)
			}
		}
		wait()
	}
	return time.Time{}, false
}

func load(read Read, century uint8) (r registers) {
	r = registers{read(seconds), read(minutes), read(hours), read(day), read(month), read(year), 0, read(statusB)}
	if century != 0 {
		r.century = read(century)
	}
	return r
}

// time decodes r. A date that does not exist is none.
func (r registers) time(hasCentury bool) (time.Time, bool) {
	good := true
	number := func(v uint8) int {
		if r.b&binary != 0 {
			return int(v)
		}
		if v>>4 > 9 || v&15 > 9 {
			good = false
		}
		return int(v>>4)*10 + int(v&15)
	}
	hour := r.hour
	if r.b&hour24 == 0 {
		hour &^= pm
	}
	h := number(hour)
	if r.b&hour24 == 0 {
		if h < 1 || h > 12 {
			good = false
		}
		h %= 12
		if r.hour&pm != 0 {
			h += 12
		}
	}
	y, mo, d, mi, s := number(r.year), number(r.month), number(r.day), number(r.minute), number(r.second)
	if !good || y > 99 || mo < 1 || mo > 12 || d < 1 || h > 23 || mi > 59 || s > 59 {
		return time.Time{}, false
	}
	// Without a century, or with one that is none, the year is after 1970.
	y += 1900
	if y < 1970 {
		y += 100
	}
	if hasCentury {
		if c := number(r.century); good && c >= 19 && c <= 29 {
			y = c*100 + y%100
		}
	}
	t := time.Date(y, time.Month(mo), d, h, mi, s, 0, time.UTC)
	return t, t.Day() == d
}

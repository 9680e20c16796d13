// Package smbios reads who made the machine, its board and its firmware, from the
// table that firmware leaves in memory for that (DMTF DSP0134, SMBIOS 3.7).
//
// What a vendor has written there decides nothing; it is for a report. It is input
// like any other: whatever does not fit ends the reading, and what was read up to
// there counts.
package smbios

import (
	"bytes"
	"strings"
)

// Memory returns n bytes of physical memory, or nil where there is none.
type Memory func(addr, n uint64) []byte

// Info is what the table says, by the names of the files below
// /sys/class/dmi/id. Strings are "" where it says nothing.
type Info struct {
	Version string // of the table: "2.8"

	BIOSVendor, BIOSVersion, BIOSDate, BIOSRelease        string
	ECRelease                                             string
	SysVendor, ProductName, ProductVersion, ProductSerial string
	ProductUUID, ProductSKU, ProductFamily                string
	BoardVendor, BoardName, BoardVersion, BoardSerial     string
	BoardAssetTag                                         string
	ChassisVendor, ChassisType, ChassisVersion            string
	ChassisSerial, ChassisAssetTag                        string
}

const (
	maxTable      = 1 << 20
	maxStructures = 4096
	maxString     = 128 // longer ones are cut; the specification asks for 64
)

// Find looks for the entry point: where UEFI's system table says, if systemTable
// is not 0, else where a BIOS has it (5.2). It returns 0 if there is none.
func Find(m Memory, systemTable uint64) uint64 {
	if systemTable != 0 {
		if addr := fromUEFI(m, systemTable); addr != 0 {
			return addr
		}
	}
	const start, size = 0xf0000, 0x10000
	p := m(start, size)
	found := uint64(0)
	for o := 0; o+32 <= len(p); o += 16 {
		_, _, wide, ok := entry(p[o:])
		if ok && (found == 0 || wide) {
			found = start + uint64(o)
			if wide {
				break // the 64-bit one is the better of two
			}
		}
	}
	return found
}

// GUIDs of UEFI's configuration tables (UEFI 2.10, 4.6.1): of the 64-bit entry
// point and of the 32-bit one, as they lie in memory.
const (
	guid3 = "\x44\x15\xfd\xf2\x94\x97\x2c\x4a\x99\x2e\xe5\xbb\xcf\x20\xe3\x94"
	guid2 = "\x31\x2d\x9d\xeb\x88\x2d\xd3\x11\x9a\x16\x00\x90\x27\x3f\xc1\x4d"
)

// fromUEFI looks through the configuration tables of a UEFI system table (4.3).
func fromUEFI(m Memory, systemTable uint64) (found uint64) {
	t := m(systemTable, 120)
	if len(t) < 120 || string(t[:8]) != "IBI SYST" {
		return 0
	}
	n, list := min(le(t[104:], 8), 256), le(t[112:], 8)
	p := m(list, n*24)
	for ; len(p) >= 24; p = p[24:] {
		switch string(p[:16]) {
		case guid3:
			return le(p[16:], 8)
		case guid2:
			found = le(p[16:], 8)
		}
	}
	return found
}

// entry reads an entry point (5.2.1, 5.2.2): where the table is, at most how long.
func entry(p []byte) (table, size uint64, wide, ok bool) {
	switch {
	case len(p) >= 24 && string(p[:5]) == "_SM3_":
		n := int(p[6])
		if n < 24 || n > len(p) || sum(p[:n]) != 0 {
			return 0, 0, false, false
		}
		return le(p[16:], 8), le(p[12:], 4), true, true
	case len(p) >= 31 && string(p[:4]) == "_SM_":
		n := int(p[5])
		// Version 2.1 gives 30 for the length, and means 31.
		if n == 30 {
			n = 31
		}
		if n < 31 || n > len(p) || sum(p[:n]) != 0 || string(p[16:21]) != "_DMI_" {
			return 0, 0, false, false
		}
		return le(p[24:], 4), le(p[22:], 2), false, true
	}
	return 0, 0, false, false
}

// Read reads the table that the entry point at a physical address leads to.
func Read(m Memory, addr uint64) (i Info, ok bool) {
	p := m(addr, 32)
	if p == nil {
		if p = m(addr, 24); p == nil {
			return i, false
		}
	}
	table, size, wide, ok := entry(p)
	if !ok || size > maxTable {
		return i, false
	}
	version := p[6:8]
	if wide {
		version = p[7:9]
	}
	i.Version = decimal(version[0]) + "." + decimal(version[1])
	t := m(table, size)
	if wide && t == nil {
		// The length is the most that it may be: less of it may be memory.
		for n := size &^ 4095; n > 0 && t == nil; n -= 4096 {
			t = m(table, n)
		}
	}
	if t == nil {
		return i, false
	}
	i.parse(t)
	return i, true
}

// parse reads the structures one after the other (6.1).
func (i *Info) parse(t []byte) {
	for range maxStructures {
		if len(t) < 4 {
			return
		}
		kind, n := t[0], int(t[1])
		if n < 4 || n > len(t) || kind == 127 {
			return
		}
		s := structure{fixed: t[:n]}
		t = t[n:]
		// The strings end with an empty one; without any there are two NULs.
		end := bytes.Index(t[:min(len(t), 1<<16)], []byte{0, 0})
		if end < 0 {
			return
		}
		s.strings = t[:end]
		t = t[end+2:]
		i.structure(kind, s)
	}
}

// structure takes what is wanted of one; of several of a kind the first counts.
func (i *Info) structure(kind uint8, s structure) {
	set := func(to *string, at int) {
		if *to == "" {
			*to = s.text(at)
		}
	}
	switch kind {
	case 0: // 7.1, BIOS
		set(&i.BIOSVendor, 4)
		set(&i.BIOSVersion, 5)
		set(&i.BIOSDate, 8)
		if i.BIOSRelease == "" {
			i.BIOSRelease = s.release(0x14)
		}
		if i.ECRelease == "" {
			i.ECRelease = s.release(0x16)
		}
	case 1: // 7.2, system
		set(&i.SysVendor, 4)
		set(&i.ProductName, 5)
		set(&i.ProductVersion, 6)
		set(&i.ProductSerial, 7)
		set(&i.ProductSKU, 0x19)
		set(&i.ProductFamily, 0x1a)
		if i.ProductUUID == "" && len(s.fixed) >= 0x18 {
			i.ProductUUID = uuid(s.fixed[8:24])
		}
	case 2: // 7.3, board
		set(&i.BoardVendor, 4)
		set(&i.BoardName, 5)
		set(&i.BoardVersion, 6)
		set(&i.BoardSerial, 7)
		set(&i.BoardAssetTag, 8)
	case 3: // 7.4, chassis
		set(&i.ChassisVendor, 4)
		if i.ChassisType == "" && len(s.fixed) > 5 {
			i.ChassisType = decimal(s.fixed[5] & 0x7f)
		}
		set(&i.ChassisVersion, 6)
		set(&i.ChassisSerial, 7)
		set(&i.ChassisAssetTag, 8)
	}
}

// structure is one structure: its fields, and its strings with a NUL between two.
type structure struct{ fixed, strings []byte }

// text returns the string whose number stands at an offset; control characters and
// blanks at the ends are left out.
func (s structure) text(at int) string {
	if at >= len(s.fixed) || s.fixed[at] == 0 {
		return ""
	}
	rest := s.strings
	for range s.fixed[at] - 1 {
		i := bytes.IndexByte(rest, 0)
		if i < 0 {
			return ""
		}
		rest = rest[i+1:]
	}
	var b strings.Builder
	for _, c := range rest {
		if c == 0 || b.Len() == maxString {
			break
		}
		if c < ' ' || c > '~' {
			c = ' '
		}
		b.WriteByte(c)
	}
	return strings.TrimSpace(b.String())
}

// release returns the version in two bytes at an offset; 255 stands for none.
func (s structure) release(at int) string {
	if at+2 > len(s.fixed) || s.fixed[at] == 0xff && s.fixed[at+1] == 0xff {
		return ""
	}
	return decimal(s.fixed[at]) + "." + decimal(s.fixed[at+1])
}

// uuid writes 16 bytes as such; all zeros or all ones are none (7.2.1).
func uuid(p []byte) string {
	zeros, ones := true, true
	for _, c := range p {
		zeros, ones = zeros && c == 0, ones && c == 0xff
	}
	if zeros || ones {
		return ""
	}
	const digits = "0123456789abcdef"
	var b strings.Builder
	for n, at := range [...]int{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15} {
		if n == 4 || n == 6 || n == 8 || n == 10 {
			b.WriteByte('-')
		}
		b.WriteByte(digits[p[at]>>4])
		b.WriteByte(digits[p[at]&15])
	}
	return b.String()
}

func decimal(v uint8) string {
	if v < 10 {
		return string('0' + rune(v))
	}
	return decimal(v/10) + string('0'+rune(v%10))
}

func sum(p []byte) (s byte) {
	for _, c := range p {
		s += c
	}
	return s
}

// le returns n bytes as a little-endian number.
func le(p []byte, n int) (v uint64) {
	for i := range n {
		v |= uint64(p[i]) << (8 * i)
	}
	return v
}

// A File is one of those below /sys/class/dmi/id.
type File struct {
	Name, Value string
	Secret      bool // for root only
}

// Files returns what there is, by Linux's names.
func (i *Info) Files() (list []File) {
	for _, f := range []File{
		{"bios_vendor", i.BIOSVendor, false}, {"bios_version", i.BIOSVersion, false},
		{"bios_date", i.BIOSDate, false}, {"bios_release", i.BIOSRelease, false},
		{"ec_firmware_release", i.ECRelease, false},
		{"sys_vendor", i.SysVendor, false}, {"product_name", i.ProductName, false},
		{"product_version", i.ProductVersion, false}, {"product_serial", i.ProductSerial, true},
		{"product_uuid", i.ProductUUID, true}, {"product_sku", i.ProductSKU, false},
		{"product_family", i.ProductFamily, false},
		{"board_vendor", i.BoardVendor, false}, {"board_name", i.BoardName, false},
		{"board_version", i.BoardVersion, false}, {"board_serial", i.BoardSerial, true},
		{"board_asset_tag", i.BoardAssetTag, false},
		{"chassis_vendor", i.ChassisVendor, false}, {"chassis_type", i.ChassisType, false},
		{"chassis_version", i.ChassisVersion, false}, {"chassis_serial", i.ChassisSerial, true},
		{"chassis_asset_tag", i.ChassisAssetTag, false},
	} {
		if f.Value != "" {
			list = append(list, f)
		}
	}
	return list
}

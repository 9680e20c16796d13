package acpi

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// image is physical memory for the tests: bytes from address 0 on.
type image []byte

func (m image) Bytes(addr, n uint64) []byte {
	if n == 0 || addr > uint64(len(m)) || n > uint64(len(m))-addr {
		return nil
	}
	return m[addr : addr+n]
}

var le = binary.LittleEndian

func fix(p []byte, at int) { p[at] = 0; p[at] = -sum(p) }

// build makes a table with a right header around a body.
func build(sig string, body []byte) []byte {
	t := make([]byte, headerSize+len(body))
	copy(t, sig)
	le.PutUint32(t[4:], uint32(len(t)))
	copy(t[headerSize:], body)
	fix(t, 9)
	return t
}

// list makes an XSDT or RSDT.
func list(sig string, addrs ...uint64) []byte {
	var body []byte
	for _, a := range addrs {
		if sig == "XSDT" {
			body = le.AppendUint64(body, a)
		} else {
			body = le.AppendUint32(body, uint32(a))
		}
	}
	return build(sig, body)
}

// root makes a root pointer.
func root(revision byte, rsdt uint32, xsdt uint64) []byte {
	r := make([]byte, rootSize2)
	copy(r, "RSD PTR ")
	r[15] = revision
	le.PutUint32(r[16:], rsdt)
	le.PutUint32(r[20:], rootSize2)
	le.PutUint64(r[24:], xsdt)
	fix(r[:rootSize1], 8)
	fix(r, 32)
	return r
}

// machine lays out a root pointer at 0xf0000, an XSDT and the given tables, the
// first of them at 0x1000.
func machine(tables ...[]byte) image {
	m := make(image, 1<<20)
	addr := 0x1000
	var addrs []uint64
	for _, t := range tables {
		copy(m[addr:], t)
		addrs = append(addrs, uint64(addr))
		addr += (len(t) + 15) &^ 15
	}
	copy(m[addr:], list("XSDT", addrs...))
	copy(m[0xf0000:], root(2, 0, uint64(addr)))
	return m
}

// say returns the problems as text, and the signatures of the good tables.
func (t *Tables) say() (problems, good string) {
	var p, g []string
	for _, x := range t.Problems() {
		p = append(p, fmt.Sprintf("%s@%#x %v", x.Signature[:], x.Address, x.Reason))
	}
	t.Each(func(x []byte) { g = append(g, string(x[:4])) })
	return strings.Join(p, "; "), strings.Join(g, " ")
}

func TestBadTables(t *testing.T) {
	small := madt([]byte{0, 8, 0, 0, 1, 0, 0, 0})
	changed := func(f func(t []byte)) []byte {
		x := build("SSDT", make([]byte, 28))
		f(x)
		return x
	}
	for _, c := range []struct {
		name           string
		m              image
		problems, good string
	}{
		{"checksum", machine(changed(func(x []byte) { x[40]++ }), small), "SSDT@0x1000 bad checksum", "APIC"},
		{"absurd length", machine(changed(func(x []byte) { le.PutUint32(x[4:], 0xffffffff) }), small), "SSDT@0x1000 bad length", "APIC"},
		{"beyond memory", machine(changed(func(x []byte) { le.PutUint32(x[4:], 2<<20) }), small), "SSDT@0x1000 lies outside readable memory", "APIC"},
		{"shorter than a header", machine(changed(func(x []byte) { le.PutUint32(x[4:], 7) }), small), "SSDT@0x1000 bad length", "APIC"},
		{"second MADT", machine(small, small), "APIC@0x1040 is the second of its kind", "APIC"},
		{"several SSDTs", machine(build("SSDT", nil), build("SSDT", []byte{1})), "", "SSDT SSDT"},
	} {
		var tabs Tables
		if err := tabs.Open(0, nil, c.m); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if p, g := tabs.say(); p != c.problems || g != c.good {
			t.Errorf("%s: %q, good %q; want %q, good %q", c.name, p, g, c.problems, c.good)
		}
	}
}

// TestBadLists: what the list of tables itself may do.
func TestBadLists(t *testing.T) {
	const xsdt = 0x8000
	m := make(image, 1<<20)
	put := func(at int, p []byte) { copy(m[at:], p) }
	put(0x1000, madt())
	put(0x2000, build("HPET", make([]byte, 0x100)))
	put(0x2040, build("MCFG", nil)) // inside
	put(0x3000, list("RSDT", 0x1000))
	put(0x4000, build("SSDT", nil))
	put(0xf0000, root(2, 0x3000, xsdt))
	whole := func(addrs ...uint64) string {
		put(xsdt, make([]byte, 0x4000))
		put(xsdt, list("XSDT", addrs...))
		fix(m[0x2000:0x2000+headerSize+0x100], 9)
		var tabs Tables
		if err := tabs.Open(0xf0000, nil, m); err != nil {
			t.Fatal(err)
		}
		p, g := tabs.say()
		return g + ": " + p
	}
	if s := whole(0x1000, 0, xsdt, 0x1000, 0x4000); s != "APIC SSDT: ????@0x8000 is listed twice; APIC@0x1000 is listed twice" {
		t.Errorf("a list that lists itself: %s", s)
	}
	if s := whole(0x1000, 1<<40, 0xffff_ffff_ffff_fff0, 0x4000); s != "APIC SSDT: ????@0x10000000000 lies outside readable memory; ????@0xfffffffffffffff0 lies outside readable memory" {
		t.Errorf("pointers to nowhere: %s", s)
	}
	if s := whole(0x2000, 0x2040, 0x1000); s != "HPET APIC: MCFG@0x2040 overlaps another table" {
		t.Errorf("overlapping tables: %s", s)
	}
	if s := whole(0x2040, 0x2000, 0x1000); s != "MCFG APIC: HPET@0x2000 overlaps another table" {
		t.Errorf("overlapping tables, the other way: %s", s)
	}
	var many []uint64
	for i := range 1000 {
		many = append(many, uint64(0x1000+i))
	}
	if s := whole(many...); !strings.HasPrefix(s, "APIC: ") {
		t.Errorf("a thousand entries: %s", s)
	}
	// A bad XSDT: the RSDT counts.
	put(xsdt, []byte("YSDT"))
	var tabs Tables
	if err := tabs.Open(0, nil, m); err != nil {
		t.Fatal(err)
	}
	if p, g := tabs.say(); g != "APIC" || !strings.Contains(p, "@0x8000") {
		t.Errorf("fallback to the RSDT: %s: %s", g, p)
	}
	// And none at all.
	put(0x3000, []byte("TDSR"))
	if err := tabs.Open(0, nil, m); err != ErrNoRoot {
		t.Errorf("no list: %v", err)
	}
}

func TestRootPointer(t *testing.T) {
	good := machine(build("SSDT", nil))
	pointer := append([]byte(nil), good[0xf0000:0xf0000+rootSize2]...)
	none := append(image(nil), good...)
	copy(none[0xf0000:], make([]byte, rootSize2))
	at := func(addr int) image {
		m := append(image(nil), none...)
		copy(m[addr:], pointer)
		return m
	}
	ebda := at(0x9fc10)
	le.PutUint16(ebda[0x40e:], 0x9fc0)
	damaged := append([]byte(nil), pointer...)
	damaged[9]++
	decoy := at(0xf1000)
	copy(decoy[0xe0000:], damaged)
	first := list("RSDT", 0x1000) // for a pointer of ACPI 1.0
	old := append(image(nil), none...)
	copy(old[0x5000:], first)
	copy(old[0xe0010:], root(0, 0x5000, 0)[:rootSize1])
	half := append(image(nil), old...) // a pointer of revision 2 with a bad second checksum
	copy(half[0xe0010:], root(2, 0x5000, 0x1000))
	half[0xe0010+33]++
	for _, c := range []struct {
		name string
		m    image
		rsdp uint64
		copy []byte
		err  error
	}{
		{"in the BIOS", good, 0, nil, nil},
		{"in the extended BIOS data area", ebda, 0, nil, nil},
		{"not on a boundary of 16", at(0xf0008), 0, nil, ErrNoRSDP},
		{"told", at(0x4000), 0x4000, nil, nil},
		{"handed over", none, 0, pointer, nil},
		{"told wrongly", good, 0x4000, nil, nil},
		{"told outside memory", good, 1 << 40, nil, nil},
		{"handed over damaged", good, 0, damaged, nil},
		{"handed over in part", good, 0, pointer[:10], nil},
		{"a damaged one first", decoy, 0, nil, nil},
		{"damaged only", none, 0, damaged, ErrChecksum},
		{"ACPI 1.0", old, 0, nil, nil},
		{"the second half damaged", half, 0, nil, nil},
		{"none", none, 0, nil, ErrNoRSDP},
		{"no memory", nil, 0, nil, ErrNoRSDP},
	} {
		var tabs Tables
		err := tabs.Open(c.rsdp, c.copy, c.m)
		if err != c.err {
			t.Errorf("%s: %v, want %v", c.name, err, c.err)
		}
		if (tabs.Find("SSDT") != nil) != (c.err == nil) {
			t.Errorf("%s: table found: %t", c.name, c.err != nil)
		}
	}
}

func TestTableByAddress(t *testing.T) {
	m := machine(build("SSDT", nil))
	copy(m[0x4000:], build("DSDT", []byte{1}))
	facs := make([]byte, 64)
	copy(facs, "FACS")
	facs[4], facs[20] = 64, 9 // no checksum
	copy(m[0x5000:], facs)
	var tabs Tables
	if err := tabs.Open(0, nil, m); err != nil {
		t.Fatal(err)
	}
	if p := tabs.Table(0x4000, "DSDT"); len(p) != headerSize+1 {
		t.Errorf("DSDT: %d bytes", len(p))
	}
	if p := tabs.Table(0x5000, "FACS"); len(p) != 64 {
		t.Errorf("FACS: %d bytes", len(p))
	}
	for _, addr := range []uint64{0, 0x1000, 0x5000, 1 << 30} {
		if tabs.Table(addr, "DSDT") != nil {
			t.Errorf("a DSDT at %#x", addr)
		}
	}
	var none Tables
	if none.Table(0x4000, "DSDT") != nil || none.Find("SSDT") != nil {
		t.Error("tables out of nothing")
	}
}

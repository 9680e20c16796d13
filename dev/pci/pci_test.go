package pci

import (
	"errors"
	"testing"
	"testing/synctest"

	"golang.org/x/sys/unix"
)

func TestScanFollowsBridges(t *testing.T) {
	m := newFake()
	m.add(Address{0, 0, 0, 0}, 0x29c08086, 0x060000, 0)
	m.add(Address{0, 0, 31, 0}, 0x29188086, 0x060100, headerMulti)
	m.add(Address{0, 0, 31, 2}, 0x29228086, 0x010601, headerMulti)
	m.add(Address{0, 0, 5, 3}, 0x11112222, 0x020000, 0) // no function 0: not there
	m.add(Address{0, 0, 2, 0}, 0x000c1b36, 0x060400, headerBridge).space[regBuses/4] = 0x00_05_03_00
	m.add(Address{0, 3, 0, 0}, 0x000d1b36, 0x0c0330, 0)
	m.add(Address{0, 3, 1, 0}, 0x000c1b36, 0x060400, headerBridge).space[regBuses/4] = 0x00_04_04_03
	m.add(Address{0, 4, 7, 0}, 0x00021af4, 0x00ff00, 0)
	m.add(Address{0, 9, 0, 0}, 0x99991af4, 0x00ff00, 0) // behind no bridge
	want := []string{
		"0000:00:00.0 8086:29c0 class 060000", "0000:00:02.0 1b36:000c class 060400",
		"0000:00:1f.0 8086:2918 class 060100", "0000:00:1f.2 8086:2922 class 010601",
		"0000:03:00.0 1b36:000d class 0c0330", "0000:03:01.0 1b36:000c class 060400",
		"0000:04:07.0 1af4:0002 class 00ff00",
	}
	check := func() {
		t.Helper()
		list := Scan(m)
		if len(list) != len(want) {
			t.Errorf("%d devices", len(list))
		}
		for i, d := range list {
			if i < len(want) && d.String() != want[i] {
				t.Errorf("%v, want %v", d, want[i])
			}
		}
	}
	check()
	// A second host bridge: the other bus numbers are tried too.
	m.add(Address{0, 0, 1, 0}, 0x29c08086, 0x060000, 0)
	want = append(append([]string{want[0], "0000:00:01.0 8086:29c0 class 060000"}, want[1:]...), "0000:09:00.0 1af4:9999 class 00ff00")
	check()
}

// Bridges that lead to each other, to themselves and to bus 0 end.
func TestScanLoop(t *testing.T) {
	m := newFake()
	for i, sec := range []uint32{0, 1, 2, 1, 255} {
		m.add(Address{0, 0, uint8(i), 0}, 0x000c1b36, 0x060400, headerBridge).space[regBuses/4] = sec << 8
	}
	for i, sec := range []uint32{0, 1, 2, 255} {
		m.add(Address{0, 1, uint8(i), 0}, 0x000c1b36, 0x060400, headerBridge).space[regBuses/4] = sec << 8
	}
	m.add(Address{0, 255, 0, 0}, 0x000c1b36, 0x060400, headerBridge).space[regBuses/4] = 255 << 8
	if n := len(Scan(m)); n != 10 {
		t.Errorf("%d devices", n)
	}
}

func TestBARs(t *testing.T) {
	m := newFake()
	a := Address{0, 0, 3, 0}
	f := m.add(a, 0x000d1b36, 0x0c0330, 0)
	f.space[regCommand/4] = 0xffff0007 // all of the status bits are up
	copy(f.space[regBAR0/4:], []uint32{0xfebf_0004, 0x12, 0xc041, 0xfebf_1000, 0xfe00_000c, 0})
	f.mask = [6]uint32{0xffff_c000, 0xffff_ffff, 0xffff_ffe0, 0xffff_f000, 0xff00_0000, 0xffff_ffff}
	d := Scan(m)[0]
	want := [6]BAR{
		{Address: 0x12_febf_0000, Wide: true}, {}, {Address: 0xc040, IO: true},
		{Address: 0xfebf_1000}, {Address: 0xfe00_0000, Wide: true, Prefetch: true},
	}
	if d.BARs != want {
		t.Errorf("%+v", d.BARs)
	}
	before := f.space
	for i, size := range []uint64{0x4000, 0, 0, 0x1000, 0x100_0000, 0} {
		_, n, err := d.Region(i)
		if (err == nil) != (size != 0) || n != size {
			t.Errorf("BAR %d: size %#x, %v", i, n, err)
		}
	}
	if f.space != before {
		t.Errorf("registers after measuring:\n%x\n%x before", f.space, before)
	}
	if _, _, err := d.Region(6); !errors.Is(err, unix.ENXIO) {
		t.Errorf("BAR 6: %v", err)
	}
}

func TestPowerOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newFake()
		f := m.add(Address{}, 0x000d1b36, 0x0c0330, 0)
		f.space[regCommand/4] = 1<<20 | 2
		f.space[regCapsPtr/4] = 0x50
		f.space[0x50/4] = CapPower
		f.space[0x54/4] = 0x8103 // D3, PME on and pending
		f.space[regBAR0/4] = 0xfebf_0000
		f.mask[0] = 0xffff_0000
		f.power = 0x54
		d := Scan(m)[0]
		if err := d.PowerOn(); err != nil {
			t.Fatal(err)
		}
		if f.space[0x54/4]&3 != 0 || f.space[regBAR0/4] != 0xfebf_0000 || f.space[regCommand/4]&2 == 0 {
			t.Errorf("state %#x, base %#x, command %#x", f.space[0x54/4], f.space[regBAR0/4], f.space[regCommand/4])
		}
	})
}

func TestMessages(t *testing.T) {
	msg := Message{0xfee0_1000, 0x41}
	m := newFake()
	f := m.add(Address{}, 0x000d1b36, 0x0c0330, 0)
	f.space[regCommand/4] = 1 << 20
	f.space[regCapsPtr/4] = 0x90
	f.space[0x90/4] = 0x0002_a011 // MSI-X, three entries; next 0xa0
	f.space[0x94/4] = 0x3000
	f.space[0xa0/4] = 0x0181_0005 // MSI, wide, on
	copy(f.space[regBAR0/4:], []uint32{0xfebf_0004, 0})
	f.mask[0], f.mask[1] = 0xffff_c000, 0xffff_ffff
	table := make(fakeRegisters, 12)
	m.memory[0xfebf_3000] = table

	d := Scan(m)[0]
	if mode, err := d.EnableMessage(msg, m.mapper); mode != ModeMSIX || err != nil {
		t.Fatalf("%q, %v", mode, err)
	}
	if got := [4]uint32(table[:4]); got != [4]uint32{0xfee0_1000, 0, 0x41, 0} || table[7] != 1 || table[11] != 1 {
		t.Errorf("table %x", table)
	}
	if f.space[0x90/4]>>16 != 0x8002 || f.space[0xa0/4]>>16&1 != 0 || f.space[regCommand/4]&commandNoINTx == 0 {
		t.Errorf("MSI-X %#x, MSI %#x, command %#x", f.space[0x90/4], f.space[0xa0/4], f.space[regCommand/4])
	}
	d.DisableMessage()
	if f.space[0x90/4]>>31 != 0 {
		t.Error("MSI-X stays on")
	}

	// A table outside of its region: MSI has to do.
	f.space[0x94/4] = 0x3fe0
	if mode, err := d.EnableMessage(msg, m.mapper); mode != ModeMSI || err != nil {
		t.Fatalf("%q, %v", mode, err)
	}
	if f.space[0xa0/4]>>16&1 == 0 || f.space[0xa4/4] != 0xfee0_1000 || f.space[0xac/4] != 0x41 || f.space[0xb0/4]&1 != 0 {
		t.Errorf("MSI %x", f.space[0xa0/4:0xb4/4])
	}
	// Neither.
	f.space[regCapsPtr/4] = 0
	if _, err := Scan(m)[0].EnableMessage(msg, m.mapper); !errors.Is(err, unix.ENODEV) {
		t.Errorf("%v", err)
	}
}

func TestConfig(t *testing.T) {
	m := newFake()
	m.add(Address{}, 0x000d1b36, 0x0c0330, 0)
	d := Scan(m)[0]
	p := make([]byte, 300)
	if n := d.Config(p, 0); n != 256 || p[0] != 0x36 || p[1] != 0x1b || p[2] != 0x0d || p[9] != 0x30 {
		t.Errorf("%d bytes: % x", n, p[:16])
	}
	if n := d.Config(p[:2], 255); n != 1 {
		t.Errorf("%d bytes at 255", n)
	}
	if n := d.Config(p, 256) + d.Config(p, -1); n != 0 {
		t.Errorf("%d bytes outside", n)
	}
}

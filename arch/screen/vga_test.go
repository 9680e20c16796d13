package screen

import (
	"bytes"
	"testing"
)

// adapter plays the registers of a VGA.
type adapter struct {
	misc       uint8
	graphics   [256]uint8
	crt        [256]uint8
	attributes [256]uint8
	gi, ci, ai uint8
	data       bool // the attribute controller takes data next
	absent     bool
}

func (a *adapter) ports() Ports {
	return Ports{
		In: func(port uint16) uint8 {
			if a.absent {
				return 0xff
			}
			switch port {
			case 0x3cc:
				return a.misc
			case 0x3cf:
				return a.graphics[a.gi]
			case 0x3d5:
				return a.crt[a.ci]
			case 0x3c1:
				return a.attributes[a.ai&0x1f]
			case 0x3da:
				a.data = false
			}
			return 0
		},
		Out: func(port uint16, v uint8) {
			switch port {
			case 0x3ce:
				a.gi = v
			case 0x3cf:
				a.graphics[a.gi] = v
			case 0x3d4:
				a.ci = v
			case 0x3d5:
				a.crt[a.ci] = v
			case 0x3c0:
				if a.data {
					a.attributes[a.ai&0x1f] = v
				} else {
					a.ai = v
				}
				a.data = !a.data
			}
		},
	}
}

// textMode is an adapter in the mode that a BIOS leaves: 80x25, 9x16 pixels.
func textMode() *adapter {
	a := &adapter{misc: 0x67}
	a.graphics[6] = 0x0e
	a.attributes[0x10] = 0x0c
	a.crt[0x01], a.crt[0x07], a.crt[0x09], a.crt[0x12] = 0x4f, 0x1f, 0x4f, 0x8f
	return a
}

func TestVGAIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		change func(a *adapter)
		found  bool
		rows   int
	}{
		"text":           {func(*adapter) {}, true, 25},
		"text, 50 rows":  {func(a *adapter) { a.crt[9] = 0x47 }, true, 50},
		"no adapter":     {func(a *adapter) { a.absent = true }, false, 0},
		"mono":           {func(a *adapter) { a.misc &^= 1 }, false, 0},
		"graphics":       {func(a *adapter) { a.graphics[6] = 0x05 }, false, 0},
		"other memory":   {func(a *adapter) { a.graphics[6] = 0x06 }, false, 0},
		"never set up":   {func(a *adapter) { *a = adapter{} }, false, 0},
		"graphics, attr": {func(a *adapter) { a.attributes[0x10] |= 1 }, false, 0},
		"odd size":       {func(a *adapter) { a.crt[1] = 3 }, false, 0},
	} {
		a := textMode()
		c.change(a)
		var v VGA
		found := v.Probe(a.ports(), make([]byte, VGATextSize))
		cols, rows := v.Size()
		if found != c.found || found && (cols != 80 || rows != c.rows) {
			t.Errorf("%s: found %v, %dx%d", name, found, cols, rows)
		}
		if found && (a.attributes[0x10]&8 != 0 || a.attributes[0x10]&4 == 0 || a.ai&0x20 == 0) {
			t.Errorf("%s: attribute mode %#x, index %#x", name, a.attributes[0x10], a.ai)
		}
	}
}

func TestVGADraws(t *testing.T) {
	a := textMode()
	mem := bytes.Repeat([]byte{guard}, VGATextSize)
	var v VGA
	if !v.Init(a.ports(), mem, 80, 25) {
		t.Fatal("Init")
	}
	v.Clear(Black)
	v.Draw(78, 24, []Cell{{Char: 'A', Fg: Grey}, {Char: 'B', Fg: 0xff5555, Bg: 0x0000aa}, {Char: 'C'}})
	if got, want := mem[2*(24*80+78):2*25*80], []byte{'A', 7, 'B', 0x1c}; !bytes.Equal(got, want) {
		t.Errorf("% x, want % x", got, want)
	}
	for i, b := range mem {
		if i >= 2*80*25 && b != guard {
			t.Fatalf("byte %d was written", i)
		}
	}
	if mem[0] != ' ' || mem[1] != 0 {
		t.Errorf("cleared: % x", mem[:2])
	}
	v.Cursor(3, 2, true)
	if at := int(a.crt[14])<<8 | int(a.crt[15]); at != 163 || a.crt[10]&0x20 != 0 {
		t.Errorf("cursor at %d, start %#x", at, a.crt[10])
	}
	v.Cursor(3, 25, true)
	if a.crt[10]&0x20 == 0 {
		t.Error("a cursor outside is shown")
	}
}

// TestVGACursorIsInTheCell: it is seen however high the characters are.
func TestVGACursorIsInTheCell(t *testing.T) {
	for scan, want := range map[uint8][2]uint8{0x4f: {13, 14}, 0x47: {5, 6}, 0x4d: {11, 12}, 0x40: {0, 1}, 0x41: {0, 1}} {
		a := textMode()
		a.crt[9] = scan
		var v VGA
		if !v.Init(a.ports(), make([]byte, VGATextSize), 80, 25) {
			t.Fatal("Init")
		}
		v.Cursor(0, 0, true)
		if got := [2]uint8{a.crt[10], a.crt[11]}; got != want {
			t.Errorf("characters of %d lines: the cursor's are %v, want %v", scan&0x1f+1, got, want)
		}
	}
}

func TestCodePage437(t *testing.T) {
	for r, want := range map[rune]uint8{
		'A': 'A', '~': '~', 0: ' ', 'é': 0x82, 'ß': 0xe1, 'µ': 0xe6, 'μ': 0xe6, '─': 0xc4, '│': 0xb3, '╬': 0xce, '█': 0xdb,
		'░': 0xb0, '→': 0x1a, '►': 0x10, '°': 0xf8, '√': 0xfb, 'ÿ': 0x98, '±': 0xf1, '≥': 0xf2,
		// What it lacks has something like it.
		'Á': 'A', 'õ': 'o', 'č': 'c', '“': '"', '…': '_', '━': 0xc4, '┃': 0xb3, '╭': 0xda, '╯': 0xd9, '◆': 0x04, '┏': 0xda,
		'漢': 0xfe, 0x10ffff: 0xfe, -1: 0xfe, 0xffff: 0xfe,
	} {
		if got := codePage437(r); got != want {
			t.Errorf("%q is %#x, want %#x", r, got, want)
		}
	}
	for i, r := range []rune(alike437) {
		if i%2 == 1 && r != '■' && codePage437(r) == missing437 {
			t.Errorf("%q, which stands for others, is missing itself", r)
		}
	}
	if n := len([]rune(alike437)); n%2 != 0 {
		t.Errorf("%d characters are no pairs", n)
	}
}

func TestColoursOfVGA(t *testing.T) {
	for i, rgb := range vgaPalette {
		if got := nearest(rgb); int(got) != i {
			t.Errorf("%06x is colour %d, want %d", rgb, got, i)
		}
	}
	// Different colours never give text that cannot be seen.
	for _, c := range [][2]uint32{{0x111111, 0}, {0, 0x111111}, {0xfefefe, 0xffffff}, {0xa0a0a0, 0xaaaaaa}, {0xaaaaaa, 0xa0a0a0}} {
		if a := attribute(c[0], c[1]); a>>8&15 == a>>12 {
			t.Errorf("%06x on %06x: attribute %#x", c[0], c[1], a)
		}
	}
}

// FuzzVGAProbe plays an adapter with registers of any content.
func FuzzVGAProbe(f *testing.F) {
	good := textMode()
	f.Add(good.misc, good.graphics[6], good.attributes[0x10], good.crt[:0x19], 80, 25)
	f.Add(uint8(0xff), uint8(0xff), uint8(0xff), bytes.Repeat([]byte{0xff}, 0x19), 0, 0)
	f.Add(uint8(1), uint8(0x0c), uint8(0), []byte{}, -1, 1<<62)
	f.Add(uint8(1), uint8(0x0c), uint8(0), []byte{}, 1<<33, 1<<33)
	f.Fuzz(func(t *testing.T, misc, graphics, attributes uint8, crt []byte, cols, rows int) {
		a := &adapter{misc: misc}
		a.graphics[6], a.attributes[0x10] = graphics, attributes
		copy(a.crt[:], crt)
		for _, find := range []func(v *VGA, mem []byte) bool{
			func(v *VGA, mem []byte) bool { return v.Probe(a.ports(), mem) },
			func(v *VGA, mem []byte) bool { return v.Init(a.ports(), mem, cols, rows) },
		} {
			mem := bytes.Repeat([]byte{guard}, VGATextSize)
			var v VGA
			if !find(&v, mem) {
				continue
			}
			w, h := v.Size()
			if w < 1 || h < 1 || 2*w*h > VGATextSize {
				t.Fatalf("%dx%d", w, h)
			}
			v.Clear(0)
			for y := range h {
				v.Draw(w-1, y, []Cell{{Char: 'x'}, {Char: 'y'}})
			}
			v.Cursor(w-1, h-1, true)
			for i := 2 * w * h; i < len(mem); i++ {
				if mem[i] != guard {
					t.Fatalf("%dx%d: byte %d was written", w, h, i)
				}
			}
		}
	})
}

package screen

import "unsafe"

// Ports are the registers of a PC's I/O space, a byte wide. The functions may be
// called in any context.
type Ports struct {
	In  func(port uint16) uint8
	Out func(port uint16, v uint8)
}

// Registers of a VGA that shows colours, and what is used of them (IBM VGA/XGA
// Technical Reference Manual, 1992, chapter 2).
const (
	vgaAttribute     = 0x3c0 // index and data in turn; a read of vgaStatus begins with the index
	vgaAttributeRead = 0x3c1
	vgaMiscRead      = 0x3cc
	vgaGraphics      = 0x3ce // index; data one port further
	vgaCRT           = 0x3d4 // index; data one port further
	vgaStatus        = 0x3da

	miscColour       = 1 << 0 // of the miscellaneous output: the registers are at 0x3dX
	graphicsMisc     = 6
	graphicsMode     = 1 << 0 // of graphicsMisc: no text
	graphicsMap      = 3 << 2 // of graphicsMisc: where the memory is
	graphicsMapText  = 3 << 2 // at 0xb8000
	attributeMode    = 0x10
	attributeGraphic = 1 << 0   // of attributeMode
	attributeBlink   = 1 << 3   // of attributeMode: bit 7 of a character makes it blink
	attributePalette = 1 << 5   // of an index: the palette stays in use
	crtDisplayEnd    = 0x01     // columns less one
	crtOverflow      = 0x07     // bits 1 and 6 are bits 8 and 9 of crtVerticalEnd
	crtMaxScan       = 0x09     // bits 0 to 4: height of a character less one
	crtCursorStart   = 0x0a     // bits 0 to 4: its first line; bit 5 hides it
	crtCursorEnd     = 0x0b     // bits 0 to 4: its last line
	crtStartHigh     = 0x0c     // where in memory the screen begins, in characters
	crtStartLow      = 0x0d     //
	crtCursorHigh    = 0x0e     // where it is, in characters
	crtCursorLow     = 0x0f     //
	crtVerticalEnd   = 0x12     // lines less one, the lower bits
	cursorHidden     = 1 << 5   //
	VGATextAddress   = 0xb8000  // physical address of the text
	VGATextSize      = 32 << 10 // bytes there
)

// VGA is a Display of VGA's text mode: a byte for the character, in code page
// 437, and one for its colours, of which there are 16.
//
// Its zero value is a display without cells, until Init or Probe makes one of it.
type VGA struct {
	mem        []byte
	ports      Ports
	cols, rows int
	first      uint8 // the cursor's first line; it has two

	// The colours drawn last.
	fg, bg uint32
	attr   uint16
	known  bool
}

// Init makes v draw on mem, the adapter's memory at VGATextAddress, as a screen
// of the given size that is in text mode. It reports whether that is possible.
func (v *VGA) Init(ports Ports, mem []byte, cols, rows int) bool {
	if cols < 1 || rows < 1 || cols > 256 || rows > 256 || cols*rows*2 > len(mem) {
		return false
	}
	*v = VGA{mem: mem, ports: ports, cols: cols, rows: rows}
	// Light backgrounds instead of blinking characters.
	ports.In(vgaStatus)
	ports.Out(vgaAttribute, attributeMode|attributePalette)
	mode := ports.In(vgaAttributeRead)
	ports.Out(vgaAttribute, mode&^attributeBlink)
	v.set(crtStartHigh, 0)
	v.set(crtStartLow, 0)
	// Above the last line of a character, as far as one has so many.
	ports.Out(vgaCRT, crtMaxScan)
	v.first = max(ports.In(vgaCRT+1)&0x1f, 2) - 2
	v.Cursor(0, 0, false)
	return true
}

// Probe makes v draw on mem if the machine has a VGA that is in text mode, with
// colours, and reports whether it is. Ports without a device read as 0xff.
func (v *VGA) Probe(ports Ports, mem []byte) bool {
	misc := ports.In(vgaMiscRead)
	if misc == 0xff || misc&miscColour == 0 {
		return false
	}
	ports.Out(vgaGraphics, graphicsMisc)
	g := ports.In(vgaGraphics + 1)
	if g == 0xff || g&graphicsMode != 0 || g&graphicsMap != graphicsMapText {
		return false
	}
	ports.In(vgaStatus)
	ports.Out(vgaAttribute, attributeMode|attributePalette)
	mode := ports.In(vgaAttributeRead)
	ports.Out(vgaAttribute, mode) // as it was
	if mode&attributeGraphic != 0 {
		return false
	}
	get := func(i uint8) int {
		ports.Out(vgaCRT, i)
		return int(ports.In(vgaCRT + 1))
	}
	over := get(crtOverflow)
	lines := get(crtVerticalEnd) | over>>1&1<<8 | over>>6&1<<9
	height := get(crtMaxScan)&0x1f + 1
	cols := get(crtDisplayEnd) + 1
	rows := (lines + 1) / height
	if cols < 40 || cols > 160 || rows < 20 || rows > 60 {
		return false
	}
	return v.Init(ports, mem, cols, rows)
}

// set writes a register of the CRT controller.
func (v *VGA) set(index, value uint8) {
	v.ports.Out(vgaCRT, index)
	v.ports.Out(vgaCRT+1, value)
}

// Size implements [Display].
func (v *VGA) Size() (cols, rows int) { return v.cols, v.rows }

// Name implements [Display].
func (v *VGA) Name() string { return "VGA text" }

// Draw implements [Display].
func (v *VGA) Draw(col, row int, cells []Cell) {
	cells, col = clip(cells, col, row, v.cols, v.rows)
	if len(cells) == 0 {
		return
	}
	p := unsafe.Pointer(&v.mem[2*(row*v.cols+col)])
	for i := range cells {
		c := &cells[i]
		if !v.known || c.Fg != v.fg || c.Bg != v.bg {
			v.fg, v.bg, v.known = c.Fg, c.Bg, true
			v.attr = attribute(c.Fg, c.Bg)
		}
		*(*uint16)(unsafe.Add(p, 2*i)) = v.attr | uint16(codePage437(c.Char))
	}
}

// Cursor implements [Display], with the adapter's own cursor.
func (v *VGA) Cursor(col, row int, shown bool) {
	if !shown || col < 0 || col >= v.cols || row < 0 || row >= v.rows {
		v.set(crtCursorStart, cursorHidden)
		return
	}
	at := row*v.cols + col
	v.set(crtCursorHigh, uint8(at>>8))
	v.set(crtCursorLow, uint8(at))
	v.set(crtCursorStart, v.first)
	v.set(crtCursorEnd, v.first+1)
}

// Clear makes all cells blanks on the given background.
func (v *VGA) Clear(rgb uint32) {
	w := attribute(rgb, rgb) | ' '
	for i := 0; i < 2*v.cols*v.rows; i += 2 {
		*(*uint16)(unsafe.Pointer(&v.mem[i])) = w
	}
}

// attribute returns the colours as the upper byte of a cell.
func attribute(fg, bg uint32) uint16 {
	f, b := nearest(fg), nearest(bg)
	if f == b && fg != bg {
		// Two colours that differ must not make the text vanish.
		if f = 7; b == 7 || b == 15 {
			f = 0
		} else if luminance(fg) < luminance(bg) {
			f = 0
		}
		if f == b {
			f = 8
		}
	}
	return f<<8 | b<<12
}

// vgaPalette is what the 16 colours look like.
var vgaPalette = [16]uint32{
	0x000000, 0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000, 0xaa00aa, 0xaa5500, 0xaaaaaa,
	0x555555, 0x5555ff, 0x55ff55, 0x55ffff, 0xff5555, 0xff55ff, 0xffff55, 0xffffff,
}

// nearest returns the number of the colour that is most like rgb.
func nearest(rgb uint32) uint16 {
	best, at := 1<<30, 0
	for i, p := range vgaPalette {
		r := int(rgb>>16&0xff) - int(p>>16&0xff)
		g := int(rgb>>8&0xff) - int(p>>8&0xff)
		b := int(rgb&0xff) - int(p&0xff)
		// The eye weighs green most, blue least.
		if d := 3*r*r + 6*g*g + b*b; d < best {
			best, at = d, i
		}
	}
	return uint16(at)
}

func luminance(rgb uint32) uint32 {
	return 3*(rgb>>16&0xff) + 6*(rgb>>8&0xff) + rgb&0xff
}

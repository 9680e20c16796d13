package screen

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/math/fixed"

	"tamarix/arch/screen/genfont/font"
)

var (
	rgb888  = Layout{BitsPerPixel: 32, Red: Field{16, 8}, Green: Field{8, 8}, Blue: Field{0, 8}}
	layouts = map[string]Layout{
		"32 bits, red high":        rgb888,
		"32 bits, blue high":       {BitsPerPixel: 32, Red: Field{0, 8}, Green: Field{8, 8}, Blue: Field{16, 8}},
		"32 bits, red at the top":  {BitsPerPixel: 32, Red: Field{24, 8}, Green: Field{16, 8}, Blue: Field{8, 8}},
		"32 bits, ten each":        {BitsPerPixel: 32, Red: Field{20, 10}, Green: Field{10, 10}, Blue: Field{0, 10}},
		"24 bits, red high":        {BitsPerPixel: 24, Red: Field{16, 8}, Green: Field{8, 8}, Blue: Field{0, 8}},
		"24 bits, blue high":       {BitsPerPixel: 24, Red: Field{0, 8}, Green: Field{8, 8}, Blue: Field{16, 8}},
		"16 bits":                  {BitsPerPixel: 16, Red: Field{11, 5}, Green: Field{5, 6}, Blue: Field{0, 5}},
		"15 bits":                  {BitsPerPixel: 15, Red: Field{10, 5}, Green: Field{5, 5}, Blue: Field{0, 5}},
		"16 bits, fields of 1 bit": {BitsPerPixel: 16, Red: Field{15, 1}, Green: Field{7, 1}, Blue: Field{0, 1}},
	}
)

// guard is what memory holds that is not to be written.
const guard = 0xa5

// canvas is a framebuffer in memory with guarded surroundings.
type canvas struct {
	Framebuffer
	t   *testing.T
	l   Layout
	all []byte
}

const around = 4096

func newCanvas(t *testing.T, l Layout, width, height, padding int) *canvas {
	t.Helper()
	c := &canvas{t: t}
	l.Width, l.Height = width, height
	l.Pitch = width*l.bytes() + padding
	c.l = l
	n := l.Pitch*(height-1) + width*l.bytes()
	c.all = bytes.Repeat([]byte{guard}, n+2*around)
	if err := c.Init(l, c.all[around:around+n]); err != nil {
		t.Fatalf("Init(%+v): %v", l, err)
	}
	cols, rows := c.Size()
	c.Keep(make([]Cell, cols*rows))
	return c
}

// at returns the pixel at (x, y) as a number, read byte by byte.
func (c *canvas) at(x, y int) (v uint64) {
	n := (c.l.BitsPerPixel + 7) / 8
	for i := range n {
		v |= uint64(c.all[around+y*c.l.Pitch+x*n+i]) << (8 * i)
	}
	return v
}

// checkGuards fails if anything was written beside the pixels.
func (c *canvas) checkGuards() {
	c.t.Helper()
	n := (c.l.BitsPerPixel + 7) / 8
	for i, b := range c.all {
		at := i - around
		if y := at / c.l.Pitch; at >= 0 && y < c.l.Height && at%c.l.Pitch < c.l.Width*n {
			continue
		}
		if b != guard {
			c.t.Fatalf("byte %d, beside the pixels, was written", at)
		}
	}
}

// want is the number of a pixel of a colour, by floating point.
func want(l Layout, rgb uint32) (v uint64) {
	for i, f := range []Field{l.Blue, l.Green, l.Red} {
		part := float64(rgb>>(8*i)&0xff) / 255
		v |= uint64(math.Floor(part*(math.Exp2(16)-1)/math.Exp2(float64(16-f.Size)))) << f.Pos
	}
	return v
}

func (c *canvas) checkCell(col, row int, cell Cell, cursor bool) {
	c.t.Helper()
	g, _ := Glyph(cell.Char, cell.Attr&Bold != 0)
	if cursor {
		cell.Fg, cell.Bg = cell.Bg, cell.Fg
	}
	s := Scale(c.l.Width, c.l.Height)
	for y := range CellHeight * s {
		for x := range CellWidth * s {
			level := g[y/s][x/s]
			if cell.Attr&Underline != 0 && y/s == 14 {
				level = 3
			}
			got := c.at(col*CellWidth*s+x, row*CellHeight*s+y)
			if w := want(c.l, Blend(cell.Fg, cell.Bg, level)); got != w {
				c.t.Fatalf("cell (%d,%d) %+v, pixel (%d,%d): %#x, want %#x", col, row, cell, x, y, got, w)
			}
		}
	}
}

func randomCell(r *rand.Rand, runes []rune) Cell {
	return Cell{
		Char: runes[r.IntN(len(runes))], Fg: r.Uint32() & 0xffffff, Bg: r.Uint32() & 0xffffff,
		Attr: Attr(r.IntN(4)),
	}
}

func TestEveryLayout(t *testing.T) {
	runes := append(Runes(), 0, '漢', -1, 0x10ffff)
	for name, l := range layouts {
		for _, size := range [][3]int{{80, 40, 0}, {83, 50, 13}, {640, 480, 0}, {2560, 1280, 1}, {3840, 1920, 7}} {
			t.Run(fmt.Sprintf("%s/%dx%d+%d", name, size[0], size[1], size[2]), func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, 2))
				c := newCanvas(t, l, size[0], size[1], size[2])
				c.Clear(0x123456)
				for _, p := range [][2]int{{0, 0}, {size[0] - 1, 0}, {0, size[1] - 1}, {size[0] - 1, size[1] - 1}} {
					if got, w := c.at(p[0], p[1]), want(l, 0x123456); got != w {
						t.Fatalf("Clear: pixel %v is %#x, want %#x", p, got, w)
					}
				}
				cols, rows := c.Size()
				drawn := map[[2]int]Cell{}
				for range 20 {
					col, row := r.IntN(cols), r.IntN(rows)
					cells := make([]Cell, 1+r.IntN(5))
					for i := range cells {
						cells[i] = randomCell(r, runes)
						if col+i < cols {
							drawn[[2]int{col + i, row}] = cells[i]
						}
					}
					c.Draw(col, row, cells)
				}
				for at, cell := range drawn {
					c.checkCell(at[0], at[1], cell, false)
				}
				c.checkGuards()
			})
		}
	}
}

// TestTextIsTheFonts compares text with what golang.org/x/image draws.
func TestTextIsTheFonts(t *testing.T) {
	const text = "The quick brown fox: {[(0123456789)]} ÄÖÜäöüß éèê ЖЩя λμπ #$%&@"
	face, err := font.Face(gomono.TTF)
	if err != nil {
		t.Fatal(err)
	}
	c := newCanvas(t, rgb888, 640, 480, 0)
	var cells []Cell
	for _, r := range text {
		cells = append(cells, Cell{Char: r, Fg: 0xffffff})
	}
	c.Draw(0, 3, cells)
	img := image.NewGray(image.Rect(0, 0, 640, 480))
	d := xfont.Drawer{Dst: img, Src: image.White, Face: face}
	for i, r := range []rune(text) {
		d.Dot = fixed.P(8*i, 3*16+12)
		d.DrawString(string(r))
	}
	bad := 0
	for y := 3 * 16; y < 4*16; y++ {
		for x := range 8 * len(cells) {
			a := float64(img.At(x, y).(color.Gray).Y) / 255
			level := math.Round(math.Pow(a, 0.7) * 3)
			if got := float64(c.at(x, y)&0xff) / 85; math.Abs(got-level) > 0 {
				bad++
			}
		}
	}
	// Where a letter reaches into its neighbour's cell, only one draws it.
	if n := 16 * 8 * len(cells); bad > n/200 {
		t.Errorf("%d of %d pixels differ", bad, n)
	}
}

func TestFontIsWhatTheGeneratorMakes(t *testing.T) {
	f, err := font.Make()
	if err != nil {
		t.Fatal(err)
	}
	if string(f.Glyphs) != glyphs {
		t.Error("glyphs.bin is not what genfont makes: go generate ./arch/screen")
	}
	have, err := os.ReadFile("ranges.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, f.Ranges) {
		t.Error("ranges.go is not what genfont makes: go generate ./arch/screen")
	}
}

func TestFontCovers(t *testing.T) {
	all := Runes()
	for _, r := range all {
		if _, ok := Glyph(r, false); !ok {
			t.Errorf("%q is listed and has no glyph", r)
		}
	}
	for low, high := range map[rune]rune{' ': '~', 0xa0: 0x17f, 0x391: 0x3a1, 0x3b1: 0x3c9, 0x410: 0x44f, 0x2500: 0x259f, 0x2190: 0x2195, 0x2800: 0x28ff} {
		for r := low; r <= high; r++ {
			if _, ok := Glyph(r, true); !ok {
				t.Errorf("%q (%U) has no glyph", r, r)
			}
		}
	}
	for _, r := range []rune{'漢', 0x1f600, -5, 0x10ffff, 7} {
		if _, ok := Glyph(r, false); ok {
			t.Errorf("%U has a glyph", r)
		}
	}
	// Letters that look alike would be no font, and not be read off a picture.
	seen := map[[16][8]uint8]rune{}
	for r := '!'; r <= '~'; r++ {
		g, _ := Glyph(r, false)
		if o, twice := seen[g]; twice {
			t.Errorf("%q looks like %q", r, o)
		}
		seen[g] = r
	}
}

// TestLinesJoin: what is drawn to the edge of a cell goes on in the next.
func TestLinesJoin(t *testing.T) {
	for r := rune(0x2500); r <= 0x256c; r++ {
		if r >= 0x2504 && r <= 0x250b || r >= 0x254c && r <= 0x254f {
			continue // dashes
		}
		g, _ := Glyph(r, false)
		var edge [4]int // pixels at left, right, top, bottom
		for y := range g {
			edge[0] += int(g[y][0]) / 3
			edge[1] += int(g[y][7]) / 3
		}
		for x := range g[0] {
			edge[2] += int(g[0][x]) / 3
			edge[3] += int(g[15][x]) / 3
		}
		for i, n := range edge {
			if n > 3 {
				t.Errorf("%c: %d pixels at edge %d", r, n, i)
			}
		}
	}
	for _, c := range []struct {
		r    rune
		edge [4]bool
	}{
		{'─', [4]bool{true, true, false, false}},
		{'│', [4]bool{false, false, true, true}},
		{'┌', [4]bool{false, true, false, true}},
		{'┘', [4]bool{true, false, true, false}},
		{'╣', [4]bool{true, false, true, true}},
		{'╦', [4]bool{true, true, false, true}},
		{'┻', [4]bool{true, true, true, false}},
		{'╿', [4]bool{false, false, true, true}},
		{'╼', [4]bool{true, true, false, false}},
		{'╡', [4]bool{true, false, true, true}},
		{'╰', [4]bool{false, true, true, false}},
	} {
		g, _ := Glyph(c.r, false)
		got := [4]bool{g[8][0]|g[7][0] != 0, g[8][7]|g[7][7] != 0, g[0][4]|g[0][3] != 0, g[15][4]|g[15][3] != 0}
		if got != c.edge {
			t.Errorf("%c reaches left, right, top, bottom %v, want %v", c.r, got, c.edge)
		}
	}
}

func TestCursorLeavesNoTrace(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	c := newCanvas(t, rgb888, 640, 480, 0)
	cols, rows := c.Size()
	line := make([]Cell, cols)
	for y := range rows {
		for x := range line {
			line[x] = randomCell(r, Runes())
		}
		c.Draw(0, y, line)
	}
	before := bytes.Clone(c.all)
	c.Cursor(5, 6, true)
	if bytes.Equal(before, c.all) {
		t.Fatal("the cursor is not seen")
	}
	c.checkCell(5, 6, c.shown[6*cols+5], true)
	c.Cursor(7, 6, true)
	c.checkCell(5, 6, c.shown[6*cols+5], false)
	// It stays where it is, whatever is drawn there.
	cell := Cell{Char: 'x', Fg: 0x00ff00, Bg: 0x000080}
	old := c.shown[6*cols+7]
	c.Draw(7, 6, []Cell{cell})
	c.checkCell(7, 6, cell, true)
	c.Draw(7, 6, []Cell{old})
	c.Cursor(cols, 6, true) // outside: none
	if !bytes.Equal(before, c.all) {
		t.Error("the cursor left something behind")
	}
	// One colour on itself still shows a cursor.
	c.Draw(0, 0, []Cell{{Char: 'x', Fg: 0x112233, Bg: 0x112233}})
	before = bytes.Clone(c.all)
	c.Cursor(0, 0, true)
	if bytes.Equal(before, c.all) {
		t.Error("the cursor is not seen on a cell of one colour")
	}
}

func TestOutsideIsLeftOut(t *testing.T) {
	c := newCanvas(t, rgb888, 160, 64, 3)
	cols, rows := c.Size()
	cells := make([]Cell, 2*cols)
	for i := range cells {
		cells[i] = Cell{Char: rune('a' + i%26), Fg: 0xffffff}
	}
	for _, col := range []int{-1 << 62, -2*cols - 1, -3, 0, cols - 1, cols, 1 << 62} {
		for _, row := range []int{-1 << 62, -1, 0, rows - 1, rows, 1 << 62} {
			c.Draw(col, row, cells)
			c.Cursor(col, row, true)
		}
	}
	c.Cursor(0, 0, false)
	c.Draw(-3, 1, cells)
	c.checkCell(0, 1, cells[3], false)
	c.checkGuards()
}

func TestScale(t *testing.T) {
	for _, c := range [][3]int{
		{640, 480, 1}, {800, 600, 1}, {1280, 800, 1}, {1366, 768, 1}, {1920, 1080, 1}, {1920, 1200, 1},
		{2560, 1440, 2}, {3440, 1440, 2}, {3840, 2160, 3}, {5120, 2880, 4}, {7680, 4320, 6}, {16384, 16384, 8},
	} {
		if got := Scale(c[0], c[1]); got != c[2] {
			t.Errorf("Scale(%d, %d) = %d, want %d", c[0], c[1], got, c[2])
		}
	}
}

func TestInitRefuses(t *testing.T) {
	good := rgb888
	good.Width, good.Height, good.Pitch = 640, 480, 2560
	for name, c := range map[string]struct {
		change func(l *Layout)
		short  int
		want   error
	}{
		"8 bits":         {func(l *Layout) { l.BitsPerPixel = 8 }, 0, ErrDepth},
		"no red":         {func(l *Layout) { l.Red.Size = 0 }, 0, ErrField},
		"red too high":   {func(l *Layout) { l.Red.Pos = 25 }, 0, ErrField},
		"overlap":        {func(l *Layout) { l.Green.Pos = 7 }, 0, ErrField},
		"no width":       {func(l *Layout) { l.Width = 0 }, 0, ErrSize},
		"negative":       {func(l *Layout) { l.Height = -480 }, 0, ErrSize},
		"huge":           {func(l *Layout) { l.Width = 1 << 20; l.Pitch = 1 << 22 }, 0, ErrSize},
		"short lines":    {func(l *Layout) { l.Pitch = 2559 }, 0, ErrMemory},
		"memory missing": {func(*Layout) {}, 1, ErrMemory},
	} {
		l := good
		c.change(&l)
		var f Framebuffer
		if err := f.Init(l, make([]byte, 2560*480-c.short)); err != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestDrawingAllocatesNothing(t *testing.T) {
	c := newCanvas(t, rgb888, 640, 480, 0)
	o := Output{Framebuffer: &c.Framebuffer}
	cells := []Cell{{Char: 'a', Fg: 1}, {Char: 'é', Fg: 2}, {Char: '漢'}}
	var p Printer
	var r Report
	p.Use(o)
	r.Use(o)
	if n := testing.AllocsPerRun(10, func() {
		c.Draw(1, 1, cells)
		c.Cursor(1, 1, true)
		o.Clear(0)
		p.Start()
		p.Write("what begins\nhere and goes on\n")
		r.Begin("head")
		r.Message("message")
		r.Fact("name", "value", 1)
		r.Registers([]string{"rax"}, []uint64{1})
		r.Log("a\nb\n", false)
		r.Trace("goroutine 1 [running]:\nmain.main()\n\tmain.go:1 +0x1\n")
		r.Log("a\nb\n", true)
		r.End("end")
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzLayout takes a layout as a loader may hand it over: it is refused, or all
// that is drawn stays inside.
func FuzzLayout(f *testing.F) {
	f.Add(640, 480, 2560, 32, uint8(16), uint8(8), uint8(8), uint8(8), uint8(0), uint8(8), 2560*480)
	f.Add(83, 50, 250, 24, uint8(0), uint8(8), uint8(8), uint8(8), uint8(16), uint8(8), 250*50)
	f.Add(16, 16, 32, 15, uint8(10), uint8(5), uint8(5), uint8(5), uint8(0), uint8(5), 32*16)
	f.Add(2600, 1290, 2600*4, 32, uint8(20), uint8(10), uint8(10), uint8(10), uint8(0), uint8(10), 2600*1290*4)
	f.Add(-1, 1<<62, 1<<61, 16, uint8(255), uint8(255), uint8(5), uint8(6), uint8(0), uint8(0), 4096)
	f.Fuzz(func(t *testing.T, w, h, pitch, bpp int, rp, rs, gp, gs, bp, bs uint8, size int) {
		if size < 0 || size > 16<<20 {
			return
		}
		all := bytes.Repeat([]byte{guard}, size+2*around)
		var fb Framebuffer
		l := Layout{w, h, pitch, bpp, Field{rp, rs}, Field{gp, gs}, Field{bp, bs}}
		if fb.Init(l, all[around:around+size]) != nil {
			return
		}
		cols, rows := fb.Size()
		if cols < 1 || rows < 1 || cols*rows > size {
			t.Fatalf("%+v in %d bytes has %dx%d cells", l, size, cols, rows)
		}
		fb.Keep(make([]Cell, cols*rows))
		fb.Clear(0x5a5a5a)
		line := make([]Cell, cols+1)
		for i := range line {
			line[i] = Cell{Char: '@', Fg: 0xffffff, Bg: 0x5a5a5a, Attr: Underline}
		}
		for y := range rows {
			fb.Draw(0, y, line)
		}
		fb.Cursor(cols-1, rows-1, true)
		n := l.bytes()
		for i, b := range all {
			at := i - around
			if at >= 0 && at < size && at/pitch < h && at%pitch < w*n {
				continue
			}
			if b != guard {
				t.Fatalf("%+v: byte %d was written", l, at)
			}
		}
	})
}

func benchmarkRepaint(b *testing.B, l Layout, width, height int) {
	l.Width, l.Height, l.Pitch = width, height, width*l.bytes()
	var f Framebuffer
	if err := f.Init(l, make([]byte, l.Pitch*height)); err != nil {
		b.Fatal(err)
	}
	cols, rows := f.Size()
	line := make([]Cell, cols)
	for i := range line {
		line[i] = Cell{Char: rune('!' + i%90), Fg: Grey}
	}
	for b.Loop() {
		for y := range rows {
			f.Draw(0, y, line)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*cols*rows), "ns/cell")
}

func BenchmarkRepaint1920x1080(b *testing.B) { benchmarkRepaint(b, rgb888, 1920, 1080) }
func BenchmarkRepaint3840x2160(b *testing.B) { benchmarkRepaint(b, rgb888, 3840, 2160) }
func BenchmarkRepaint24bits(b *testing.B) {
	benchmarkRepaint(b, layouts["24 bits, red high"], 1920, 1080)
}

package qemu

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"
)

// checker is a font of a few characters that are easy to draw, in four steps.
func checker() *Font {
	f := NewFont(8, 16)
	f.Add(' ', func(x, y int) int { return 0 })
	for c := 'a'; c <= 'z'; c++ { // a number in binary, each digit two short lines
		n := int(c - 'a' + 1)
		f.Add(c, func(x, y int) int {
			switch {
			case x > 0 && x < 7 && y > 1 && y < 12 && n>>(y/2-1)&1 != 0:
				return 3
			case y == 1 && x == 3:
				return 1
			case y == 1 && n%3 == 0:
				return 2
			}
			return 0
		})
	}
	return f
}

// black is light on dark, blue yellow on blue.
var (
	black = color.Palette{color.RGBA{0, 0, 0, 255}, color.RGBA{85, 85, 85, 255}, color.RGBA{170, 170, 170, 255}, color.RGBA{255, 255, 255, 255}, color.RGBA{200, 0, 0, 255}}
	blue  = color.Palette{color.RGBA{0, 0, 200, 255}, color.RGBA{60, 60, 133, 255}, color.RGBA{120, 120, 67, 255}, color.RGBA{180, 180, 0, 255}, color.RGBA{255, 255, 255, 255}}
)

// draw puts lines on a picture of that size.
func draw(f *Font, colours color.Palette, width, height, scale int, lines []string) *image.Paletted {
	p := image.NewPaletted(image.Rect(0, 0, width, height), colours)
	for row, line := range lines {
		for col, r := range []rune(line) {
			for _, s := range f.list {
				if s.char != r {
					continue
				}
				for i, b := range s.levels {
					for d := range scale * scale {
						x := (col*f.Width+i%f.Width)*scale + d%scale
						y := (row*f.Height+i/f.Width)*scale + d/scale
						p.SetColorIndex(x, y, b)
					}
				}
			}
		}
	}
	return p
}

func TestRead(t *testing.T) {
	f := checker()
	lines := []string{"hello there", "", "  this is   text"}
	for _, c := range []struct{ width, height, scale int }{
		{640, 480, 1}, {1920, 1080, 2}, {1366, 768, 1}, {800, 600, 1}, {1921, 1083, 3},
	} {
		s := Read(draw(f, blue, c.width, c.height, c.scale, lines), f, NewFont(9, 14))
		if !slices.Equal(s.Lines[:3], lines) || s.Scale != c.scale || s.Unread != 0 {
			t.Errorf("%v: scale %d, %d unread, %q", c, s.Scale, s.Unread, s.Lines[:3])
		}
	}
}

func TestReadCursor(t *testing.T) {
	f := checker()
	lines := []string{"hello there", "over and out"}
	for name, change := range map[string]func(p *image.Paletted, x, y int){
		"block": func(p *image.Paletted, x, y int) { p.SetColorIndex(x, y, 3-p.ColorIndexAt(x, y)) },
		"underline": func(p *image.Paletted, x, y int) {
			if y%16 >= 14 {
				p.SetColorIndex(x, y, 3)
			}
		},
		"other": func(p *image.Paletted, x, y int) {
			if y%16 >= 14 {
				p.SetColorIndex(x, y, 4)
			}
		},
		"twice": func(p *image.Paletted, x, y int) {
			if y%16 == 12 || y%16 == 14 {
				p.SetColorIndex(x, y, 3)
			}
		},
	} {
		for _, col := range []int{0, 5, 20} {
			for _, colours := range []color.Palette{black, blue} {
				p := draw(f, colours, 640, 480, 1, lines)
				for i := range 8 * 16 {
					change(p, col*8+i%8, i/8)
				}
				if s := Read(p, f); !slices.Equal(s.Lines[:2], lines) {
					t.Errorf("%s at %d: %q", name, col, s.Lines[:2])
				}
			}
		}
	}
	// One wrong pixel is no character.
	p := draw(f, black, 640, 480, 1, lines)
	p.SetColorIndex(1, 15, 1)
	if s := Read(p, f); s.Unread != 1 || !strings.HasPrefix(s.Lines[0], string(Unread)+"ello") {
		t.Errorf("a wrong pixel: %q", s.Lines[0])
	}
}

func TestDecodePPM(t *testing.T) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "P6\n3 2\n255\n")
	b.Write([]byte{0, 0, 0, 1, 2, 3, 0, 0, 0, 9, 9, 9, 1, 2, 3, 1, 2, 3})
	p, err := decodePPM(bytes.NewReader(b.Bytes()))
	if err != nil || len(p.Palette) != 3 || p.At(1, 0) != (color.RGBA{1, 2, 3, 255}) || p.At(0, 1) != (color.RGBA{9, 9, 9, 255}) {
		t.Errorf("%v, %v", p, err)
	}
	for _, bad := range []string{"", "P5\n1 1\n255\n.", "P6\n3 2\n255\nshort", "P6\n-1 5\n255\n", "P6\n99999 99999\n255\n"} {
		if _, err := decodePPM(strings.NewReader(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestKeys(t *testing.T) {
	for c, want := range map[rune]string{'a': "a", 'A': "shift a", '!': "shift 1", ':': "shift semicolon", '\r': "ret", 3: "ctrl c", '\x1b': "esc", '|': "shift backslash", '_': "shift minus", '"': "shift apostrophe", '~': "shift grave_accent"} {
		if keys, err := keysFor(c); err != nil || strings.Join(keys, " ") != want {
			t.Errorf("%q: %v, %v; want %s", c, keys, err, want)
		}
	}
	if _, err := keysFor('ä'); err == nil {
		t.Error("a US keyboard has no ä")
	}
	for c := ' '; c < 0x7f; c++ {
		if _, err := keysFor(c); err != nil {
			t.Error(err)
		}
	}
}

package qemu

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"tamarix/arch/screen"
)

// TestReadFramebuffer reads what the kernel's own code draws: on screens of all
// sizes, in all colours, with the cursor anywhere.
func TestReadFramebuffer(t *testing.T) {
	font := KernelFont()
	vga, err := VGAFont()
	if err != nil {
		t.Skip(err)
	}
	const text = "The quick brown fox: äöü € Ж λ ┌─┬─┐ 0123456789 !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	for _, size := range [][2]int{{640, 480}, {800, 600}, {1024, 768}, {1366, 768}, {1920, 1080}, {2560, 1440}, {3840, 2160}} {
		mem := make([]byte, size[0]*size[1]*4)
		var fb screen.Framebuffer
		if err := fb.Init(screen.Layout{
			Width: size[0], Height: size[1], Pitch: size[0] * 4, BitsPerPixel: 32,
			Red: screen.Field{Pos: 16, Size: 8}, Green: screen.Field{Pos: 8, Size: 8}, Blue: screen.Field{Pos: 0, Size: 8},
		}, mem); err != nil {
			t.Fatal(err)
		}
		cols, rows := fb.Size()
		fb.Keep(make([]screen.Cell, cols*rows))
		runes := []rune(text)[:min(cols, len([]rune(text)))]
		styles := []screen.Cell{
			{Fg: 0xaaaaaa}, {Fg: 0xffffff, Bg: 0x0000aa}, {Bg: 0xaaaaaa}, {Fg: 0xaa0000, Bg: 0x00aaaa},
			{Fg: 0xffffff, Attr: screen.Bold}, {Fg: 0x55ff55, Attr: screen.Underline}, {Fg: 0xffff55, Bg: 0xaa00aa, Attr: screen.Bold | screen.Underline},
		}
		for row, style := range styles {
			var line []screen.Cell
			for _, r := range runes {
				style.Char = r
				line = append(line, style)
			}
			fb.Draw(0, row, line)
		}
		fb.Cursor(5, 1, true)
		ppm := bytes.NewBufferString(fmt.Sprintf("P6\n%d %d\n255\n", size[0], size[1]))
		for i := 0; i < len(mem); i += 4 {
			ppm.Write([]byte{mem[i+2], mem[i+1], mem[i]})
		}
		p, err := decodePPM(ppm)
		if err != nil {
			t.Fatal(err)
		}
		s := Read(p, vga, font)
		if s.Scale != screen.Scale(size[0], size[1]) || len(s.Lines) != rows {
			t.Errorf("%v: scale %d, %d lines", size, s.Scale, len(s.Lines))
			continue
		}
		for row := range styles {
			// What is on the line itself cannot be told from it.
			want, got := string(runes), s.Lines[row]
			if styles[row].Attr&screen.Underline != 0 {
				got = strings.NewReplacer("_", " ", "‗", " ").Replace(got)
				want = strings.ReplaceAll(want, "_", " ")
			}
			if got != strings.TrimRight(want, " ") {
				t.Errorf("%v, style %d:\n%s, want\n%s", size, row, got, want)
			}
		}
	}
}

// TestFontUnique says which characters look like others: what is read is then the
// first of them.
func TestFontUnique(t *testing.T) {
	font := KernelFont()
	for r := '!'; r < 0x7f; r++ {
		g, ok := screen.Glyph(r, false)
		if !ok {
			t.Errorf("no %q", r)
			continue
		}
		var levels []byte
		for _, row := range g {
			levels = append(levels, row[:]...)
		}
		if got := font.shapes[string(ranked(levels, nil))]; got != r {
			t.Errorf("%q is read as %q", r, got)
		}
	}
}

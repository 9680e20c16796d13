package qemu

import "tamarix/arch/screen"

// KernelFont is the font that the kernel draws with on a framebuffer, its bold
// characters too.
func KernelFont() *Font {
	f := NewFont(screen.CellWidth, screen.CellHeight)
	for _, bold := range []bool{false, true} {
		for _, r := range screen.Runes() {
			g, _ := screen.Glyph(r, bold)
			f.Add(r, func(x, y int) int { return int(g[y][x]) })
		}
	}
	return f
}

package qemu

import (
	"bytes"
	"fmt"
	"os"
)

// cp437 is the characters of a PC's text mode, in the font's order. Those below
// 32 have pictures too.
var cp437 = []rune(" ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼" +
	" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~⌂" +
	"ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌" +
	"█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ")

// vgaROMs is where Debian keeps the firmware of QEMU's display adapters.
const vgaROMs = "/usr/share/seabios/vgabios-stdvga.bin"

// VGAFont is the font that QEMU's VGA shows text in: that of the adapter's
// firmware, 8×16 in cells of 9×16. The ninth column repeats the eighth for the
// line characters 0xC0–0xDF.
func VGAFont() (*Font, error) {
	rom, err := os.ReadFile(vgaROMs)
	if err != nil {
		return nil, err
	}
	// The ROM does not say where its fonts are: known by its letter A.
	letter := []byte{0, 0, 0x10, 0x38, 0x6c, 0xc6, 0xc6, 0xfe, 0xc6, 0xc6, 0xc6, 0xc6, 0, 0, 0, 0}
	at := bytes.Index(rom, letter) - 16*'A'
	if at < 0 || at+256*16 > len(rom) {
		return nil, fmt.Errorf("%s: no 8×16 font in it", vgaROMs)
	}
	f := NewFont(9, 16)
	glyphs := rom[at:][:256*16]
	add := func(n int) {
		f.Add(cp437[n], func(x, y int) int {
			if x == 8 && n&0xe0 != 0xc0 {
				return 0
			}
			return int(glyphs[16*n+y] >> (7 - min(x, 7)) & 1)
		})
	}
	for n := 32; n < 256; n++ { // before the others: 0 looks like a space
		add(n)
	}
	for n := range 32 {
		add(n)
	}
	return f, nil
}

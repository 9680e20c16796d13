package screen

// upper437 holds the characters of code page 437 from 0x80 on.
var upper437 = [128]uint16{
	'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å',
	'É', 'æ', 'Æ', 'ô', 'ö', 'ò', 'û', 'ù', 'ÿ', 'Ö', 'Ü', '¢', '£', '¥', '₧', 'ƒ',
	'á', 'í', 'ó', 'ú', 'ñ', 'Ñ', 'ª', 'º', '¿', '⌐', '¬', '½', '¼', '¡', '«', '»',
	'░', '▒', '▓', '│', '┤', '╡', '╢', '╖', '╕', '╣', '║', '╗', '╝', '╜', '╛', '┐',
	'└', '┴', '┬', '├', '─', '┼', '╞', '╟', '╚', '╔', '╩', '╦', '╠', '═', '╬', '╧',
	'╨', '╤', '╥', '╙', '╘', '╒', '╓', '╫', '╪', '┘', '┌', '█', '▄', '▌', '▐', '▀',
	'α', 'ß', 'Γ', 'π', 'Σ', 'σ', 'µ', 'τ', 'Φ', 'Θ', 'Ω', 'δ', '∞', 'φ', 'ε', '∩',
	'≡', '±', '≥', '≤', '⌠', '⌡', '÷', '≈', '°', '∙', '·', '√', 'ⁿ', '²', '■', 0xa0,
}

// lower437 holds those that a screen shows for the codes below a blank.
var lower437 = [32]uint16{
	0, '☺', '☻', '♥', '♦', '♣', '♠', '•', '◘', '○', '◙', '♂', '♀', '♪', '♫', '☼',
	'►', '◄', '↕', '‼', '¶', '§', '▬', '↨', '↑', '↓', '→', '←', '∟', '↔', '▲', '▼',
}

// alike437 names, for characters that the code page lacks, one that is like it:
// pairs of the character and what is shown.
const alike437 = "" +
	"ÀAÁAÂAÃAĀAĂAĄAãaāaăaąaĆCČCćcčcĎDĐDÐDďdđdÈEÊEËEĒEĘEĚEēeęeěeĞGğgÌIÍIÎIÏIĪIİIīiıi" +
	"ĹLĽLŁLĺlľlłlŃNŇNńnňnÒOÓOÔOÕOØOŌOŐOõoøoōoőoŔRŘRŕrřrŚSŞSŠSȘSśsşsšsșsŢTŤTȚTţtťtțt" +
	"ÙUÚUÛUŪUŮUŰUūuůuűuÝYŸYýyŹZŻZŽZźzżzžz" +
	"‘'’'‚,“\"”\"„\"–-—-―-‐-‑-−-…_•·×x¦|©c®r€E⁄/‹<›>¯-¨\"´'¸,¹1³3∗*∘°" +
	"━─┃│╌─╍─┄─┅─┈─┉─╎│╏│┆│┇│┊│┋│╭┌╮┐╯┘╰└┏┌┓┐┗└┛┘┣├┫┤┳┬┻┴╋┼╱/╲\\╳X" +
	"╴─╵│╶─╷│╸─╹│╺─╻│╼─╽│╾─╿│▁_▂▄▃▄▅▄▆▄▇█▉█▊█▋▌▍▌▎▌▏│▔▀▕▐◆♦◇♦●•□■▪■▫■▶►◀◄△▲▽▼" +
	"⎺─⎻─⎼─⎽_μ\u00b5✓√⇐←⇒→⇑↑⇓↓"

// missing437 is shown for characters that have nothing like them: a box.
const missing437 = 0xfe

// codePage437 returns the code of a character.
func codePage437(r rune) uint8 {
	if r >= ' ' && r <= '~' {
		return uint8(r)
	}
	if r == 0 {
		return ' '
	}
	if c, ok := exact437(r); ok {
		return c
	}
	if r >= 0x2800 && r <= 0x28ff { // Braille: a dot
		return 0xfa
	}
	// Characters in pairs; the second is ASCII or one of the code page.
	first, match := true, false
	for _, c := range alike437 {
		switch {
		case first:
			match = c == r
		case match && c < 0x80:
			return uint8(c)
		case match:
			if code, ok := exact437(c); ok {
				return code
			}
			return missing437
		}
		first = !first
	}
	return missing437
}

// exact437 returns the code of a character of the code page.
func exact437(r rune) (uint8, bool) {
	for i, c := range upper437 {
		if rune(c) == r {
			return uint8(0x80 + i), true
		}
	}
	for i, c := range lower437 {
		if rune(c) == r {
			return uint8(i), true
		}
	}
	return 0, false
}

package screen

// Error is why a framebuffer cannot be used. It is a constant string so that it
// exists before the Go runtime does.
type Error string

func (e Error) Error() string { return string(e) }

// What Framebuffer.Init returns.
const (
	ErrDepth  Error = "framebuffer: not 15, 16, 24 or 32 bits per pixel"
	ErrField  Error = "framebuffer: a colour's bits lie outside of the pixel or of one another"
	ErrSize   Error = "framebuffer: too small or too large"
	ErrMemory Error = "framebuffer: its lines do not fit into its memory"
)

// Field says where in a pixel a colour's bits lie.
type Field struct{ Pos, Size uint8 }

// Layout says how pixels lie in memory. A pixel is a number of 15 or 16 bits
// (two bytes), 24 or 32 bits, its lowest byte first.
type Layout struct {
	Width, Height    int // pixels
	Pitch            int // bytes from one line to the next
	BitsPerPixel     int
	Red, Green, Blue Field
}

// maxSide is how many pixels a side of the screen has at most.
const maxSide = 16384

// bytes returns the size of a pixel, 0 if it is none that can be drawn.
func (l *Layout) bytes() int {
	switch l.BitsPerPixel {
	case 15, 16:
		return 2
	case 24:
		return 3
	case 32:
		return 4
	}
	return 0
}

// check returns why l cannot be drawn in size bytes of memory, or nil.
func (l *Layout) check(size int) error {
	n := l.bytes()
	if n == 0 {
		return ErrDepth
	}
	used := uint64(0)
	for _, f := range [...]Field{l.Red, l.Green, l.Blue} {
		if f.Size < 1 || f.Size > 16 || int(f.Pos)+int(f.Size) > 8*n {
			return ErrField
		}
		m := (uint64(1)<<f.Size - 1) << f.Pos
		if used&m != 0 {
			return ErrField
		}
		used |= m
	}
	if l.Width < CellWidth || l.Height < CellHeight || l.Width > maxSide || l.Height > maxSide {
		return ErrSize
	}
	if l.Pitch < l.Width*n || l.Pitch > 1<<24 || l.Pitch*(l.Height-1)+l.Width*n > size {
		return ErrMemory
	}
	return nil
}

// pixel returns a colour, 0xRRGGBB, as the number of a pixel.
func (l *Layout) pixel(rgb uint32) uint64 {
	return l.Red.of(rgb>>16) | l.Green.of(rgb>>8) | l.Blue.of(rgb)
}

// of returns the bits of an 8-bit value in its field.
func (f Field) of(v uint32) uint64 {
	w := uint64(v&0xff) * 0x101 // 16 bits, so that white stays white
	return w >> (16 - f.Size) << f.Pos
}

// Scale returns how many pixels of the screen, each way, a pixel of the font
// takes on a screen of the given size: as many as leave at least 160 columns and
// 40 rows. So it is 1 on screens less than 2560 pixels wide, 2 at 2560x1440 and
// 3 at 3840x2160, where letters are then about as large.
func Scale(width, height int) int {
	return max(1, min(width/(160*CellWidth), height/(40*CellHeight), maxScale))
}

const maxScale = 8

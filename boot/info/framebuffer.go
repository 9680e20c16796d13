package info

// parseFramebuffer reads a Multiboot2 framebuffer tag (section 3.6.12 of the
// specification). What does not add up is no framebuffer.
func parseFramebuffer(t []byte) (f Framebuffer) {
	if len(t) < 32 {
		return f
	}
	f = Framebuffer{
		Address: le64(t, 8), Pitch: le32(t, 16), Width: le32(t, 20), Height: le32(t, 24),
		BitsPerPixel: t[28],
	}
	switch t[29] {
	case 0:
		f.Kind = Indexed
	case 1:
		if len(t) < 38 {
			return Framebuffer{}
		}
		f.Kind = RGB
		f.RedPos, f.RedSize = t[32], t[33]
		f.GreenPos, f.GreenSize = t[34], t[35]
		f.BluePos, f.BlueSize = t[36], t[37]
	case 2:
		f.Kind = EGAText
		f.BitsPerPixel = 16
	}
	if !f.valid() {
		return Framebuffer{}
	}
	return f
}

// maxPixels is more than any screen has in one direction.
const maxPixels = 1 << 16

func (f *Framebuffer) valid() bool {
	if f.Kind == NoFramebuffer || f.Address == 0 || f.Width == 0 || f.Height == 0 ||
		f.Width > maxPixels || f.Height > maxPixels || f.BitsPerPixel == 0 || f.BitsPerPixel > 32 {
		return false
	}
	if uint64(f.Pitch) < (uint64(f.Width)*uint64(f.BitsPerPixel)+7)/8 || f.Size() > maxFramebuffer ||
		f.Address > 1<<52-f.Size() { // the widest physical address there is
		return false
	}
	if f.Kind != RGB {
		return true
	}
	for _, field := range [...][2]uint8{{f.RedPos, f.RedSize}, {f.GreenPos, f.GreenSize}, {f.BluePos, f.BlueSize}} {
		if field[1] == 0 || field[1] > 16 || uint(field[0])+uint(field[1]) > uint(f.BitsPerPixel) {
			return false
		}
	}
	return true
}

// maxFramebuffer is the size in bytes up to which a framebuffer is believed.
const maxFramebuffer = 1 << 30

// String returns the kind's name, for the log.
func (k FramebufferKind) String() string {
	switch k {
	case RGB:
		return "RGB"
	case EGAText:
		return "EGA text"
	case Indexed:
		return "indexed"
	}
	return "none"
}

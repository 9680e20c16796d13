package info

// Tags of the Multiboot2 boot information (Multiboot2 specification 2.0,
// section 3.6).
const (
	mbEnd         = 0
	mbCommandLine = 1
	mbModule      = 3
	mbMemoryMap   = 6
	mbFramebuffer = 8
	mbRSDP1       = 14
	mbRSDP2       = 15

	mbMaxSize = 1 << 20 // no honest loader hands over more
)

func parseMultiboot2(b *Boot, addr uint64, m Memory) error {
	h := m.Bytes(addr, 8)
	if h == nil {
		return ErrUnread
	}
	total := uint64(le32(h, 0))
	if total < 16 || total > mbMaxSize {
		return ErrTruncated
	}
	p := m.Bytes(addr, total)
	if p == nil {
		return ErrUnread
	}
	b.Reserve(addr, addr+total)
	for off := 8; off+8 <= len(p); {
		kind, size := le32(p, off), int(le32(p, off+4))
		if kind == mbEnd {
			return nil
		}
		if size < 8 || size > len(p)-off {
			return ErrTruncated
		}
		parseTag(b, kind, p[off:off+size])
		off += (size + 7) &^ 7
	}
	return ErrTruncated
}

// parseTag reads one tag, header included. A tag too short for its kind is
// skipped.
func parseTag(b *Boot, kind uint32, t []byte) {
	switch kind {
	case mbCommandLine:
		b.SetCommandLine(t[8:])
	case mbModule:
		if len(t) >= 16 {
			b.addModule(uint64(le32(t, 8)), uint64(le32(t, 12)))
		}
	case mbMemoryMap:
		if len(t) < 16 {
			return
		}
		size := int(le32(t, 8))
		if size < 24 || size > 1024 {
			return
		}
		for off := 16; off+size <= len(t); off += size {
			b.addRegion(le64(t, off), le64(t, off+8), Kind(le32(t, off+16)))
		}
	case mbFramebuffer:
		b.Framebuffer = parseFramebuffer(t)
	case mbRSDP1, mbRSDP2:
		// Both may come; the newer one is the longer one.
		if n := len(t) - 8; n <= len(b.RSDPCopy) && n > b.RSDPLen {
			copy(b.RSDPCopy[:], t[8:])
			b.RSDPLen = n
		}
	}
}

package amd64

import "encoding/binary"

// vdsoWriter puts the parts of the vDSO's image one after the other. Structures
// and numbers are those of the System V gABI, chapters 4 and 5, and, for
// versions and unwinding, of the Linux Standard Base.
type vdsoWriter struct {
	image []byte
	at    int
}

// begin goes to the next multiple of align and returns where that is.
func (w *vdsoWriter) begin(align int) int {
	w.at = (w.at + align - 1) &^ (align - 1)
	return w.at
}

func (w *vdsoWriter) bytes(p []byte) { w.at += copy(w.image[w.at:], p) }

func (w *vdsoWriter) u16(v ...uint16) {
	for _, x := range v {
		binary.LittleEndian.PutUint16(w.image[w.at:], x)
		w.at += 2
	}
}

func (w *vdsoWriter) u32(v ...uint32) {
	for _, x := range v {
		w.patch32(w.at, x)
		w.at += 4
	}
}

func (w *vdsoWriter) u64(v ...uint64) {
	for _, x := range v {
		w.patch64(w.at, x)
		w.at += 8
	}
}

func (w *vdsoWriter) patch32(at int, v uint32) { binary.LittleEndian.PutUint32(w.image[at:], v) }
func (w *vdsoWriter) patch64(at int, v uint64) { binary.LittleEndian.PutUint64(w.image[at:], v) }

// verdef writes a version definition with one name; next is the distance to the
// next one, 0 at the last.
func (w *vdsoWriter) verdef(flags, index uint16, hash, name, next uint32) {
	w.u16(1, flags, index, 1)
	w.u32(hash, 20, next)
	w.u32(name, 0)
}

// unwind writes .eh_frame_hdr and .eh_frame for code in which the return
// address never moves from the top of the stack.
func (w *vdsoWriter) unwind(text, size int) (header, frame, end int) {
	header = w.begin(4)
	w.bytes([]byte{1, 0x1b, 0x03, 0x3b}) // pointers: relative, 32 bits; table: relative to the header
	frame = (header + 20 + 7) &^ 7
	fde := frame + 24
	w.u32(uint32(frame-w.at), 1, uint32(text-header), uint32(fde-header))
	w.at = frame
	w.u32(20, 0) // CIE
	w.bytes([]byte{1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b,
		0x0c, 7, 8, // the frame's address is RSP + 8
		0x90, 1, // the return address is at that - 8
		0, 0})
	w.u32(20, uint32(w.at+4-frame), uint32(text-(w.at+8)), uint32(size))
	w.bytes([]byte{0, 0, 0, 0, 0, 0, 0, 0})
	w.u32(0)
	return header, frame, w.at
}

// vdsoSection is an entry of the section table; addresses are file offsets.
type vdsoSection struct {
	name       string
	kind       uint32
	flags      uint64
	at, size   int
	link, info uint32
	align      uint64
	entry      uint64
}

// sections writes the section table: the null section, the given ones, and the
// names. It returns the table's offset.
func (w *vdsoWriter) sections(list []vdsoSection) int {
	names := []byte{0}
	strtab := w.begin(1)
	list = append(list, vdsoSection{name: ".shstrtab", kind: 3, at: strtab, align: 1})
	var offsets []uint32
	for _, s := range list {
		offsets = append(offsets, uint32(len(names)))
		names = append(append(names, s.name...), 0)
	}
	list[len(list)-1].size = len(names)
	w.bytes(names)
	table := w.begin(8)
	w.at += 64
	for i, s := range list {
		addr := uint64(s.at)
		if s.flags == 0 {
			addr = 0
		}
		w.u32(offsets[i], s.kind)
		w.u64(s.flags, addr, uint64(s.at), uint64(s.size))
		w.u32(s.link, s.info)
		w.u64(s.align, s.entry)
	}
	return table
}

// header writes the ELF header for n sections with the table at sections.
func (w *vdsoWriter) header(sections, n int) {
	w.at = 0
	w.bytes([]byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	w.u16(3, 62) // ET_DYN, EM_X86_64
	w.u32(1)
	w.u64(0, 64, uint64(sections))
	w.u32(0)
	w.u16(64, 56, 4, 64, uint16(n), uint16(n-1))
}

// program writes program header i.
func (w *vdsoWriter) program(i int, kind, flags uint32, at, size, align int) {
	w.at = 64 + 56*i
	w.u32(kind, flags)
	w.u64(uint64(at), uint64(at), uint64(at), uint64(size), uint64(size), uint64(align))
}

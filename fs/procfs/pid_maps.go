package procfs

import (
	"encoding/binary"
	"strings"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/fs"
	"tamarix/mm"
)

// mapLine writes a mapping as maps shows it, the name in column 73.
func mapLine(w *writer, v *mm.VMAInfo) {
	flag := func(bit int, c byte) byte {
		if v.Prot&bit != 0 {
			return c
		}
		return '-'
	}
	share := byte('p')
	if v.Shared {
		share = 's'
	}
	var b strings.Builder
	head := writer{limit: 256}
	head.printf("%08x-%08x %c%c%c%c %08x %02x:%02x %d ", v.Start, v.End,
		flag(unix.PROT_READ, 'r'), flag(unix.PROT_WRITE, 'w'), flag(unix.PROT_EXEC, 'x'), share,
		v.Offset, unix.Major(v.Dev), unix.Minor(v.Dev), v.Ino)
	b.Write(head.buf.Bytes())
	if v.Name != "" {
		for b.Len() < 73 {
			b.WriteByte(' ')
		}
		b.WriteString(strings.ReplaceAll(v.Name, "\n", "\\012"))
	}
	b.WriteByte('\n')
	w.print(b.String())
}

func maps(_ *fs.Context, d *dir, w *writer) error {
	as := d.proc.AddressSpace()
	if as == nil {
		return nil
	}
	defer as.Unref()
	as.EachVMA(false, func(v mm.VMAInfo) { mapLine(w, &v) })
	return nil
}

// figures writes the lines that smaps and smaps_rollup have in common.
func figures(w *writer, v *mm.VMAInfo, rollup bool) {
	line := func(name string, bytes uint64) { w.printf("%-15s %8d kB\n", name+":", bytes>>10) }
	line("Rss", v.RSS)
	line("Pss", v.PSS)
	line("Pss_Dirty", min(v.PSS, v.PrivateDirty+v.SharedDirty))
	if rollup {
		line("Pss_Anon", min(v.PSS, v.Anonymous))
		line("Pss_File", v.PSS-min(v.PSS, v.Anonymous))
		line("Pss_Shmem", 0)
	}
	line("Shared_Clean", v.SharedClean)
	line("Shared_Dirty", v.SharedDirty)
	line("Private_Clean", v.PrivateClean)
	line("Private_Dirty", v.PrivateDirty)
	line("Referenced", v.Referenced)
	line("Anonymous", v.Anonymous)
	line("KSM", 0)
	line("LazyFree", 0)
	line("AnonHugePages", 0)
	line("ShmemPmdMapped", 0)
	line("FilePmdMapped", 0)
	line("Shared_Hugetlb", 0)
	line("Private_Hugetlb", 0)
	line("Swap", 0)
	line("SwapPss", 0)
	line("Locked", v.Locked)
}

func smaps(_ *fs.Context, d *dir, w *writer) error {
	as := d.proc.AddressSpace()
	if as == nil {
		return nil
	}
	defer as.Unref()
	as.EachVMA(true, func(v mm.VMAInfo) {
		mapLine(w, &v)
		w.printf("%-15s %8d kB\n", "Size:", (v.End-v.Start)>>10)
		w.printf("%-15s %8d kB\n%-15s %8d kB\n", "KernelPageSize:", pageKB, "MMUPageSize:", pageKB)
		figures(w, &v, false)
		w.printf("THPeligible:    %8d\nVmFlags: %s\n", 0, v.Flags)
	})
	return nil
}

func smapsRollup(_ *fs.Context, d *dir, w *writer) error {
	as := d.proc.AddressSpace()
	if as == nil {
		return unix.ESRCH
	}
	defer as.Unref()
	var t mm.VMAInfo
	first := true
	as.EachVMA(true, func(v mm.VMAInfo) {
		if first {
			t.Start, first = v.Start, false
		}
		t.End = v.End
		t.RSS += v.RSS
		t.PSS += v.PSS
		t.SharedClean += v.SharedClean
		t.SharedDirty += v.SharedDirty
		t.PrivateClean += v.PrivateClean
		t.PrivateDirty += v.PrivateDirty
		t.Referenced += v.Referenced
		t.Anonymous += v.Anonymous
		t.Locked += v.Locked
	})
	t.Name = "[rollup]"
	mapLine(w, &t)
	figures(w, &t, true)
	return nil
}

// memFile is an open /proc/PID/mem: the process's memory by address.
type memFile struct {
	fs.BaseOps
	as *mm.AddressSpace // holds a reference; nil: the process had none
}

func newMem(d *dir, e *entry) fs.Inode {
	return d.newFile(e, func(ctx *fs.Context, _ *fs.File) (fs.FileOps, error) {
		if err := mayTrace(ctx, d.p.src, d.proc); err != nil {
			return nil, err
		}
		return &memFile{as: d.proc.AddressSpace()}, nil
	})
}

// Release implements fs.FileOps.
func (m *memFile) Release(*fs.File) {
	if m.as != nil {
		m.as.Unref()
	}
}

// transfer moves data by pages between it and the memory from *pos on.
func (m *memFile) transfer(ctx *fs.Context, it *mm.Iter, pos *int64, move func(addr uint64, p []byte) (int, error)) (int, error) {
	if m.as == nil {
		return 0, nil
	}
	page := make([]byte, arch.PageSize)
	total := 0
	for it.Len() > 0 && !ctx.Thread.Killed() {
		n, err := move(uint64(*pos), page[:min(it.Len(), len(page))])
		total += n
		*pos += int64(n)
		if err != nil || n == 0 {
			if total > 0 {
				return total, nil
			}
			if err == unix.EFAULT {
				err = unix.EIO
			}
			return 0, err
		}
	}
	return total, nil
}

// Read implements fs.FileOps.
func (m *memFile) Read(ctx *fs.Context, _ *fs.File, it *mm.Iter, pos *int64) (int, error) {
	return m.transfer(ctx, it, pos, func(addr uint64, p []byte) (int, error) {
		n, err := m.as.ReadRemote(addr, p)
		if n == 0 {
			if err == nil {
				err = unix.EIO
			}
			return 0, err
		}
		return it.CopyTo(p[:n])
	})
}

// Write implements fs.FileOps: past write protection, as a debugger needs it.
func (m *memFile) Write(ctx *fs.Context, _ *fs.File, it *mm.Iter, pos *int64) (int, error) {
	return m.transfer(ctx, it, pos, func(addr uint64, p []byte) (int, error) {
		n, err := it.CopyFrom(p)
		if n == 0 {
			return 0, err
		}
		k, err := m.as.ForceWrite(addr, p[:n])
		it.Revert(n - k)
		if k == 0 && err == nil {
			err = unix.EIO
		}
		return k, err
	})
}

// Seek implements fs.FileOps: any address is a position.
func (m *memFile) Seek(_ *fs.Context, f *fs.File, off int64, whence int) (int64, error) {
	switch whence {
	case unix.SEEK_SET:
		return off, nil
	case unix.SEEK_CUR:
		return f.Pos() + off, nil
	}
	return 0, unix.EINVAL
}

// pagemap is an open /proc/PID/pagemap: one 64-bit word for each page of the
// address space (Documentation/admin-guide/mm/pagemap.rst of Linux).
type pagemap struct {
	memFile
	frames bool // the opener may see frame numbers
}

// Bits of a pagemap entry.
const (
	pagemapPresent = 1 << 63
	pagemapFile    = 1 << 61 // of a file, or shared anonymous
	pagemapOne     = 1 << 56 // mapped exactly once
	pagemapFrame   = 1<<55 - 1
)

func newPagemap(d *dir, e *entry) fs.Inode {
	return d.newFile(e, func(ctx *fs.Context, _ *fs.File) (fs.FileOps, error) {
		if err := mayTrace(ctx, d.p.src, d.proc); err != nil {
			return nil, err
		}
		return &pagemap{memFile{as: d.proc.AddressSpace()}, ctx.Cred.Capable(unix.CAP_SYS_ADMIN)}, nil
	})
}

// Write implements fs.FileOps.
func (*pagemap) Write(*fs.Context, *fs.File, *mm.Iter, *int64) (int, error) { return 0, unix.EINVAL }

// Read implements fs.FileOps.
func (m *pagemap) Read(ctx *fs.Context, _ *fs.File, it *mm.Iter, pos *int64) (int, error) {
	if m.as == nil {
		return 0, nil
	}
	if *pos%8 != 0 || it.Len()%8 != 0 {
		return 0, unix.EINVAL
	}
	total := 0
	chunk := make([]byte, 0, arch.PageSize)
	for it.Len() > 0 && !ctx.Thread.Killed() {
		chunk = chunk[:0]
		for len(chunk) < min(it.Len(), arch.PageSize) {
			page := uint64(*pos)/8 + uint64(len(chunk)/8)
			if page >= arch.UserTop/arch.PageSize {
				break
			}
			chunk = binary.LittleEndian.AppendUint64(chunk, m.entry(page*arch.PageSize))
		}
		if len(chunk) == 0 {
			break
		}
		n, err := it.CopyTo(chunk)
		total += n
		*pos += int64(n)
		if err != nil {
			if total > 0 {
				break
			}
			return 0, err
		}
	}
	return total, nil
}

// entry describes the page at addr. It looks at the page table without a lock:
// the answer may be old by the time it is read, as the format allows.
func (m *pagemap) entry(addr uint64) uint64 {
	frame, file, once, ok := m.as.PageAt(addr)
	if !ok {
		return 0
	}
	v := uint64(pagemapPresent)
	if file {
		v |= pagemapFile
	}
	if once {
		v |= pagemapOne
	}
	if m.frames {
		v |= uint64(frame) >> arch.PageShift & pagemapFrame
	}
	return v
}

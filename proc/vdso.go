package proc

import (
	"sync"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/mm"
)

// vdso is the object that holds the vDSO: page 0 its data, page 1 its code.
// It is made at the first exec and stays.
var vdso struct {
	mu     sync.Mutex // guards object
	object *mm.Object
}

// vdsoObject returns the object with a reference for the caller.
func vdsoObject() (*mm.Object, error) {
	vdso.mu.Lock()
	defer vdso.mu.Unlock()
	if vdso.object == nil {
		o := mm.NewSharedMemory(2 * arch.PageSize)
		content := make([]byte, arch.PageSize, 2*arch.PageSize)
		content = append(content, arch.BuildVDSO()...)
		it := mm.BytesIter(content)
		if n, err := o.WriteAt(&it, 0); n != len(content) {
			o.Unref()
			if err == nil {
				err = unix.ENOMEM
			}
			return nil, err
		}
		f, ok := o.Lookup(0)
		if !ok {
			o.Unref()
			return nil, unix.ENOMEM
		}
		arch.SetVDSOData(f) // our reference keeps the page for ever
		vdso.object = o
	}
	vdso.object.Ref()
	return vdso.object, nil
}

// MapVDSO maps the vDSO into as and returns its address, for AT_SYSINFO_EHDR.
func MapVDSO(as *mm.AddressSpace) (uint64, error) {
	o, err := vdsoObject()
	if err != nil {
		return 0, err
	}
	defer o.Unref()
	const rx = unix.PROT_READ | unix.PROT_EXEC
	base, err := as.Mmap(mm.MmapRequest{
		Len:   2 * arch.PageSize,
		Prot:  rx,
		Flags: unix.MAP_PRIVATE, Object: o, Name: "[vdso]",
	})
	if err != nil {
		return 0, err
	}
	// The code may be changed by debuggers, in a copy; the data by nobody.
	_, err = as.Mmap(mm.MmapRequest{
		Addr: base, Len: arch.PageSize,
		Prot: unix.PROT_READ, MaxProt: unix.PROT_READ,
		Flags: unix.MAP_PRIVATE | unix.MAP_FIXED, Object: o, Name: "[vvar]",
	})
	if err != nil {
		return 0, err
	}
	return base + arch.PageSize, nil
}

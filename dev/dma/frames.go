package dma

import (
	"unsafe"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
)

// Frames is the machine's allocator: frames of the kernel, in the direct map.
var Frames Allocator = frames{}

type frames struct{}

// Alloc implements [Allocator].
func (frames) Alloc(size int, limit uint64) (*Memory, error) {
	o := order(size)
	if o < 0 {
		return nil, unix.EINVAL
	}
	if limit == 0 {
		limit = ^uint64(0)
	}
	f, ok := arch.AllocPagesBelow(o, arch.UseKernel, limit)
	if !ok {
		return nil, unix.ENOMEM
	}
	for i := range arch.Frame(1) << o {
		arch.ZeroPage(f + i*PageSize)
	}
	return &Memory{
		phys:  uint64(f),
		words: unsafe.Slice(&f.Words()[0], PageSize<<o/8),
		free: func() {
			for i := range arch.Frame(1) << o {
				(f + i*PageSize).Unref()
			}
		},
	}, nil
}

package mm

import (
	"iter"

	arch "tamarix/arch/amd64"
)

// chunkPages is how many pages of an Object one chunk of its index covers.
const chunkPages = 64

// chunk is the index of chunkPages consecutive pages; 0 is a page that is not
// there.
type chunk struct {
	frames [chunkPages]arch.Frame
	n      int // frames that are there
}

// chunkIndex finds chunks by the number of their first page / chunkPages. Most
// files are near alone; far keeps a sparse one from costing more than its
// pages do. A nil index is empty.
type chunkIndex struct {
	near []*chunk          // the first, at most nearChunks of them
	far  map[uint64]*chunk // the rest; made on first use
}

// nearChunks covers 128 MiB.
const nearChunks = 512

// get returns chunk k or nil.
func (x *chunkIndex) get(k uint64) *chunk {
	switch {
	case x == nil:
		return nil
	case k < uint64(len(x.near)):
		return x.near[k]
	case k < nearChunks:
		return nil
	}
	return x.far[k]
}

// set enters c as chunk k; nil takes it out.
func (x *chunkIndex) set(k uint64, c *chunk) {
	switch {
	case k >= nearChunks && c == nil:
		delete(x.far, k)
	case k >= nearChunks:
		if x.far == nil {
			x.far = make(map[uint64]*chunk)
		}
		x.far[k] = c
	case k < uint64(len(x.near)):
		x.near[k] = c
	case c != nil:
		for uint64(len(x.near)) < k {
			x.near = append(x.near, nil)
		}
		x.near = append(x.near, c)
	}
}

// all yields the chunks with their numbers, in no order. The one just yielded
// may be taken out.
func (x *chunkIndex) all() iter.Seq2[uint64, *chunk] {
	return func(yield func(uint64, *chunk) bool) {
		if x == nil {
			return
		}
		for k, c := range x.near {
			if c != nil && !yield(uint64(k), c) {
				return
			}
		}
		for k, c := range x.far {
			if !yield(k, c) {
				return
			}
		}
	}
}

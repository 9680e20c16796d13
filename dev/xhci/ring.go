package xhci

import "tamarix/dev/dma"

// trb is an entry of a ring; the cycle bit is the ring's.
type trb struct {
	param   uint64
	status  uint32
	control uint32
}

func (t trb) kind() int     { return int(t.control >> trbTypeShift & 63) }
func (t trb) code() int     { return int(t.status >> 24) }
func (t trb) slot() int     { return int(t.control >> slotShift) }
func (t trb) endpoint() int { return int(t.control >> endpointShift & 31) }

// ringEntries is how many entries a ring of one page has; the last one of a ring
// that the driver fills is the link to the first.
const (
	trbSize     = 16
	ringEntries = dma.PageSize / trbSize
)

// ring is one that the driver fills. Its owner guards it. It is never full: there
// are always fewer entries under way than it has.
type ring struct {
	mem   *dma.Memory
	next  int
	cycle uint32
}

// newRing makes an empty ring of a zeroed page.
func newRing(mem *dma.Memory) *ring { return &ring{mem: mem, cycle: trbCycle} }

// at returns where the next entry goes, and the cycle bit it needs, in the form
// that commands take.
func (r *ring) at() uint64 { return r.mem.Phys(r.next*trbSize) | uint64(r.cycle) }

// push puts entries on the ring and returns their physical addresses. The
// controller may take them once the first one is whole, which is written last.
func (r *ring) push(list ...trb) []uint64 {
	where := make([]uint64, len(list))
	first, firstControl := 0, uint32(0)
	for i, t := range list {
		off := r.next * trbSize
		where[i] = r.mem.Phys(off)
		r.mem.Store64(off, t.param)
		r.mem.Store32(off+8, t.status)
		if i == 0 {
			first, firstControl = off+12, t.control|r.cycle
		} else {
			r.mem.Store32(off+12, t.control|r.cycle)
		}
		if r.next++; r.next == ringEntries-1 {
			off := r.next * trbSize
			r.mem.Store64(off, r.mem.Phys(0))
			r.mem.Store32(off+12, trbLink<<trbTypeShift|flagToggle|r.cycle)
			r.next, r.cycle = 0, r.cycle^trbCycle
		}
	}
	r.mem.Store32(first, firstControl)
	return where
}

// eventRing is the one that the controller fills, of one segment.
type eventRing struct {
	mem   *dma.Memory
	next  int
	cycle uint32
}

// take returns the next event, if there is one.
func (r *eventRing) take() (t trb, ok bool) {
	off := r.next * trbSize
	t.control = r.mem.Load32(off + 12)
	if t.control&trbCycle != r.cycle {
		return t, false
	}
	t.param, t.status = r.mem.Load64(off), r.mem.Load32(off+8)
	if r.next++; r.next == ringEntries {
		r.next, r.cycle = 0, r.cycle^trbCycle
	}
	return t, true
}

// dequeue returns where the driver is, for the controller.
func (r *eventRing) dequeue() uint64 { return r.mem.Phys(r.next * trbSize) }

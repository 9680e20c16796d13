package mm

import (
	"sync/atomic"

	arch "tamarix/arch/amd64"
)

// Usage counts what the memory system did for one task (getrusage(2),
// /proc/PID/stat). The fault path adds to it; anyone may read it.
type Usage struct {
	MinorFaults atomic.Uint64 // faults answered without waiting for a device
	MajorFaults atomic.Uint64 // faults that had to read a page in
	COWCopies   atomic.Uint64 // pages copied because somebody else had them too
	COWClaims   atomic.Uint64 // pages taken over by their last owner, uncopied
	ZeroFills   atomic.Uint64 // pages given out cleared
}

// VMStat is the global account of the memory system, under the names of
// /proc/vmstat where Linux has one. Counts are since boot; page counts are
// present numbers.
type VMStat struct {
	PgFault     uint64 // all faults
	PgMajFault  uint64 // faults that read a page in
	COWCopies   uint64 // pages copied
	COWClaims   uint64 // pages claimed by their last owner
	ZeroFills   uint64 // pages handed out cleared
	TableShares uint64 // last-level page tables that fork gave to the child as they are
	TableCopies uint64 // last-level page tables copied because they were shared
	ForkCopied  uint64 // page-table entries copied by fork
	PgFree      uint64 // user frames given back by unmapping
	Shootdowns  uint64 // TLB flushes that had to interrupt another CPU
	PTPages     uint64 // page-table pages in use
	Reclaimed   uint64 // page-cache pages dropped under pressure
	OOMKills    uint64 // calls of the OutOfMemory hook that found a victim
	RSSAnon     uint64 // entries of page tables that show anonymous pages
	Mapped      uint64 // entries that show pages of Objects
	Spaces      uint64 // address spaces
	Frames      arch.FrameStats
}

// counters is what one address space counts; the sums over all of them, plus
// retired, make VMStat. Counting per address space keeps parallel faults of
// different processes off each other's cache lines.
type counters struct {
	faults      atomic.Uint64
	major       atomic.Uint64
	cowCopies   atomic.Uint64
	cowClaims   atomic.Uint64
	zeroFills   atomic.Uint64
	tableShares atomic.Uint64
	tableCopies atomic.Uint64
	forkCopied  atomic.Uint64
	freed       atomic.Uint64
}

// counter is a number of pages.
type counter = atomic.Int64

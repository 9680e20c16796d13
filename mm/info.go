package mm

import (
	"strings"

	arch "tamarix/arch/amd64"

	"golang.org/x/sys/unix"
)

// VMAInfo describes one VMA as /proc/PID/maps and smaps show it (proc(5)).
type VMAInfo struct {
	Start, End uint64
	Prot       int // unix.PROT_*
	Shared     bool
	Offset     uint64 // bytes into the file
	Dev, Ino   uint64
	Name       string
	Flags      string // smaps' VmFlags

	// What smaps adds, in bytes; zero unless asked for.
	RSS, PSS                                             uint64
	SharedClean, SharedDirty, PrivateClean, PrivateDirty uint64
	Referenced, Anonymous, Locked                        uint64
}

// infoBatch is how many VMAs EachVMA looks at under one hold of mu.
const infoBatch = 64

// EachVMA calls fn for each VMA in order of address; pages says whether to
// look at every page for the figures of smaps. fn is called without a lock, so
// what it sees is true of each VMA, not of all of them at one moment.
func (as *AddressSpace) EachVMA(pages bool, fn func(VMAInfo)) {
	type item struct {
		info    VMAInfo
		backing Backing
	}
	batch := make([]item, 0, infoBatch)
	for at := uint64(0); ; {
		batch = batch[:0]
		as.mu.RLock()
		for v := as.vmas.find(at); v != nil && len(batch) < infoBatch; v = v.next {
			it := item{as.describe(v), v.backing}
			if it.backing != nil {
				it.backing.MapRef()
			}
			if pages {
				as.measure(v, &it.info)
			}
			batch = append(batch, it)
			at = v.end
		}
		as.mu.RUnlock()
		for i := range batch {
			it := &batch[i]
			if it.backing != nil {
				it.info.Name, it.info.Dev, it.info.Ino = it.backing.MapInfo()
				it.backing.MapUnref()
			}
			fn(it.info)
		}
		if len(batch) < infoBatch {
			return
		}
	}
}

// describe fills in what the VMA itself tells. Precondition: mu held.
func (as *AddressSpace) describe(v *vma) VMAInfo {
	info := VMAInfo{
		Start: v.start, End: v.end, Prot: int(v.prot), Shared: v.is(vmShared),
		Name: v.name, Flags: v.flagNames(),
	}
	l := &as.layout
	switch {
	case v.backing != nil:
		info.Offset = v.pgoff << arch.PageShift
	case v.name != "":
	case v.obj != nil:
		info.Offset = v.pgoff << arch.PageShift
		info.Name = "/dev/zero (deleted)" // as shared anonymous memory shows on Linux
	case v.start <= as.brk && v.end >= l.StartBrk && l.StartBrk != as.brk:
		info.Name = "[heap]"
	case v.start <= l.StartStack && l.StartStack < v.end:
		info.Name = "[stack]"
	}
	return info
}

// flagNames returns the two-letter flags of smaps.
func (v *vma) flagNames() string {
	var b strings.Builder
	add := func(on bool, name string) {
		if on {
			b.WriteString(name)
			b.WriteByte(' ')
		}
	}
	add(v.prot&unix.PROT_READ != 0, "rd")
	add(v.prot&unix.PROT_WRITE != 0, "wr")
	add(v.prot&unix.PROT_EXEC != 0, "ex")
	add(v.is(vmShared), "sh")
	add(v.maxProt&unix.PROT_READ != 0, "mr")
	add(v.maxProt&unix.PROT_WRITE != 0, "mw")
	add(v.maxProt&unix.PROT_EXEC != 0, "me")
	add(v.is(vmShared) && v.maxProt&unix.PROT_WRITE != 0, "ms")
	add(v.is(vmGrowsDown), "gd")
	add(v.is(vmLocked), "lo")
	add(v.is(vmSeqRead), "sr")
	add(v.is(vmRandRead), "rr")
	add(v.is(vmDontFork), "dc")
	add(v.isData() && !v.is(vmNoReserve), "ac")
	add(v.is(vmNoReserve), "nr")
	add(v.is(vmWipeOnFork), "wf")
	add(v.is(vmDontDump), "dd")
	add(v.is(vmHugePage), "hg")
	add(v.is(vmNoHugePage), "nh")
	add(v.is(vmMergeable), "mg")
	return b.String()
}

// measure looks at every page of v. Precondition: mu held.
func (as *AddressSpace) measure(v *vma, info *VMAInfo) {
	const page = arch.PageSize
	pss := uint64(0) // in 1/4096 of a byte, so that shares do not round away
	as.eachEntry(v.start, v.end, func(va uint64, p *arch.PTE, e arch.PTE) {
		if !pteHasFrame(e) {
			return
		}
		f := e.Frame()
		owners := uint64(max(f.Refs()-1+as.pt.LeafFrame(va).Refs(), 1))
		anon := f.Use() == arch.UseAnon
		if !anon && owners > 1 {
			owners-- // the page cache's own reference
		}
		info.RSS += page
		pss += page << 12 / owners
		dirty := e.Dirty() && (anon || v.is(vmShared)) || f.Flags()&frameDirty != 0
		switch {
		case owners > 1 && dirty:
			info.SharedDirty += page
		case owners > 1:
			info.SharedClean += page
		case dirty:
			info.PrivateDirty += page
		default:
			info.PrivateClean += page
		}
		if anon {
			info.Anonymous += page
		}
		if e.Accessed() {
			info.Referenced += page
		}
	})
	info.PSS = pss >> 12
	if v.is(vmLocked) {
		info.Locked = info.PSS
	}
}

// Stats are the figures of one address space. Sizes are in pages.
type Stats struct {
	RSSAnon, RSSFile, RSSShmem uint64 // resident pages by kind (/proc/PID/status)
	PeakRSS                    uint64 // the most they ever were together (VmHWM)
	TotalVM, PeakVM            uint64 // VmSize, VmPeak
	DataVM, StackVM, ExecVM    uint64
	LockedVM                   uint64
	PageTables                 uint64 // page-table pages
	VMAs                       uint64

	MinorFaults, MajorFaults uint64
	COWCopies, COWClaims     uint64
	ZeroFills                uint64
	TableShares, TableCopies uint64 // last-level tables shared by its forks, and copied by it since
	ForkCopied               uint64 // page-table entries copied by its forks
}

// RSS returns the resident pages of all kinds.
func (s Stats) RSS() uint64 { return s.RSSAnon + s.RSSFile + s.RSSShmem }

// Stats returns the figures of this moment.
func (as *AddressSpace) Stats() Stats {
	as.notePeak()
	as.mu.RLock()
	defer as.mu.RUnlock()
	c := &as.counters
	s := Stats{
		RSSAnon: positive(as.rssAnon.Load()), RSSFile: positive(as.rssFile.Load()),
		RSSShmem: positive(as.rssShmem.Load()), PeakRSS: positive(as.peakRSS.Load()),
		TotalVM: as.totalVM, PeakVM: as.peakVM, DataVM: as.dataVM, StackVM: as.stackVM,
		ExecVM: as.execVM, LockedVM: as.lockedVM,
		PageTables: uint64(as.pt.Tables()), VMAs: uint64(as.vmas.n),
		MajorFaults: c.major.Load(),
		COWCopies:   c.cowCopies.Load(), COWClaims: c.cowClaims.Load(),
		ZeroFills: c.zeroFills.Load(), TableShares: c.tableShares.Load(), TableCopies: c.tableCopies.Load(),
		ForkCopied: c.forkCopied.Load(),
	}
	s.MinorFaults = c.faults.Load() - s.MajorFaults
	return s
}

func positive(n int64) uint64 { return uint64(max(n, 0)) }

// RSSPages returns the number of resident pages: for the OOM killer, cheaply
// and without a lock.
func (as *AddressSpace) RSSPages() uint64 { return positive(as.rss()) }

// addTo adds the counts to s.
func (c *counters) addTo(s *VMStat) {
	s.PgFault += c.faults.Load()
	s.PgMajFault += c.major.Load()
	s.COWCopies += c.cowCopies.Load()
	s.COWClaims += c.cowClaims.Load()
	s.ZeroFills += c.zeroFills.Load()
	s.TableShares += c.tableShares.Load()
	s.TableCopies += c.tableCopies.Load()
	s.ForkCopied += c.forkCopied.Load()
	s.PgFree += c.freed.Load()
}

// retire takes a dead address space off the list and keeps its counts.
func retire(as *AddressSpace) {
	spaces.mu.Lock()
	as.counters.addTo(&spaces.retired)
	if as.prevSpace != nil {
		as.prevSpace.nextSpace = as.nextSpace
	} else {
		spaces.first = as.nextSpace
	}
	if as.nextSpace != nil {
		as.nextSpace.prevSpace = as.prevSpace
	}
	spaces.n--
	spaces.mu.Unlock()
}

// ReadVMStat returns the global account.
func ReadVMStat() VMStat {
	spaces.mu.Lock()
	s := spaces.retired
	for as := spaces.first; as != nil; as = as.nextSpace {
		as.counters.addTo(&s)
		s.RSSAnon += positive(as.rssAnon.Load())
		s.Mapped += positive(as.rssFile.Load()) + positive(as.rssShmem.Load())
	}
	s.Spaces = uint64(spaces.n)
	spaces.mu.Unlock()
	s.Shootdowns = arch.Shootdowns()
	s.Frames = arch.ReadFrameStats()
	s.PTPages = s.Frames.PageTable
	s.Reclaimed = reclaimed.Load()
	s.OOMKills = oomKills.Load()
	return s
}

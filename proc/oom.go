package proc

import (
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
	"tamarix/mm"
)

// The out-of-memory killer: when no page can be had, one process is killed, the
// one whose end gives back most, weighed by its oom_score_adj (proc(5)). PID 1
// is never chosen.

// OOMScoreAdjMin makes a process immune (UAPI linux/oom.h).
const (
	OOMScoreAdjMin = -1000
	OOMScoreAdjMax = 1000

	oomPatience = 2 * time.Second // how long a caller waits for a victim's memory
)

// oomKiller makes callers take turns: one victim at a time.
var oomKiller struct {
	mu     sync.Mutex   // held while a victim is chosen; outermost
	victim *ThreadGroup // the last one
}

// InitOOM has package mm call the killer.
func InitOOM() { mm.OutOfMemory = outOfMemory }

// OOMScoreAdj returns the adjustment of g's badness, -1000 to 1000.
func (g *ThreadGroup) OOMScoreAdj() int { return int(g.oomAdj.Load()) }

// SetOOMScoreAdj changes it on behalf of t: EINVAL out of range, EACCES for a
// lower one than a privileged process has set, without CAP_SYS_RESOURCE.
func (t *Task) SetOOMScoreAdj(g *ThreadGroup, adj int) error {
	if adj < OOMScoreAdjMin || adj > OOMScoreAdjMax {
		return unix.EINVAL
	}
	privileged := t.Cred().Capable(unix.CAP_SYS_RESOURCE)
	if adj < int(g.oomAdjMin.Load()) && !privileged {
		return unix.EACCES
	}
	g.oomAdj.Store(int32(adj))
	if privileged {
		g.oomAdjMin.Store(int32(adj))
	}
	return nil
}

// Badness returns how many pages g's end would give back, adjusted; 0: it is
// not to be killed. (mm/oom_kill.c, oom_badness)
func (g *ThreadGroup) Badness() int64 {
	adj := int64(g.oomAdj.Load())
	if g.PID == 1 || adj == OOMScoreAdjMin {
		return 0
	}
	as := g.anySpace()
	if as == nil {
		return 0
	}
	s := as.Stats()
	as.Unref()
	n := int64(s.RSSAnon+s.RSSFile+s.RSSShmem+s.PageTables) + adj*int64(arch.ReadFrameStats().Total)/1000
	return max(n, 1)
}

// OOMScore is /proc/PID/oom_score: badness in thousandths of memory, on a scale
// where an adjustment of 0 is in the middle.
func (g *ThreadGroup) OOMScore() int {
	n := g.Badness()
	if n == 0 {
		return 0
	}
	total := int64(arch.ReadFrameStats().Total)
	return int(max((1000+n*1000/max(total, 1))*2/3, 0))
}

// anySpace returns the address space of one of g's threads, with a reference.
func (g *ThreadGroup) anySpace() *mm.AddressSpace {
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	for _, t := range g.threads {
		if as := t.AddressSpace(); as != nil {
			return as
		}
	}
	return nil
}

// outOfMemory is the hook of package mm: it kills a process and waits a while
// for its memory. True: try again. as is the caller's, or nil; need says what
// for, for the log.
func outOfMemory(as *mm.AddressSpace, need string) bool {
	v, before := chooseVictim(need)
	if v == nil {
		return before > 0
	}
	return waitForMemory(v, as, before)
}

// chooseVictim returns the process that is to end, having told it so, and how
// many pages were free then. Without one, free tells whether there is memory
// after all.
func chooseVictim(need string) (v *ThreadGroup, free uint64) {
	oomKiller.mu.Lock()
	defer oomKiller.mu.Unlock()
	free = max(arch.ReadFrameStats().Free, 1)
	if mm.HaveMemory() {
		return nil, free // an earlier caller's victim has gone while we waited our turn
	}
	if v := oomKiller.victim; v != nil && v.dying() {
		return v, free
	}
	oomKiller.victim = nil
	v, score := worst()
	if v == nil {
		klog.Errorf("out of memory for %s, and no process to kill", need)
		return nil, 0
	}
	logOOM(v, score, need)
	oomKiller.victim = v
	v.sig.mu.Lock()
	v.exitLocked(int(unix.SIGKILL), nil)
	v.sig.mu.Unlock()
	return v, free
}

// OOMKill kills the process that the killer would choose now, although there is
// memory: SysRq f. It reports whether there was one.
func OOMKill() bool {
	oomKiller.mu.Lock()
	defer oomKiller.mu.Unlock()
	v, score := worst()
	if v == nil {
		return false
	}
	logOOM(v, score, "SysRq")
	v.sig.mu.Lock()
	v.exitLocked(int(unix.SIGKILL), nil)
	v.sig.mu.Unlock()
	return true
}

// worst returns the process with the greatest badness.
func worst() (victim *ThreadGroup, score int64) {
	for g := NextGroup(1); g != nil; g = NextGroup(g.PID + 1) {
		if n := g.Badness(); n > score && !g.dying() {
			victim, score = g, n
		}
	}
	return victim, score
}

// dying reports whether g has been told to end but still has memory.
func (g *ThreadGroup) dying() bool {
	g.sig.mu.Lock()
	defer g.sig.mu.Unlock()
	return g.sig.flags&groupExiting != 0 && len(g.threads) > 0
}

// waitForMemory waits until v has ended, memory has come back otherwise, or
// patience is at its end. A caller that is the victim itself does not wait: it
// has to end first.
func waitForMemory(v *ThreadGroup, as *mm.AddressSpace, before uint64) bool {
	if as != nil {
		own := v.anySpace()
		if own != nil {
			own.Unref()
		}
		if own == as {
			return true
		}
	}
	debug.FreeOSMemory()
	deadline := time.Now().Add(oomPatience)
	for v.dying() && arch.ReadFrameStats().Free < before+256 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	return true
}

func logOOM(v *ThreadGroup, score int64, need string) {
	f := arch.ReadFrameStats()
	klog.Errorf("out of memory for %s: %d KiB free of %d; anonymous %d, page cache %d, page tables %d, kernel %d KiB",
		need, f.Free*4, f.Total*4, f.Anon*4, f.Cache*4, f.PageTable*4, f.Kernel*4)
	var s mm.Stats
	if as := v.anySpace(); as != nil {
		s = as.Stats()
		as.Unref()
	}
	klog.Errorf("killed process %d (%s): score %d, total-vm %d kB, anon-rss %d kB, file-rss %d kB, shmem-rss %d kB, uid %d, pgtables %d kB, oom_score_adj %d",
		v.PID, v.Leader.Comm(), score, s.TotalVM*4, s.RSSAnon*4, s.RSSFile*4, s.RSSShmem*4, v.Leader.Cred().UID, s.PageTables*4, v.OOMScoreAdj())
}

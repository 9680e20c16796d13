package procfs

import (
	"math"
	"runtime/debug"
	"runtime/metrics"
	"sync"

	arch "tamarix/arch/amd64"
)

// goFigures are the lines of /proc/tamarix/gostat that are figures of package
// runtime/metrics as they are. Reading them does not stop the kernel.
var goFigures = [...]struct{ name, metric string }{
	{"mallocs", "/gc/heap/allocs:objects"},
	{"malloc_bytes", "/gc/heap/allocs:bytes"},
	{"tiny_mallocs", "/gc/heap/tiny/allocs:objects"}, // not among mallocs: parts of a 16-byte block
	{"frees", "/gc/heap/frees:objects"},
	{"heap_objects", "/gc/heap/objects:objects"},
	{"heap_bytes", "/memory/classes/heap/objects:bytes"},
	{"heap_live_bytes", "/gc/heap/live:bytes"}, // at the end of the last cycle
	{"heap_goal_bytes", "/gc/heap/goal:bytes"},
	{"stack_bytes", "/memory/classes/heap/stacks:bytes"},
	{"memory_bytes", "/memory/classes/total:bytes"}, // address space, much of it without pages
	{"released_bytes", "/memory/classes/heap/released:bytes"},
	{"gogc_percent", "/gc/gogc:percent"},
	{"limit_bytes", "/gc/gomemlimit:bytes"},
	{"goroutines", "/sched/goroutines:goroutines"},
	{"gc_cycles", "/gc/cycles/total:gc-cycles"},
}

// goTimes are those that are times in seconds; shown in ns. They grow at the end
// of each cycle of the collector.
var goTimes = [...]struct{ name, metric string }{
	{"gc_cpu_ns", "/cpu/classes/gc/total:cpu-seconds"},
	{"gc_idle_cpu_ns", "/cpu/classes/gc/mark/idle:cpu-seconds"}, // of gc_cpu_ns, by CPUs without work
	{"gc_assist_cpu_ns", "/cpu/classes/gc/mark/assist:cpu-seconds"},
	{"gc_pause_cpu_ns", "/cpu/classes/gc/pause:cpu-seconds"},
}

const goPauses = "/sched/pauses/total/gc:seconds"

// goPauseMax is the longest pause seen so far.
var goPauseMax struct {
	mu sync.Mutex // leaf but for the runtime's
	ns int64
}

// goStat writes /proc/tamarix/gostat: how the kernel's own Go runtime is doing.
func goStat(_ *FS, w *writer) {
	samples := make([]metrics.Sample, 0, len(goFigures)+len(goTimes)+1)
	for _, f := range goFigures {
		samples = append(samples, metrics.Sample{Name: f.metric})
	}
	for _, f := range goTimes {
		samples = append(samples, metrics.Sample{Name: f.metric})
	}
	samples = append(samples, metrics.Sample{Name: goPauses})
	metrics.Read(samples)
	for i, f := range goFigures {
		if v := samples[i].Value; v.Kind() == metrics.KindUint64 {
			w.printf("%s %d\n", f.name, v.Uint64())
		}
	}
	samples = samples[len(goFigures):]
	gc := int64(0)
	for i, f := range goTimes {
		if v := samples[i].Value; v.Kind() == metrics.KindFloat64 {
			ns := int64(v.Float64() * second)
			w.printf("%s %d\n", f.name, ns)
			switch i {
			case 0:
				gc += ns
			case 1:
				gc -= ns
			}
		}
	}
	if v := samples[len(goTimes)].Value; v.Kind() == metrics.KindFloat64Histogram {
		count, longest := pauses(v.Float64Histogram())
		w.printf("gc_pauses %d\ngc_pause_max_ns %d\n", count, longest)
	}
	kernel := int64(0)
	for i := range arch.NumCPU() {
		_, s, _ := arch.CPUTimes(i)
		kernel += s
	}
	w.printf("kernel_cpu_ns %d\ngc_share_percent %.2f\n", kernel, 100*float64(gc)/float64(max(kernel, 1)))
}

// pauses returns how many pauses there were and how long the longest was, in ns:
// exactly if it is among the last 256 now or was so at an earlier look, else to
// the lower bound of its class.
func pauses(h *metrics.Float64Histogram) (count uint64, longest int64) {
	for i, n := range h.Counts {
		count += n
		if low := h.Buckets[i]; n > 0 && !math.IsInf(low, 0) {
			longest = int64(low * second)
		}
	}
	m := &goPauseMax
	m.mu.Lock()
	defer m.mu.Unlock()
	var recent debug.GCStats
	debug.ReadGCStats(&recent)
	for _, p := range recent.Pause {
		m.ns = max(m.ns, int64(p))
	}
	m.ns = max(m.ns, longest)
	return count, m.ns
}

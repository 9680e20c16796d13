package main

import (
	"bufio"
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/google/pprof/profile"
)

// collector matches the functions of the Go runtime that are the garbage
// collector's: marking, by its own goroutines and by those that allocate, write
// barriers, sweeping, giving memory back, finalizers.
var collector = regexp.MustCompile(`^(runtime\.)?(gc(BgMarkWorker|AssistAlloc|Start|MarkDone|MarkTermination|Drain|WriteBarrier)\w*|wbBufFlush\w*|bgsweep|bgscavenge|sweepone|\(\*sweepLocked\)\.sweep|deductSweepCredit|(runFinalizers|runfinq|runCleanups))$`)

// collectorShare returns the percentage of the kernel's samples in which the
// garbage collector was at work.
func collectorShare(p *profile.Profile) float64 {
	var all, gc int64
	for _, s := range p.Sample {
		if s.Location[0].Mapping == nil {
			continue // ring 3, or idle
		}
		all += s.Value[0]
		for _, l := range s.Location {
			if l.Line != nil && collector.MatchString(l.Line[len(l.Line)-1].Function.Name) {
				gc += s.Value[0]
				break
			}
		}
	}
	return percent(gc, all)
}

// goStats reads the copies of /proc/tamarix/gostat in a log, each of which begins
// with mallocs.
func goStats(log []byte) (list []map[string]int64) {
	in := bufio.NewScanner(bytes.NewReader(log))
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		name, value, _ := strings.Cut(strings.TrimSpace(in.Text()), " ")
		n, err := strconv.ParseInt(value, 10, 64)
		if name == "mallocs" && err == nil {
			list = append(list, map[string]int64{})
		}
		if len(list) > 0 && err == nil {
			list[len(list)-1][name] = n
		}
	}
	return list
}

// collectorReport says what the collector did between the first copy of gostat
// and the last; "" if there are not two.
func collectorReport(log []byte) string {
	list := goStats(log)
	if len(list) < 2 {
		return ""
	}
	a, b := list[0], list[len(list)-1]
	d := func(name string) int64 { return b[name] - a[name] }
	return fmt.Sprintf("%d cycles, %d allocations of %d KiB, %.2f %% of the kernel's time by the runtime's account; longest pause since the start %.3f ms",
		d("gc_cycles"), d("mallocs")+d("tiny_mallocs"), d("malloc_bytes")>>10,
		percent(d("gc_cpu_ns")-d("gc_idle_cpu_ns"), d("kernel_cpu_ns")), float64(b["gc_pause_max_ns"])/1e6)
}

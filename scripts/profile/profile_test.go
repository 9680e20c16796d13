package main

import (
	"os"
	"strings"
	"testing"
)

const kernelFile = "../../out/tamarix.debug"

func TestParse(t *testing.T) {
	const log = `[    0.1] something
tamarix-profile 1
rate 1
end
PROFILE BEGIN
tamarix-profile 1
rate 2000
ns 5
cpus 2
lost 4
late idle 0 user 7 kernel 50
idle 9
user 3 sh
[    1.0] the kernel says something
kernel 2 ffff800001001000 0 a
kernel 1
end
PROFILE END
tamarix-profile 1
cut off`
	s, err := parse(strings.NewReader(strings.ReplaceAll(log, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	if s.rate != 2000 || s.ns != 5 || s.cpus != 2 || s.lost != 4 || len(s.stacks) != 4 {
		t.Errorf("got %+v", s)
	}
	if k := s.stacks[2]; k.kind != "kernel" || k.count != 2 || len(k.words) != 3 || k.words[2] != 10 {
		t.Errorf("got %+v", k)
	}
	for _, bad := range []string{"", "tamarix-profile 2\nend\n", "tamarix-profile 1\nkernel x\nend\n", "tamarix-profile 1\nkernel 1 xyz\nend\n"} {
		if _, err := parse(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is taken for a profile", bad)
		}
	}
}

func TestParseHeap(t *testing.T) {
	s, err := parse(strings.NewReader("tamarix-heap 1\nrate 1\nalloc 3 48 1 16 ffff800001001000 a\nalloc 1 2 3 4\nend\n"))
	if err != nil {
		t.Fatal(err)
	}
	if k := s.stacks[0]; !s.heap || len(s.stacks) != 2 || k.heap != [4]int64{3, 48, 1, 16} || len(k.words) != 2 || k.words[1] != 10 {
		t.Errorf("got %+v", s)
	}
	if _, err := parse(strings.NewReader("tamarix-heap 1\nalloc 3 48 1\nend\n")); err == nil {
		t.Error("a line without all its numbers is accepted")
	}
	p := convert(s, &symbols{}, "", &sources{found: map[string]string{}})
	if err := p.CheckValid(); err != nil || len(p.Sample) != 1 || p.Sample[0].Value[3] != 32 {
		t.Errorf("%v, %v", err, p)
	}
}

// TestRules reads what Go's linker writes for a function with a frame of 24 bytes.
func TestRules(t *testing.T) {
	code := []byte{
		0x40 | 4, cfaDefineOffsetSF, 0x7c, // after 4 bytes: -4 * -4
		cfaAdvance1, 0x80, cfaDefineOffsetSF, 0x78,
		cfaAdvance2, 0x00, 0x01, cfaDefineOffsetSF, 0x7e,
		cfaNop, cfaNop,
	}
	var got []frameRule
	r := reader{code}
	if err := r.rules(1000, -4, func(at uint64, above int64) { got = append(got, frameRule{at, above}) }); err != nil {
		t.Fatal(err)
	}
	want := []frameRule{{1004, 16}, {1132, 32}, {1388, 8}}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %v, want %v", got, want)
	}
	r = reader{[]byte{0x3f}}
	if err := r.rules(0, 1, func(uint64, int64) {}); err == nil {
		t.Error("an unknown instruction is accepted")
	}
}

// TestConvert makes a profile of samples in the kernel as it is built.
func TestConvert(t *testing.T) {
	if _, err := os.Stat(kernelFile); err != nil {
		t.Skip("no kernel to look at: make kernel")
	}
	y, err := readSymbols(kernelFile)
	if err != nil {
		t.Fatal(err)
	}
	var entry, run, leaf *function
	for i := range y.funcs {
		switch f := &y.funcs[i]; f.name {
		case "tamarix/proc.(*Task).run":
			run = f
		case "tamarix/arch/amd64.enterUserCode":
			leaf = f
		case "tamarix/proc.(*Task).main":
			entry = f
		}
	}
	if entry == nil || run == nil || leaf == nil {
		t.Fatal("functions are missing: have they been renamed?")
	}
	top := run.low + 40 // as if it had returned there
	s := &samples{rate: 1000, stacks: []stack{
		{kind: "kernel", count: 3, words: []uint64{leaf.low, top, 0, entry.low + 30}},
		{kind: "kernel", count: 1, words: []uint64{run.high - 1, top, 0, entry.low + 30}},
		{kind: "user", count: 5, comm: "sh"},
		{kind: "idle", count: 2},
	}}
	p := convert(s, y, kernelFile, &sources{"../..", "", "", map[string]string{}})
	if err := p.CheckValid(); err != nil {
		t.Fatal(err)
	}
	names := func(i int) string {
		var list []string
		for _, l := range p.Sample[i].Location {
			list = append(list, l.Line[len(l.Line)-1].Function.Name)
		}
		return strings.Join(list, " ")
	}
	// enterUserCode has no frame: its caller is the word on top of the stack.
	for i, want := range []string{
		"tamarix/arch/amd64.enterUserCode tamarix/proc.(*Task).run tamarix/proc.(*Task).main",
		"", "user:sh user", "idle",
	} {
		if got := names(i); want != "" && got != want {
			t.Errorf("sample %d: %s, want %s", i, got, want)
		}
	}
	if v := p.Sample[0].Value; v[0] != 3 || v[1] != 3_000_000 {
		t.Errorf("values %v", v)
	}
	for _, l := range p.Sample[0].Location {
		line := l.Line[len(l.Line)-1]
		if line.Line == 0 || !strings.HasPrefix(line.Function.Filename, "../../") {
			t.Errorf("%s: %s:%d", line.Function.Name, line.Function.Filename, line.Line)
		}
	}
	inlined := 0
	for i := range y.funcs {
		inlined += len(y.funcs[i].inlined)
	}
	if inlined < 1000 {
		t.Errorf("%d inlined calls in the whole kernel", inlined)
	}
}

func TestCollector(t *testing.T) {
	for name, want := range map[string]bool{
		"runtime.gcBgMarkWorker": true, "runtime.gcAssistAlloc": true, "gcWriteBarrier": true, "runtime.gcWriteBarrier2": true,
		"runtime.(*sweepLocked).sweep": true, "runtime.wbBufFlush1": true, "runtime.bgsweep": true,
		"runtime.mallocgc": false, "runtime.schedule": false, "runtime.gcController": false,
	} {
		if collector.MatchString(name) != want {
			t.Errorf("%s: %v, want %v", name, !want, want)
		}
	}
	const log = "x\nmallocs 10\ntiny_mallocs 0\nmalloc_bytes 1024\ngc_cycles 1\nkernel_cpu_ns 100\ngc_cpu_ns 10\ngc_pause_max_ns 5000\n" +
		"mallocs 30\ntiny_mallocs 5\nmalloc_bytes 4096\ngc_cycles 3\nkernel_cpu_ns 300\ngc_cpu_ns 14\ngc_pause_max_ns 7000\n"
	const want = "2 cycles, 25 allocations of 3 KiB, 2.00 % of the kernel's time by the runtime's account; longest pause since the start 0.007 ms"
	if got := collectorReport([]byte(log)); got != want {
		t.Errorf("got %q", got)
	}
}

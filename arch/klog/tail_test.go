package klog

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestTail(t *testing.T) {
	var g ring
	want := ""
	for i := range 1000 {
		at := time.Duration(i) * 12345678912 * time.Nanosecond
		text := fmt.Sprintf("record %d %s", i, strings.Repeat("x", i%(maxText-20)))
		g.append(Info, Kernel, text, at)
		want += string(AppendPrefix(nil, at)) + text + "\n"
	}
	for _, size := range []int{0, 1, 40, 500, 4 << 10, 64 << 10, 1 << 20} {
		p := make([]byte, size+1)
		p[size] = 0xa5
		n := g.tail(p[:size:size])
		got := string(p[:n])
		if !strings.HasSuffix(want, got) || n > 0 && got[0] != '[' {
			t.Fatalf("%d bytes: %.100q is not the end of the log", size, got)
		}
		if size == 4<<10 && n < 2<<10 || size >= 64<<10 && n < size/2 && n < textSize {
			t.Errorf("only %d bytes where %d fit", n, size)
		}
		if p[size] != 0xa5 {
			t.Errorf("%d bytes: written beyond them", size)
		}
		if a := testing.AllocsPerRun(5, func() { g.tail(p[:size]) }); a != 0 {
			t.Errorf("%v allocations", a)
		}
	}
	g.append(Info, Kernel, "two\nlines\x1b", 0)
	var p [64]byte
	if got := string(p[:g.tail(p[:])]); got != "[    0.000000] two lines \n" {
		t.Errorf("%q", got)
	}
}

// TestTailOfAnEmptyLog also has nothing to count backwards from.
func TestTailOfAnEmptyLog(t *testing.T) {
	var g ring
	if n := g.tail(make([]byte, 100)); n != 0 {
		t.Errorf("%d bytes", n)
	}
}

package klog

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestReadReturnsWhatWasWritten(t *testing.T) {
	seq := Next()
	Warnf("disk %d is %s", 3, "slow")
	Write(Err, "line\n")
	r, next, ok := Read(seq)
	if !ok || r.Seq != seq || r.Level != Warning || r.Text != "disk 3 is slow" {
		t.Fatalf("Read(%d) = %+v, %v", seq, r, ok)
	}
	r, next, ok = Read(next)
	if !ok || r.Text != "line" || r.Level != Err {
		t.Fatalf("second record: %+v, %v", r, ok)
	}
	if _, _, ok = Read(next); ok {
		t.Fatal("a record that nobody wrote")
	}
}

func TestOldRecordsGiveWay(t *testing.T) {
	for i := range 3 * maxRecords {
		Write(Debug, fmt.Sprintf("%d %s", i, strings.Repeat("x", i%maxText)))
	}
	n, bytes := 0, 0
	last := -1
	for seq := First(); ; {
		r, next, ok := Read(seq)
		if !ok {
			break
		}
		var i int
		fmt.Sscan(r.Text, &i)
		if last >= 0 && i != last+1 {
			t.Fatalf("record %d follows %d", i, last)
		}
		last, seq = i, next
		n++
		bytes += len(r.Text)
	}
	if last != 3*maxRecords-1 || n > maxRecords || bytes > textSize {
		t.Fatalf("last %d, %d records, %d bytes", last, n, bytes)
	}
}

func TestConsoleGetsImportantRecords(t *testing.T) {
	var mu sync.Mutex
	var out strings.Builder
	SetConsoleLevel(0)
	SetConsole(func(p []byte) { mu.Lock(); out.Write(p); mu.Unlock() })
	defer SetConsole(nil)
	SetConsoleLevel(Warning)
	Write(Warning, "not shown")
	Write(Err, "shown\ntwice")
	if s := out.String(); strings.Contains(s, "not shown") || strings.Count(s, "] ") != 2 {
		t.Fatalf("console got %q", s)
	}
}

// TestLoud has two who want everything printed at once, while a third changes the
// level: that is what holds in the end, whoever ends first.
func TestLoud(t *testing.T) {
	var out strings.Builder
	SetConsoleLevel(0)
	SetConsole(func(p []byte) { out.Write(p) })
	defer SetConsole(nil)
	SetConsoleLevel(Warning)
	first := Loud()
	second := Loud()
	if l := SetConsoleLevel(Err); l != Warning {
		t.Errorf("the level was %d", l)
	}
	first()
	Write(Info, "loud")
	Write(Debug, "too loud")
	second()
	Write(Info, "quiet")
	if s := out.String(); !strings.Contains(s, "] loud") || strings.Count(s, "] ") != 1 {
		t.Errorf("console got %q", s)
	}
	if l := ConsoleLevel(); l != Err {
		t.Errorf("the level is %d", l)
	}
}

func TestManyWriters(t *testing.T) {
	var wg sync.WaitGroup
	before := Next()
	for range 8 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 500 {
				Write(Debug, "x")
			}
		}()
	}
	wg.Wait()
	if n := Next() - before; n != 8*500 {
		t.Fatalf("%d records of %d", n, 8*500)
	}
}

package screen

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func lines(m *Memory) (all []string) {
	for y := range m.Cells {
		all = append(all, m.Line(y))
	}
	return all
}

func newPrinter(cols, rows int) (*Printer, *Memory) {
	m := NewMemory(cols, rows)
	p := new(Printer)
	p.Use(Output{Memory: m})
	p.Start()
	return p, m
}

func TestPrinter(t *testing.T) {
	p, m := newPrinter(10, 4)
	p.Write("one\r\ntwo ")
	p.Write("and\nthree is too long\n")
	if got, want := lines(m), []string{"one", "two and", "three is t", "oo long"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	// One more, and the upper half shows the newest.
	p.Write("x")
	if got, want := lines(m), []string{"three is t", "oo long", "x", ""}; got[2] != "" && !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := string(p.Text()); got != "one\r\ntwo and\nthree is too long\nx" {
		t.Errorf("kept %q", got)
	}
}

func TestPrinterShowsTheNewest(t *testing.T) {
	p, m := newPrinter(20, 10)
	for i := range 5000 {
		p.Write(fmt.Sprintf("line %d\n", i))
		got := lines(m)
		for len(got) > 0 && got[len(got)-1] == "" {
			got = got[:len(got)-1]
		}
		if n := len(got); n == 0 || got[n-1] != fmt.Sprintf("line %d", i) {
			t.Fatalf("after line %d the screen ends with %q", i, got)
		}
		for k, l := range got {
			if want := fmt.Sprintf("line %d", i-len(got)+1+k); l != want {
				t.Fatalf("row %d is %q, want %q", k, l, want)
			}
		}
	}
	if n := len(p.Text()); n < textSize/2-100 || n > textSize {
		t.Errorf("%d bytes of text are kept", n)
	}
}

// crash is what the Go runtime writes, with made-up addresses.
const crash = `goroutine 19 gp=0xc000102380 m=2 mp=0xc000080008 [running]:
tamarix/kernel.provoke.func1()
	tamarix/kernel/screen.go:34 +0x2 fp=0xffffc0 sp=0xffffd0 pc=0xffff8000012
tamarix/mm.(*Space).Fault(0xc00001, {0x1, 0x2}, 0x3)
	tamarix/mm/fault.go:120 +0x44
created by tamarix/kernel.provoke in goroutine 1
	tamarix/kernel/screen.go:34 +0x1d

rax    0x0
rip    0xffff80000122a0a2
goroutine 1 [select (no cases)]:
main.main()
	boot/main.go:8 +0x1c
`

func report(cols, rows int, pieces int) *Memory {
	m := NewMemory(cols, rows)
	var r Report
	r.Use(Output{Memory: m})
	r.Begin("HEAD")
	r.Message("what is wrong")
	r.Fact("CPU", "0 of 2", 1)
	r.Registers([]string{"rip", "rsp", "rax"}, []uint64{0xffff80000122a0a2, 1, 2})
	r.Log("old\nfirst\nsecond\nthird\n", false)
	for s := crash; len(s) > 0; {
		n := min(pieces, len(s))
		r.Trace(s[:n])
		s = s[n:]
	}
	r.Log("old\nfirst\nsecond\nthird\n", true)
	r.End("stopped")
	return m
}

func TestReport(t *testing.T) {
	want := []string{
		" HEAD",
		" what is wrong",
		" CPU      0 of 2",
		" rip   ffff80000122a0a2  rsp   0000000000000001  rax   0000000000000002",
		" goroutine 19 [running]:",
		"   kernel.provoke.func1  kernel/screen.go:34",
		"   mm.(*Space).Fault  mm/fault.go:120",
		"   created by tamarix/kernel.provoke in goroutine 1  kernel/screen.go:34",
		" goroutine 1 [select (no cases)]:",
		"   main.main  boot/main.go:8",
	}
	for _, pieces := range []int{1, 7, len(crash)} {
		got := lines(report(80, 25, pieces))
		if !slices.Equal(got[:len(want)], want) {
			t.Errorf("in pieces of %d: %s", pieces, strings.Join(got, "\n"))
		}
		if end := got[20:]; !slices.Equal(end, []string{" old", " first", " second", " third", " stopped"}) {
			t.Errorf("the end is %q", end)
		}
	}
}

func TestReportCountsWhatIsLost(t *testing.T) {
	m := report(80, 9, 100)
	got := lines(m)
	if got[4] != " goroutine 19 [running]:" || got[7] != "   created by tamarix/kernel.provoke in goroutine 1  kernel/screen.go:34" {
		t.Errorf("the head is gone: %s", strings.Join(got, "\n"))
	}
	if got[8] != " Lines of the traceback left out: 2. stopped" {
		t.Errorf("last row %q", got[8])
	}
	for x, c := range m.Cells[0] {
		if c.Bg != headBg {
			t.Fatalf("column %d of the heading has background %06x", x, c.Bg)
		}
	}
}

// FuzzReport: whatever the runtime writes, on whatever screen, the report stays
// on it, and its heading and end stay.
func FuzzReport(f *testing.F) {
	f.Add(80, 25, 3, "message", "a\nb\nc\n", crash)
	f.Add(160, 50, 1, "", "", strings.Repeat("\n\t\n)\n()\ngoroutine \n\xff\xfe(", 50))
	f.Add(1, 1, 1, "x", "y", "z")
	f.Add(20, 60, 9, "é漢", strings.Repeat("é", 300), "goroutine")
	f.Fuzz(func(t *testing.T, cols, rows, pieces int, message, log, trace string) {
		if cols < 0 || cols > 300 || rows < 0 || rows > 100 || pieces < 1 || len(trace) > 1<<16 {
			return
		}
		m := NewMemory(cols, rows)
		var r Report
		r.Use(Output{Memory: m})
		r.Begin("HEAD")
		r.Message(message)
		r.Gap()
		r.Fact("name", message, 3)
		r.Registers([]string{"rax", "rbx", "rcx", "rdx", "rsi"}, []uint64{1, 2, 3, 4, 5})
		r.Log(log, false)
		for s := trace; len(s) > 0; {
			n := min(pieces, len(s))
			r.Trace(s[:n])
			s = s[n:]
		}
		r.Log(log, true)
		r.End("END")
		if rows >= 2 && cols >= 80 {
			if m.Line(0) != " HEAD" || !strings.HasSuffix(m.Line(rows-1), "END") {
				t.Errorf("first and last row: %q, %q", m.Line(0), m.Line(rows-1))
			}
		}
		if r.Lost() < 0 || r.Lost() > len(trace)+1 {
			t.Errorf("%d lines lost of %d bytes", r.Lost(), len(trace))
		}
	})
}

// FuzzPrinter: whatever is printed, in whatever pieces, the end of it is seen.
func FuzzPrinter(f *testing.F) {
	f.Add(80, 25, 5, "one\ntwo\n")
	f.Add(1, 1, 1, "abc\n\n\nd")
	f.Add(7, 3, 2, strings.Repeat("é\xff漢\n", 40))
	f.Add(10, 2, 4, strings.Repeat("long ", 5000))
	f.Fuzz(func(t *testing.T, cols, rows, pieces int, text string) {
		if cols < 1 || cols > 200 || rows < 1 || rows > 60 || pieces < 1 || len(text)/pieces > 2000 || len(text) > 1<<16 {
			return
		}
		p, m := newPrinter(cols, rows)
		for s := text; len(s) > 0; {
			n := min(pieces, len(s))
			p.Write(s[:n])
			s = s[n:]
		}
		if n := len(p.Text()); n > textSize || !strings.HasSuffix(text, string(p.Text())) || len(text) > 0 && n == 0 {
			t.Fatalf("kept %d bytes of %d", n, len(text))
		}
		p.Write("\nEND")
		if rows < 2 || cols < 3 {
			return
		}
		if all := strings.Join(lines(m), "\n"); !strings.Contains(all, "END") {
			t.Errorf("%dx%d: %q does not end with what was printed last", cols, rows, all)
		}
	})
}

package report

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"tamarix/scripts/bench/measure"
)

func TestFormat(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Time(0.5), "0.50 ns"}, {Time(265), "265 ns"}, {Time(999.6), "1.00 µs"}, {Time(1770), "1.77 µs"}, {Time(68000), "68.0 µs"},
		{Time(6.86e6), "6.86 ms"}, {Time(5.1e9), "5.10 s"}, {Time(54e9), "54.0 s"}, {Time(5400e9), "5,400 s"}, {Time(math.NaN()), "–"},
		{Instructions(45.04), "45.0"}, {Instructions(328.2), "328"}, {Instructions(6943), "6,943"}, {Instructions(11871), "11.9 k"},
		{Instructions(173900), "174 k"}, {Instructions(6.74e6), "6.74 M"}, {Instructions(1.8e9), "1.80 G"},
		{Bytes(100), "100 B"}, {Bytes(4.56 * (1 << 20)), "4.56 MiB"},
		{Factor(0.0134), "0.013"}, {Factor(0.604), "0.60"}, {Factor(1.4), "1.40"}, {Factor(12.34), "12.3"},
		{Target(0.45), "0.45"}, {Target(0), ""}, {Target(1), "1"},
		{Spread(measure.Ratio{Spread: measure.Range{Low: 0.39, High: 0.44}, Pairs: 5}), "0.39–0.44"},
		{Spread(measure.Ratio{Spread: measure.Range{Low: 1, High: 1}, Pairs: 1}), ""},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestVerdict(t *testing.T) {
	r := func(v float64) measure.Ratio { return measure.Ratio{Value: v} }
	for _, c := range []struct {
		target, instr, wall  float64
		hasInstr, hasWall    bool
		verdict, instrFactor string
	}{
		{0.4, 0.40, 0.39, true, true, Met, "0.40"},
		{0.4, 0.404, 0.39, true, true, InstrNotMet, "0.4040"},
		{0.4, 0.39, 0.41, true, true, WallNotMet, "0.39"},
		{0.4, 0.5, 0.6, true, true, NotMet, "0.50"},
		{0.4, 0.5, 0, true, false, NotMet, "0.50"},
		{0.4, 0, 0.1, false, true, Met, "0.000"},
		{0.02, 0.0224, 0.01, true, true, InstrNotMet, "0.022"},
		{0.4, 0, 0, false, false, NotMeasured, "0.000"},
		{0, 3, 3, true, true, NothingWanted, "3.00"},
	} {
		l := Line{Row: measure.Row{Target: c.target}, Instructions: r(c.instr), Wall: r(c.wall), HasInstructions: c.hasInstr, HasWall: c.hasWall}
		if got := l.Verdict(); got != c.verdict {
			t.Errorf("%+v: %q, want %q", c, got, c.verdict)
		}
		if got := l.Factor(l.Instructions); got != c.instrFactor {
			t.Errorf("%+v: %s, want %s", c, got, c.instrFactor)
		}
	}
}

// example is a run of two boots in which everything was measured; tamarix is what
// Tamarix takes where Linux takes 1000.
func example(tamarix, control float64) *measure.Set {
	s := &measure.Set{Facts: []measure.Fact{
		{Name: "Date", Value: "2026-01-02 03:04 UTC"}, {Name: "Commit", Value: "abc<b>"}, {Name: "Linux", Value: "6.1.0 (someone) #1"},
		{Name: "QEMU", Value: "7.2.22 (Debian)"}, {Name: "Host cores", Value: "2"}, {Name: "Host CPU", Value: "a CPU"},
		{Name: "Boots for wall time", Value: "2"},
	}}
	add := func(row string, cpus int, mode string, linux, tamarix float64) {
		for boot := 1; boot <= 2; boot++ {
			for kernel, v := range map[string]float64{measure.Linux: linux, measure.Tamarix: tamarix} {
				s.Samples = append(s.Samples, measure.Sample{Kernel: kernel, Mode: mode, CPUs: cpus, Boot: boot, Row: row,
					Ops: 1, Batches: 1, Min: v, Median: v, Max: v})
			}
		}
	}
	for _, r := range measure.Rows {
		if r.Group != measure.Outside {
			add(r.Name, 1, measure.Instructions, 1000, tamarix)
		}
		add(r.Name, 1, measure.Wall, 1000, tamarix)
	}
	for _, r := range measure.Controls {
		add(r.Name, 1, measure.Instructions, 1000, 1000)
		add(r.Name, 1, measure.Wall, 1000, control)
	}
	for _, r := range append(measure.Scaling, measure.ScaleControl) {
		for _, cpus := range []int{1, 2, 4} {
			add(r.Name, cpus, measure.Wall, 1000/float64(cpus), tamarix/float64(cpus))
		}
	}
	return s
}

func TestUneven(t *testing.T) {
	set := example(400, 1000)
	if why := Uneven(Scales(set)); why != "" {
		t.Errorf("an even host: %s", why)
	}
	for i, x := range set.Samples {
		if x.Row == measure.ScaleControl.Name && x.CPUs == 4 && x.Kernel == measure.Linux {
			set.Samples[i].Median *= 1.2
		}
	}
	if Uneven(Scales(set)) == "" {
		t.Error("nothing is said of an uneven host")
	}
}

// wellFormed complains about a page that is not XML where HTML may be: SVG and
// tables with all their ends.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestHTML(t *testing.T) {
	good, err := HTML(example(400, 1001))
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, good)
	for _, r := range measure.Rows {
		if !strings.Contains(good, strings.ReplaceAll(r.Title, "+", "&#43;")) && !strings.Contains(good, r.Title) {
			t.Errorf("nothing of %s", r.Title)
		}
	}
	for _, bad := range []string{"NaN", "ZgotmplZ", "%!", "<script", "http://", "https://", "abc<b>", "This run is void"} {
		if strings.Contains(good, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	void, err := HTML(example(400, 1100))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(void, "This run is void.") {
		t.Error("nothing is said of a void run")
	}
	// A run of nothing, and of one row on one kernel.
	for _, s := range []*measure.Set{{}, {Samples: []measure.Sample{{Kernel: measure.Linux, Mode: measure.Wall, CPUs: 1, Boot: 1, Row: "stat", Median: 5}}}} {
		page, err := HTML(s)
		if err != nil {
			t.Fatal(err)
		}
		wellFormed(t, page)
		if strings.Contains(page, "NaN") {
			t.Error("the page holds NaN")
		}
	}
}

func TestText(t *testing.T) {
	var b strings.Builder
	if err := Text(&b, example(400, 1100)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"THIS RUN IS VOID", `stat +1,000 +400 +0\.40 +1\.00 µs +400 ns +0\.40 +0\.40–0\.40 +0\.6 +met\n`,
		`fork of 64 MiB dirty .* 0\.05 +not met\n`, `page faults +2\.00 +4\.00 +2\.00 +4\.00 +no worse than Linux\n`} {
		if !regexp.MustCompile(want).MatchString(b.String()) {
			t.Errorf("no %s in\n%s", want, b.String())
		}
	}
}

func TestReadme(t *testing.T) {
	text := "before\n" + readmeBegin + "\nwas here\n" + readmeEnd + "\nafter\n"
	for range 2 { // the second time changes nothing
		var err error
		if text, err = replaceTable(text, readmeTable(example(400, 1000))); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(text, "before\n"+readmeBegin+"\n\n") || !strings.HasSuffix(text, "\n"+readmeEnd+"\nafter\n") ||
			strings.Contains(text, "was here") || !strings.Contains(text, "| stat | 1,000 | 400 | 0.40 | 1.00 µs | 400 ns | 0.40 | 0.6 |\n") {
			t.Fatal(text)
		}
	}
	if _, err := replaceTable("no marks", ""); err == nil {
		t.Error("a text without marks is taken")
	}
}

// TestReadmeMarks: the README has the marks.
func TestReadmeMarks(t *testing.T) {
	b, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := replaceTable(string(b), ""); err != nil {
		t.Error(err)
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	set := example(400, 1000)
	set.Samples = set.Samples[:40] // some rows only
	if err := Files(dir, set); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"table.tsv", "scaling.tsv", "report.html"} {
		b, err := os.ReadFile(dir + "/" + name)
		if err != nil || len(b) == 0 || strings.Contains(string(b), "NaN") {
			t.Errorf("%s: %v, %d bytes", name, err, len(b))
		}
	}
}

package measure

import (
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		line string
		want Said
	}{
		{"READY", Said{Kind: "READY"}},
		{"", Said{}},
		{"[    3.5] reboot: Power down", Said{}},
		{"MEM 500000 400000", Said{Kind: "MEM", Numbers: []int{500000, 400000}}},
		{"BEGIN 39", Said{Kind: "BEGIN", Numbers: []int{39}}},
		{"START stat", Said{Kind: "START", Name: "stat"}},
		{"ROW stat 2000 5 3000.10 3001.00 4000.00", Said{Kind: "ROW", Name: "stat",
			Sample: Sample{Row: "stat", Ops: 2000, Batches: 5, Min: 3000.1, Median: 3001, Max: 4000}}},
		{"SKIP compile no compiler here", Said{Kind: "SKIP", Name: "compile", Sample: Sample{Row: "compile", Note: "no compiler here"}}},
		{"FAIL brk timeout", Said{Kind: "FAIL", Name: "brk", Sample: Sample{Row: "brk", Note: "failed: timeout"}}},
	} {
		if got, err := Parse(c.line); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q: %+v, %v; want %+v", c.line, got, err, c.want)
		}
	}
	for _, line := range []string{"MEM 5", "MEM a b", "BEGIN", "START", "ROW stat 1 2 3", "ROW stat 1 2 3 4 x", "SKIP"} {
		if _, err := Parse(line); err == nil {
			t.Errorf("%q is taken", line)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		of   []float64
		want float64
	}{{[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5}, {[]float64{7}, 7}} {
		before := slices.Clone(c.of)
		if got := Median(c.of); got != c.want || !slices.Equal(before, c.of) {
			t.Errorf("median of %v: %v, want %v", before, got, c.want)
		}
	}
	if !math.IsNaN(Median(nil)) {
		t.Error("the median of nothing is something")
	}
}

// set makes a set of wall times; boots[kernel][i] is a kernel's i-th boot.
func set(row string, boots map[string][]float64) *Set {
	s := &Set{}
	for _, k := range []string{Linux, Tamarix} {
		for i, v := range boots[k] {
			s.Samples = append(s.Samples, Sample{Kernel: k, Mode: Wall, CPUs: 1, Boot: i + 1, Row: row, Min: v, Median: v, Max: v})
		}
	}
	return s
}

func TestRatio(t *testing.T) {
	s := set("stat", map[string][]float64{Linux: {100, 200, 300}, Tamarix: {50, 120, 120}})
	r, ok := s.Ratio(Wall, 1, "stat")
	if want := (Ratio{200, 120, 0.6, Range{0.4, 0.6}, 3}); !ok || r != want {
		t.Errorf("got %+v, want %+v", r, want)
	}
	// A boot that failed takes its partner out of the spread, not out of the median.
	s.Samples[0].Note = "failed"
	r, _ = s.Ratio(Wall, 1, "stat")
	if want := (Ratio{250, 120, 0.48, Range{0.4, 0.6}, 2}); r != want {
		t.Errorf("got %+v, want %+v", r, want)
	}
	if _, ok := s.Ratio(Instructions, 1, "stat"); ok {
		t.Error("figures of a mode that was not measured")
	}
}

func TestVoid(t *testing.T) {
	both := func(tamarix float64) *Set {
		s := set(Controls[0].Name, map[string][]float64{Linux: {100}, Tamarix: {tamarix}})
		s.Samples = append(s.Samples, set(Controls[1].Name, map[string][]float64{Linux: {100}, Tamarix: {100}}).Samples...)
		return s
	}
	for _, c := range []struct {
		tamarix float64
		void    bool
	}{{100, false}, {104, false}, {96, false}, {106, true}, {94, true}, {math.NaN(), true}} {
		if why := both(c.tamarix).Void(); len(why) > 0 != c.void {
			t.Errorf("%v: void %v", c.tamarix, why)
		}
	}
	if why := set("stat", map[string][]float64{Linux: {1}, Tamarix: {1}}).Void(); len(why) != len(Controls) {
		t.Errorf("without controls: %v", why)
	}
	if why := set(RAM, map[string][]float64{Linux: {1}, Tamarix: {1}}).Void(); len(why) != 0 {
		t.Errorf("nothing was measured inside the machine: %v", why)
	}
}

func TestSaveAndLoad(t *testing.T) {
	s := set("stat", map[string][]float64{Linux: {100.25}, Tamarix: {50.5}})
	s.Samples = append(s.Samples, Sample{Kernel: Tamarix, Mode: Instructions, CPUs: 4, Boot: 1, Row: "brk", Note: "not\tyet"})
	s.Facts = []Fact{{"Date", "today"}, {"Only", ""}}
	dir := t.TempDir()
	if err := s.Save(dir); err != nil {
		t.Fatal(err)
	}
	got, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	s.Samples[2].Note = "not yet"
	if !reflect.DeepEqual(got, s) {
		t.Errorf("got %+v, want %+v", got, s)
	}
}

func TestFigures(t *testing.T) {
	counts := map[string][]float64{}
	for i, row := range figureRows {
		counts[row] = []float64{float64(1000 * (i + 1)), float64(1010 * (i + 1)), float64(1020 * (i + 1))}
	}
	f := NewFigures(counts, "go1.26.8", "7.2.22")
	file := filepath.Join(t.TempDir(), "figures.tsv")
	if err := f.Save(file); err != nil {
		t.Fatal(err)
	}
	got, err := LoadFigures(file)
	if err != nil || !reflect.DeepEqual(got, f) {
		t.Fatalf("%+v, %v; want %+v", got, err, f)
	}
	if f.Rows[0].Instructions != 1010 {
		t.Errorf("the figure is %v, want the middle boot's", f.Rows[0].Instructions)
	}
	counts[figureRows[0]] = []float64{1200, 1100, 1300}
	changes, err := f.Compare(counts)
	if err != nil {
		t.Fatal(err)
	}
	if g := changes[0].Growth(); math.Abs(g-(1100.0/1010-1)) > 1e-9 {
		t.Errorf("growth %v", g)
	}
	delete(counts, figureRows[1])
	if _, err := f.Compare(counts); err == nil {
		t.Error("a row is missing and nothing is said")
	}
	for _, c := range []struct {
		goVersion, qemu string
		want            float64
	}{{"go1.26.8", "7.2.22", 0.05}, {"go1.26.9", "7.2.11", 0.05}, {"go1.27.0", "7.2.22", 0.20}, {"go1.26.8", "8.0.1", 0.20}} {
		if got := f.Allowed(c.goVersion, c.qemu); got != c.want {
			t.Errorf("%s, QEMU %s: %v, want %v", c.goVersion, c.qemu, got, c.want)
		}
	}
}

// TestRows: names are unique, groups hang together, targets make sense, and the
// committed figures are of rows that exist.
func TestRows(t *testing.T) {
	seen, group := map[string]bool{}, []string{}
	for _, r := range slices.Concat(Rows, Scaling, Controls, []Row{ScaleControl}) {
		if seen[r.Name] || r.Title == "" || r.What == "" || r.Target < 0 || r.Target > 1 || strings.ContainsAny(r.Name, " \t,") {
			t.Errorf("row %+v", r)
		}
		seen[r.Name] = true
		if r.Group != "" && (len(group) == 0 || group[len(group)-1] != r.Group) {
			group = append(group, r.Group)
		}
	}
	if !slices.Equal(group, Groups()) {
		t.Errorf("the groups of the rows are %v", group)
	}
	f, err := LoadFigures(filepath.Join("..", "figures.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range f.Rows {
		if _, ok := Find(x.Row); !ok || i >= len(figureRows) || figureRows[i] != x.Row {
			t.Errorf("%s: row %d, %s", FiguresFile, i, x.Row)
		}
	}
}

package main

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"tamarix/scripts/bench/measure"
)

func TestWanted(t *testing.T) {
	for _, c := range []struct {
		list, name string
		want       bool
	}{
		{"", "stat", true}, {"stat", "stat", true}, {"stat", "stats", false}, {"scale.", "scale.fork", true}, {"scale.", "stat", false},
		{"-untar", "stat", true}, {"-untar", "untar", false}, {"scale.,-scale.pipe", "scale.pipe", false}, {"stat,brk", "brk", true},
	} {
		if got := wanted(c.list, c.name); got != c.want {
			t.Errorf("%q, %s: %v", c.list, c.name, got)
		}
	}
}

func TestPlan(t *testing.T) {
	count := func(o options, parts ...string) map[string]int {
		s := &session{options: o, parts: parts, kernels: map[string]string{}}
		n := map[string]int{}
		for _, st := range s.plan() {
			for _, b := range st.boots {
				n[b.Name]++
				if b.number < 1 || b.number > o.n || b.CPUs < 1 || b.Limit == 0 {
					t.Errorf("%s: boot %+v", st.what, b)
				}
			}
		}
		return n
	}
	// Both kernels are booted as often as each other.
	for _, parts := range [][]string{allParts, {partWall}, {partScaling}, {partStart}, {partInstructions}} {
		n := count(options{n: 5}, parts...)
		if n[measure.Linux] == 0 || n[measure.Linux] != n[measure.Tamarix] {
			t.Errorf("%v: %v", parts, n)
		}
	}
	s := &session{options: options{n: 5, rows: "stat"}, parts: []string{partWall}, kernels: map[string]string{}}
	var order []string
	for _, st := range s.plan() {
		order = append(order, st.boots[0].Name)
		if p := st.boots[0].Append; !strings.Contains(p, "ROWS=stat,control.") {
			t.Errorf("the controls are not measured: %s", p)
		}
	}
	if len(order) != 10 || order[0] == order[1] || order[1] != order[2] {
		t.Errorf("the kernels do not take turns: %v", order)
	}
}

func TestReadBzImage(t *testing.T) {
	b := make([]byte, 0x3000)
	copy(b[0x202:], "HdrS")
	b[0x1f1] = 3
	le := binary.LittleEndian
	le.PutUint16(b[0x20e:], 0x400)
	copy(b[0x600:], "6.1.0-1-amd64 (someone)\x00")
	le.PutUint32(b[0x248:], 0x100)
	le.PutUint32(b[0x24c:], 0x1000)
	le.PutUint32(b[4*512+0x100+0x1000-4:], 12345)
	z, err := readBzImage(b)
	if err != nil || z.version != "6.1.0-1-amd64 (someone)" || z.unpacked != 12345 {
		t.Errorf("%+v, %v", z, err)
	}
	if _, err := readBzImage(b[:0x1800]); err == nil {
		t.Error("a file cut off is taken")
	}
	if _, err := readBzImage(make([]byte, 0x3000)); err == nil {
		t.Error("zeros are taken")
	}
}

func TestProgress(t *testing.T) {
	p := newProgress([]step{{what: "first", cost: 10}, {what: "second", cost: 30}})
	p.terminal = false
	p.begun = time.Now().Add(-20 * time.Second)
	p.finish(0) // at half the expected pace
	p.current, p.begun = 1, time.Now()
	if left := p.left(); left < 59*time.Second || left > 61*time.Second {
		t.Errorf("%v left", left)
	}
	p.heard(measure.Said{Kind: "BEGIN", Numbers: []int{3}})
	p.heard(measure.Said{Kind: "START", Name: "stat"})
	if line := p.line(); !strings.HasPrefix(line, "[2/2] second: stat (1 of 3); ") {
		t.Error(line)
	}
}

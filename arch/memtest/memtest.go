// Package memtest tests free memory before anybody uses it, as "memtest=" on the
// command line of Linux asks for (bootparam(7), kernel-parameters).
//
// Each pass writes one pattern over all that is free, has the caches written
// back, and reads it again. Pages that do not keep it are taken out of the
// memory map. What the kernel and the loader occupy already is not tested.
//
// It runs before the Go runtime does: nothing here allocates, and a panic would
// not be seen.
package memtest

import "tamarix/boot/info"

// A Machine is what is tested, and who is told.
type Machine interface {
	// Words returns the memory from start to end, which is part of a free run.
	Words(start, end uint64) []uint64
	// Flush returns when all that was written is in memory, not in a cache.
	Flush()
	// Pass is told that pass i of n begins, with this pattern.
	Pass(i, n int, p Pattern)
	// Step is told ten times in a pass how it gets on.
	Step()
	// Bad is told of memory that is bad.
	Bad(start, end uint64)
}

// Pattern gives each word of memory a value: Value, or its exclusive or with the
// word's address.
type Pattern struct {
	Value   uint64
	Address bool
}

// Patterns are used in turn. The first ones find most: neighbouring bits and
// words that do not stay apart, and address lines that do not count.
var Patterns = [...]Pattern{
	{0x5555555555555555, false},
	{0xaaaaaaaaaaaaaaaa, false},
	{0, true},
	{0xffffffffffffffff, true},
	{0, false},
	{0xffffffffffffffff, false},
	{0x00ff00ff00ff00ff, false},
	{0xff00ff00ff00ff00, false},
	{0x3333333333333333, false},
	{0xcccccccccccccccc, false},
	{0x0f0f0f0f0f0f0f0f, false},
	{0xf0f0f0f0f0f0f0f0, false},
	{0x00000000ffffffff, false},
	{0xffffffff00000000, false},
	{0x0123456789abcdef, true},
	{0xfedcba9876543210, true},
}

// Passes returns how many passes the command line asks for: the number of
// "memtest=", all patterns for the bare word, none for neither. ok is false
// where it says something else.
func Passes(b *info.Boot) (n int, ok bool) {
	v, given := b.Option("memtest")
	if !given {
		return 0, true
	}
	if len(v) == 0 {
		return len(Patterns), true
	}
	for _, c := range v {
		if c < '0' || c > '9' || n > maxPasses {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return min(n, maxPasses), true
}

// maxPasses is more than anybody has the patience for.
const maxPasses = 10000

// Result is what a test has found.
type Result struct {
	Passes      int
	Tested, Bad uint64 // bytes; Bad is what was taken away
}

const (
	chunk = 16 << 20 // bytes that are filled or compared in one go

	// near is how much good memory between bad pages is given up with them: the
	// map has room for a few hundred regions only.
	near = 64 << 10
)

// Run tests the free memory of b in so many passes.
func Run(b *info.Boot, m Machine, passes int) Result {
	t := tester{b: b, m: m}
	before := b.UsableSize()
	for after := uint64(0); ; {
		start, end, ok := b.NextFree(after)
		if !ok {
			break
		}
		t.total += end - start
		after = end
	}
	for i := range passes {
		p := Patterns[i%len(Patterns)]
		m.Pass(i, passes, p)
		t.done, t.told = 0, 0
		t.each(p, fill)
		m.Flush()
		t.each(p, t.compare)
		t.flushBad()
	}
	return Result{passes, t.total, before - b.UsableSize()}
}

type tester struct {
	b     *info.Boot
	m     Machine
	total uint64 // bytes in a pass
	done  uint64 // bytes filled or compared in this pass
	told  uint64 // calls of Step in this pass
	bad   info.Range
}

// each calls f for all free memory, in chunks.
func (t *tester) each(p Pattern, f func(w []uint64, at uint64, p Pattern)) {
	for after := uint64(0); ; {
		start, end, ok := t.b.NextFree(after)
		if !ok {
			return
		}
		for at := start; at < end; {
			n := min(chunk, end-at)
			f(t.m.Words(at, at+n), at, p)
			at += n
			t.done += n
			for t.told < 10 && t.done/2 >= t.total/10*(t.told+1) {
				t.told++
				t.m.Step()
			}
		}
		after = end
	}
}

// fill writes the pattern over w, which lies at the physical address at.
func fill(w []uint64, at uint64, p Pattern) {
	mask := p.mask()
	for i := range w {
		w[i] = p.Value ^ at&mask
		at += 8
	}
}

// compare looks for words that differ from the pattern.
func (t *tester) compare(w []uint64, at uint64, p Pattern) {
	mask := p.mask()
	for i := range w {
		if w[i] != p.Value^at&mask {
			t.found(at &^ (info.PageSize - 1))
		}
		at += 8
	}
}

func (p Pattern) mask() uint64 {
	if p.Address {
		return ^uint64(0)
	}
	return 0
}

// found notes a bad page; they come in order.
func (t *tester) found(page uint64) {
	if t.bad.End != 0 && page <= t.bad.End+near {
		t.bad.End = page + info.PageSize
		return
	}
	t.flushBad()
	t.bad = info.Range{Start: page, End: page + info.PageSize}
}

// flushBad takes the bad pages noted last out of the map.
func (t *tester) flushBad() {
	if t.bad.End == 0 {
		return
	}
	t.m.Bad(t.bad.Start, t.bad.End)
	t.b.Exclude(t.bad.Start, t.bad.End, info.Bad)
	t.bad = info.Range{}
}

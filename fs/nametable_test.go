package fs

import (
	"fmt"
	"strings"
	"testing"
)

// The end of a component and its hash depend on nothing that follows it.
func TestComponent(t *testing.T) {
	seen := make(map[uint64]string)
	for n := 1; n < 40; n++ {
		for i := range 20 {
			name := strings.Repeat("x", n-1) + string(rune('a'+i))
			hash := component(name).hash
			if old, ok := seen[hash]; ok && old != name {
				t.Errorf("%q and %q have one hash", old, name)
			}
			seen[hash] = name
			for _, rest := range []string{"", "/", "//", "/y", "/yyyyyyy", "/yyyyyyyyyyyyyyyyyy"} {
				if q := component(name + rest); q.s != name || q.hash != hash {
					t.Errorf("component(%q) = %q, %#x; alone its hash is %#x", name+rest, q.s, q.hash, hash)
				}
			}
		}
	}
}

// A table of many names finds them all, forgets what is dropped, and does not
// keep more negative names than it may.
func TestNameTable(t *testing.T) {
	dir := newDentry(nil, qname{})
	name := func(i int) qname { return component(fmt.Sprintf("name%d", i)) }
	ino := &InodeBase{}
	const n = 5000
	for i := range n {
		dir.add(name(i), ino)
	}
	for i := 0; i < n; i += 2 {
		dir.drop(dir.child(name(i)))
	}
	for i := range n {
		if got := dir.child(name(i)) != nil; got != (i%2 != 0) {
			t.Fatalf("name %d: found %v", i, got)
		}
	}
	dir.drop(negative) // which no table holds
	for i := range 10 * n {
		dir.add(name(n+i), nil)
	}
	table := dir.table()
	if table.n > n/2+n || table.negatives > n {
		t.Errorf("%d names, %d negative ones after misses", table.n, table.negatives)
	}
	for i := 1; i < n; i += 2 {
		if d := dir.child(name(i)); d == nil || d.node.Load() == nil {
			t.Fatalf("name %d got lost", i)
		}
	}
}

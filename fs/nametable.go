package fs

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
)

// qname is one component of a path with its hash, which the walk has computed
// while it looked for the component's end.
type qname struct {
	s    string
	hash uint64
}

// hashSeed keeps users from making names that collide; hashMul is an odd
// number without pattern (2^64 divided by the golden ratio).
var hashSeed = rand.Uint64()

const hashMul = 0x9e3779b97f4a7c15

// mix adds eight bytes of a name to its hash.
func mix(h, w uint64) uint64 {
	hi, lo := bits.Mul64(h^w, hashMul)
	return hi ^ lo
}

// component returns the part of path before its first slash. It takes eight
// bytes at a time; the last group of a name, which may be empty, is filled
// up with zeros.
func component(path string) qname {
	h, i := hashSeed, 0
	for ; i+8 <= len(path); i += 8 {
		w := load64(path[i:])
		if n := beforeSlash(w); n < 64 {
			return qname{path[:i+n>>3], mix(h, w&(1<<n-1))}
		}
		h = mix(h, w)
	}
	var w uint64
	switch rest := len(path) - i; {
	case i > 0: // the last eight bytes, less those that were taken
		w = load64(path[len(path)-8:]) >> (64 - 8*rest)
	case rest >= 4:
		w = load32(path) | load32(path[rest-4:])<<(8*(rest-4))
	case rest > 0: // one to three, perhaps the same one twice
		w = uint64(path[0]) | uint64(path[rest>>1])<<(rest>>1*8) | uint64(path[rest-1])<<(8*(rest-1))
	}
	end := len(path)
	if n := beforeSlash(w); n < 64 {
		w &= 1<<n - 1
		end = i + n>>3
	}
	return qname{path[:end], mix(h, w)}
}

// HashName returns the hash of a name without slashes, for file systems'
// own tables.
func HashName(name string) uint64 { return component(name).hash }

// beforeSlash returns how many bits of w come before the first byte that is a
// slash, 64 or more if none is: x-1 &^ x has a byte's highest bit set where x
// has its first zero byte.
func beforeSlash(w uint64) int {
	const ones, highs, slashes = 0x0101010101010101, 0x8080808080808080, 0x2f2f2f2f2f2f2f2f
	x := w ^ slashes
	return bits.TrailingZeros64((x-ones)&^x&highs) &^ 7
}

func load64(s string) uint64 { return binary.LittleEndian.Uint64([]byte(s[:8])) } // no allocation
func load32(s string) uint64 { return uint64(binary.LittleEndian.Uint32([]byte(s[:4]))) }

// label is a dentry's place in its directory's table. All but next is
// immutable: a dentry that is renamed gets a new one.
type label struct {
	qname
	d    *Dentry
	next atomic.Pointer[label]
}

// nameTable is the cached names of one directory: a hash table whose readers
// take no lock. What they may miss, because a writer is at work, the
// directory's inode lock settles (lookup.go); what they find was there.
type nameTable struct {
	buckets atomic.Pointer[[]atomic.Pointer[label]] // a power of two of them

	mu        sync.Mutex // guards all changes and what follows
	n         int        // names
	negatives int        // of them negative
}

// minBuckets is the size of a new table; minNegatives is how many negative
// dentries any directory may keep, a larger one as many as it has names.
const (
	minBuckets   = 8
	minNegatives = 64
)

func newNameTable() *nameTable {
	t := new(nameTable)
	b := make([]atomic.Pointer[label], minBuckets)
	t.buckets.Store(&b)
	return t
}

func (t *nameTable) bucket(hash uint64) *atomic.Pointer[label] {
	b := *t.buckets.Load()
	return &b[hash&uint64(len(b)-1)]
}

// find returns the dentry of a name, or nil.
func (t *nameTable) find(q qname) *Dentry {
	for l := t.bucket(q.hash).Load(); l != nil; l = l.next.Load() {
		if l.hash == q.hash && l.s == q.s {
			return l.d
		}
	}
	return nil
}

// insertLocked adds l, whose name is not there.
func (t *nameTable) insertLocked(l *label) {
	if t.n >= 2*len(*t.buckets.Load()) {
		t.growLocked()
	}
	t.n++
	head := t.bucket(l.hash)
	l.next.Store(head.Load())
	head.Store(l)
}

// growLocked moves the labels to a table four times the size.
func (t *nameTable) growLocked() {
	old := *t.buckets.Load()
	b := make([]atomic.Pointer[label], 4*len(old))
	for i := range old {
		for l := old[i].Load(); l != nil; {
			next := l.next.Load()
			head := &b[l.hash&uint64(len(b)-1)]
			l.next.Store(head.Load())
			head.Store(l)
			l = next
		}
	}
	t.buckets.Store(&b)
}

// removeLocked takes l out and reports whether it was there. l keeps its next,
// for readers that stand on it.
func (t *nameTable) removeLocked(l *label) bool {
	for at := t.bucket(l.hash); ; {
		c := at.Load()
		if c == nil {
			return false
		}
		if c == l {
			at.Store(l.next.Load())
			t.n--
			return true
		}
		at = &c.next
	}
}

// forgetNegativesLocked takes out all names that are known not to exist.
func (t *nameTable) forgetNegativesLocked() {
	for i := range *t.buckets.Load() {
		at := &(*t.buckets.Load())[i]
		for c := at.Load(); c != nil; c = at.Load() {
			if c.d.node.Load() == nil {
				at.Store(c.next.Load())
				t.n--
			} else {
				at = &c.next
			}
		}
	}
	t.negatives = 0
}

// child finds a cached name.
func (d *Dentry) child(q qname) *Dentry {
	if t := d.names.Load(); t != nil {
		return t.find(q)
	}
	return nil
}

// table returns d's table, made on first use.
func (d *Dentry) table() *nameTable {
	t := d.names.Load()
	if t == nil {
		t = newNameTable()
		if !d.names.CompareAndSwap(nil, t) {
			t = d.names.Load()
		}
	}
	return t
}

// keep returns q, whose dentry d is, in memory that stays.
func (d *Dentry) keep(q qname) qname {
	if d == negative {
		return qname{strings.Clone(q.s), q.hash}
	}
	return d.label.Load().qname
}

// add caches a name under d and returns its dentry; when another goroutine was
// faster, that one's. ino nil makes it negative. The name is cloned.
func (d *Dentry) add(q qname, ino Inode) *Dentry {
	t := d.table()
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.find(q); c != nil {
		if ino != nil && c.node.Load() == nil {
			c.attach(ino)
			t.negatives--
		}
		return c
	}
	if ino == nil && t.negatives >= max(minNegatives, t.n/2) {
		t.forgetNegativesLocked()
	}
	c := newDentry(d, qname{strings.Clone(q.s), q.hash})
	if ino != nil {
		c.attach(ino)
	} else {
		t.negatives++
	}
	t.insertLocked(c.label.Load())
	return c
}

// drop forgets child c (its name was removed or is stale).
func (d *Dentry) drop(c *Dentry) {
	t := d.table()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.removeLocked(c.label.Load()) && c.node.Load() == nil {
		t.negatives--
	}
}

// rename gives d, which no table holds, another place: in directory dir, which
// has no such name. q's name is kept.
func (d *Dentry) rename(dir *Dentry, q qname) {
	l := &label{qname: q, d: d}
	d.parent.Store(dir)
	d.label.Store(l)
	t := dir.table()
	t.mu.Lock()
	t.insertLocked(l)
	t.mu.Unlock()
}

package tmpfs

import "tamarix/fs"

// nameTable finds the entries of a directory by name: a hash table chained
// through the entries. The zero value is empty. Guarded by the directory's
// inode lock.
type nameTable struct {
	buckets []*entry // a power of two of them
	n       int
}

// find returns the entry of a name, or nil.
func (t *nameTable) find(name string) *entry {
	if t.n == 0 {
		return nil
	}
	hash := fs.HashName(name)
	e := t.buckets[hash&uint64(len(t.buckets)-1)]
	for e != nil && (e.hash != hash || e.name != name) {
		e = e.next
	}
	return e
}

// insert adds e, whose name is not there.
func (t *nameTable) insert(e *entry) {
	if t.n >= len(t.buckets) {
		t.grow()
	}
	t.n++
	e.hash = fs.HashName(e.name)
	t.link(e)
}

func (t *nameTable) link(e *entry) {
	head := &t.buckets[e.hash&uint64(len(t.buckets)-1)]
	e.next = *head
	*head = e
}

// remove takes out the entry of a name and returns it, or nil.
func (t *nameTable) remove(name string) *entry {
	e := t.find(name)
	if e == nil {
		return nil
	}
	at := &t.buckets[e.hash&uint64(len(t.buckets)-1)]
	for *at != e {
		at = &(*at).next
	}
	*at = e.next
	e.next = nil
	t.n--
	return e
}

func (t *nameTable) grow() {
	old := t.buckets
	t.buckets = make([]*entry, max(8, 4*len(old)))
	for _, e := range old {
		for e != nil {
			next := e.next
			t.link(e)
			e = next
		}
	}
}

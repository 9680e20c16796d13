// Package mm is the memory of user processes: what they have mapped, which
// page is where, what a page fault means, and the page cache.
//
// # The pieces
//
// An AddressSpace is a set of VMAs (vma.go, vmatree.go) and a page table (of
// arch/amd64). A VMA is a run of pages with one protection and one origin:
// anonymous private memory, or an Object. An Object (object.go) is memory that
// several can see: the page cache of a file, the content of a tmpfs file,
// shared anonymous memory. Frames come from arch/amd64 and carry a reference
// count; each page-table entry that shows a frame is one reference, each
// Object that holds it is one more.
//
// # The path of a page fault
//
// arch's trap stub returns to the task's goroutine with "page fault"; its loop
// calls AddressSpace.Fault (fault.go), which finds the VMA and calls resolve.
// That is the whole policy, top to bottom: no right → signal; empty entry and
// anonymous → a cleared frame, or for a read the common page of zeros; empty
// entry and an Object → its page, and with it those neighbours that are in the
// page cache already; a write to a read-only entry → claim the page as its
// last owner, or copy it.
//
// # Fork
//
// Fork (fork.go) copies VMAs, but no page and, of a process of any size, few
// page-table entries: a leaf table with many private pages, or with program text
// only, is shared by parent and child, write-protected one level up and counted
// (leaf.go); a table that an earlier fork has shared is shared once more without
// a look into it. The first write under it copies the table, the next ones copy
// pages; the last owner of table or page claims it. Of other tables the entries
// are copied, those of private pages write-protected on both sides; pages of an
// Object beyond a few are not entered: the child faults them in.
//
// # Who may change an entry
//
// With mu in read mode an entry may only go forward, by compare-and-swap:
// empty → page, read-only → writable, page → its private copy. Taking an
// entry away or narrowing it needs mu in write mode. So a reader that sees a
// page in an entry knows, as long as it holds mu for writing, that the entry's
// reference keeps the frame; one that holds it for reading must be content
// with a compare-and-swap that fails.
//
// An entry in a leaf table that is shared must not be changed at all, but for
// losing its write permission: whoever wants to change one makes the table its
// own first (ownLeaf), with mu in write mode.
//
// A frame goes back to the allocator only after every CPU has forgotten its
// translations (gather in zap.go): clear, flush, free.
//
// # Lock order
//
//	locks of fs and proc
//	  AddressSpace.mu          VMAs and the right to take entries away
//	                           (fork: the parent's, then the child's)
//	    Object.mapMu           list of VMAs that show the Object
//	    paged.mu               list of Objects with a Pager
//	      Object.mu            index of pages, size
//	        frame allocator
//	spaces.mu                  list of address spaces; a leaf
//
// Object.readMu is taken with none of these held; a Pager may sleep and take
// locks of fs under it. User memory is touched only with none of these held,
// since touching it may fault, and a fault takes AddressSpace.mu. References
// to files and Objects are dropped after mu is released (release in space.go).
//
// # When memory ends
//
// Allocations for users stop at the kernel's reserve (arch/amd64). Then clean
// pages of the page cache that can be read again are dropped, then the kernel's
// own heap gives back what it has collected, and if that is not enough the
// OutOfMemory hook, which is proc's, kills a process (oom.go). System calls
// that make the kernel's heap grow ask Admit first, which does the same once
// half of the reserve is gone. No path ends in a panic.
//
// Sources: mmap(2), munmap(2), mprotect(2), mremap(2), brk(2), madvise(2),
// mincore(2), msync(2), mlock(2), fork(2), futex(2), proc(5); Intel SDM volume
// 3, chapters 4.7 (page-fault exceptions) and 4.10 (TLBs).
package mm

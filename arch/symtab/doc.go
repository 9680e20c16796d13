// Package symtab finds the function, file and line of an address of code, in the
// table that the Go linker puts into every program for its runtime.
//
// The runtime has functions for that too, but they need a runtime that works. A
// [Table] needs nothing: it does not allocate, takes no lock, checks every
// offset, and can be used in any context, before the runtime has started and
// after it has failed. The format is that of debug/gosym's LineTable for Go 1.20
// and later (design: go.dev/s/go12symtab).
package symtab

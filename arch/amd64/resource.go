package amd64

// Resource is a range of physical addresses, or of I/O ports, that something is
// at. End is not included.
type Resource struct {
	Start, End uint64
	Name       string
}

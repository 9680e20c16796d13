// Package amd64 is the machine: everything of Tamarix that knows what an
// x86-64 CPU is, and the host under the kernel's own Go runtime.
package amd64

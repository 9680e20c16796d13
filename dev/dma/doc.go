// Package dma gives drivers memory that devices read and write: physically
// contiguous, page-aligned, zeroed. A [Memory] is used by offsets that are
// checked; what leaves the package is the physical address for the device.
//
// x86 keeps caches coherent with devices and keeps stores in order, so that
// there is nothing to flush. Words that device and driver exchange (ring
// entries) are read and written atomically, so that neither the compiler nor a
// test's race detector sees a torn or reordered access.
//
// Devices use physical addresses: an IOMMU, which firmware leaves off as a rule, is
// not looked for. Where one is on and keeps a device from memory, the device's
// driver sees it fail.
//
// The machine's allocator takes frames from arch; [NewArena] makes one of
// ordinary memory for tests, in which a model of a device finds what a physical
// address means.
package dma

//go:build tamarix

package amd64

import "fmt"

// AuditMappings walks the kernel's page table and reports the first mapping
// that must not be: writable and executable at once, open to users, or in the
// lower half.
func AuditMappings() error {
	if readCR0()&cr0WP == 0 {
		return fmt.Errorf("ring 0 may write read-only pages")
	}
	return auditLevel(kernelRoot, 0, 39, true, noExec != 0)
}

// auditLevel checks table t, which covers addresses from base on. writable is
// what the levels above allow.
func auditLevel(t Frame, base uint64, shift uint, writable, executable bool) error {
	for i := range uint64(512) {
		e := LoadPTE(entry(t, i<<shift, shift))
		if !e.Present() {
			continue
		}
		va := base + i<<shift
		if shift == 39 && i >= 256 {
			va |= 0xffff << 48
		}
		if shift == 39 && i < 256 {
			return fmt.Errorf("%#x: the kernel's table maps the lower half", va)
		}
		w, x := writable && e.Writable(), executable && !e.NX()
		if shift > PageShift && e&pteLarge == 0 {
			if err := auditLevel(e.Frame(), va, shift-indexBits, w, x); err != nil {
				return err
			}
			continue
		}
		if e.User() {
			return fmt.Errorf("%#x: open to users", va)
		}
		if w && x {
			return fmt.Errorf("%#x: writable and executable", va)
		}
	}
	return nil
}

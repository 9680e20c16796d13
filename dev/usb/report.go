package usb

import (
	"slices"

	"tamarix/dev/kbd"
)

// Usages of page 7 (HUT 10) that are no keys: the keyboard cannot tell which keys
// are down, or it has failed.
const lastErrorUsage = 3

// reportSize is the size of a keyboard's report in the boot protocol (HID B.1).
const reportSize = 8

// report is the state of a keyboard in the boot protocol: a bit for each
// modifier, and the codes of six keys that are down, 0 for none.
type report struct {
	modifiers uint8
	keys      [6]kbd.Code
}

// change is a key that went down or up.
type change struct {
	code kbd.Code
	down bool
}

// next takes a report from the device and returns what has changed. A report that
// says that too many keys are down leaves the keys as they are. One that is too
// short counts as filled up with zeros.
func (r *report) next(p []byte) (list []change) {
	if len(p) == 0 {
		return nil
	}
	var full [reportSize]byte
	copy(full[:], p)
	for i := range 8 {
		if bit := uint8(1) << i; (r.modifiers^full[0])&bit != 0 {
			list = append(list, change{usages[firstModifier+i], full[0]&bit != 0})
		}
	}
	r.modifiers = full[0]
	// Two usages may be the same key: what counts is the code.
	var keys [6]kbd.Code
	for i, u := range full[2:] {
		if u != 0 && u <= lastErrorUsage {
			return list
		}
		if u < firstModifier { // those have bits of their own
			keys[i] = usages[u]
		}
	}
	for i, c := range r.keys {
		if first(r.keys, i) && !slices.Contains(keys[:], c) {
			list = append(list, change{c, false})
		}
	}
	for i, c := range keys {
		if first(keys, i) && !slices.Contains(r.keys[:], c) {
			list = append(list, change{c, true})
		}
	}
	r.keys = keys
	return list
}

// first reports whether entry i is a key that is in no entry before.
func first(keys [6]kbd.Code, i int) bool {
	return keys[i] != 0 && !slices.Contains(keys[:i], keys[i])
}

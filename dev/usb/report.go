package usb

import "tamarix/dev/kbd"

// Usages of page 7 (HUT 10) that are no keys: the keyboard cannot tell which keys
// are down, or it has failed.
const lastErrorUsage = 3

// reportSize is the size of a keyboard's report in the boot protocol (HID B.1).
const reportSize = 8

// report is the state of a keyboard in the boot protocol: a bit for each
// modifier, and the usages of six keys that are down, 0 for none.
type report struct {
	modifiers uint8
	keys      [6]uint8
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
	keys := [6]uint8(full[2:])
	for _, u := range keys {
		if u != 0 && u <= lastErrorUsage {
			return list
		}
	}
	for i, u := range r.keys {
		if first(r.keys, i) && !has(keys, u) {
			list = appendKey(list, u, false)
		}
	}
	for i, u := range keys {
		if first(keys, i) && !has(r.keys, u) {
			list = appendKey(list, u, true)
		}
	}
	r.keys = keys
	return list
}

// appendKey appends a key's change, unless no code is known for it.
func appendKey(list []change, usage uint8, down bool) []change {
	if c := usages[usage]; c != 0 {
		list = append(list, change{c, down})
	}
	return list
}

// first reports whether entry i is a key that is in no entry before.
func first(keys [6]uint8, i int) bool {
	if keys[i] == 0 {
		return false
	}
	for _, u := range keys[:i] {
		if u == keys[i] {
			return false
		}
	}
	return true
}

func has(keys [6]uint8, usage uint8) bool {
	for _, u := range keys {
		if u == usage {
			return true
		}
	}
	return false
}

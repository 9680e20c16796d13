package kbd

// sysrqState follows Alt-SysRq over its keys (Linux
// Documentation/admin-guide/sysrq.rst): Alt is held, SysRq (Print Screen) is
// pressed, then, with Alt still held, any number of command keys. Alt-SysRq
// without a command types nothing.
type sysrqState struct {
	device *device // whose Alt has to stay down; nil: no SysRq
	alt    Code
}

// eaten is what a key is (in device.down) that went down as a part of SysRq:
// neither its repeats nor its release mean anything to anybody else.
const eaten = Symbol(kindSpec<<8 | 0xff)

// commands are the characters that keys have on a US keyboard, by code, for
// SysRq's commands. Zero: not one.
const commands = "\x00\x1b1234567890-=\x7f\tqwertyuiop[]\r\x00asdfghjkl;'`\x00\\zxcvbnm,./\x00*\x00 "

// filterSysRq takes out the keys that belong to SysRq, and reports whether this
// was one. Preconditions: order and mu held.
func (k *Keyboards) filterSysRq(d *device, code Code, c change) bool {
	s := &k.sysrq
	if d.down[code] == eaten {
		if c == released {
			delete(d.down, code)
		}
		return true
	}
	if code == KeyLeftAlt || code == KeyRightAlt {
		if s.device == d && s.alt == code && c == released {
			s.device = nil
		}
		return false // Alt is Alt in any case, so that it never stays behind
	}
	if c != pressed || code == KeySysRq && !k.startSysRq() || s.device == nil {
		return false
	}
	d.down[code] = eaten
	k.stopRepeat()
	if code != KeySysRq && int(code) < len(commands) && commands[code] != 0 {
		sys, key := k.sys, commands[code]
		k.todo = func() { sys.SysRq(key) }
	}
	return true
}

// startSysRq begins a SysRq if an Alt key is held and the machine wants it.
func (k *Keyboards) startSysRq() bool {
	if !k.sys.SysRqEnabled() {
		return false
	}
	for _, d := range k.devices {
		for _, alt := range [...]Code{KeyLeftAlt, KeyRightAlt} {
			if _, ok := d.down[alt]; ok {
				k.sysrq = sysrqState{device: d, alt: alt}
				return true
			}
		}
	}
	return false
}

package xhci

import (
	"time"

	"tamarix/arch/klog"
)

// The capability by which firmware gives the controller up (7.1).
const (
	legacyFirmware = 1 << 16
	legacySystem   = 1 << 24

	// legacyControl follows it: enables of system management interrupts, which
	// are turned off, and at its end causes of them, cleared by writing 1.
	legacyControl = 4
	legacyEnables = 1<<0 | 1<<4 | 7<<13
	legacyCauses  = 7 << 29

	// handoffTime is how long firmware may take to let go.
	handoffTime = time.Second
)

// takeOver makes the controller this kernel's. Firmware that does not let go is
// overruled.
func (h *hardware) takeOver(name string) {
	if h.legacy == 0 {
		klog.Debugf("%s: xHCI: no legacy support to take over from", name)
		return
	}
	v := h.regs.Read32(h.legacy)
	if v&legacyFirmware != 0 {
		klog.Infof("%s: xHCI: taking over from the firmware", name)
		h.regs.Write32(h.legacy, v|legacySystem)
		for waited := time.Duration(0); h.regs.Read32(h.legacy)&legacyFirmware != 0; waited += waitStep {
			if waited >= handoffTime {
				klog.Warnf("%s: xHCI: the firmware does not let go of the controller; overruled", name)
				h.regs.Write32(h.legacy, h.regs.Read32(h.legacy)&^legacyFirmware|legacySystem)
				break
			}
			time.Sleep(waitStep)
		}
	} else {
		h.regs.Write32(h.legacy, v|legacySystem)
	}
	c := h.regs.Read32(h.legacy + legacyControl)
	h.regs.Write32(h.legacy+legacyControl, c&^legacyEnables|legacyCauses)
}

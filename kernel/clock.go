package kernel

import (
	"strings"
	"time"

	arch "tamarix/arch/amd64"
	"tamarix/arch/klog"
	"tamarix/fs/procfs"
	"tamarix/fs/sysfs"
)

// setClock sets the wall clock from the clock chip.
func setClock() {
	klog.Infof("start-up: clock chip")
	t, err := arch.ReadRTC()
	if err != nil {
		klog.Warnf("no clock chip: time begins in 1970")
		return
	}
	arch.SetWallOffset(t.UnixNano() - arch.Nanotime())
	klog.Infof("Time: %s", t.Format(time.RFC3339))
}

// logEarlySteps puts what start-up has noted before there was a log into the log.
// It has been on the console already.
func logEarlySteps() {
	lost := arch.EarlySteps(func(level uint8, at int64, text string) {
		klog.WriteEarly(klog.Level(level), time.Duration(at), text)
	})
	if lost > 0 {
		klog.Warnf("%d early messages found no room", lost)
	}
}

// watchClock is called every few seconds, when the load average is sampled.
func watchClock() {
	if m := arch.WatchClock(); m != "" {
		klog.Warnf("%s", m)
	}
}

// clockAttributes are /sys/devices/system/clocksource/clocksource0, as on Linux: a
// name written to current_clocksource makes that one the clock.
func clockAttributes() []sysfs.Attribute {
	const dir = "devices/system/clocksource/clocksource0/"
	procfs.AddHardware("clocks", arch.ClockReport)
	return []sysfs.Attribute{
		{Path: dir + "available_clocksource", Get: func() string {
			names, _ := arch.ClockSources()
			return strings.Join(names, " ") + " "
		}},
		{Path: dir + "current_clocksource", Get: func() string {
			_, current := arch.ClockSources()
			return current
		}, Set: func(name string) error {
			_, before := arch.ClockSources()
			if err := arch.SetClockSource(name); err != nil {
				return err
			}
			if name != before {
				klog.Infof("clocks: the clock is %s: it was asked for", name)
			}
			return nil
		}},
	}
}

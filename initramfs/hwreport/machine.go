package hwreport

import (
	"os"
	"path/filepath"
	"strings"
)

// kernel says which kernel runs and how it was started.
func (r *report) kernel() {
	r.line("== kernel ==")
	r.one("version", "proc/version")
	r.one("command line", "proc/cmdline")
	if up := strings.Fields(r.value("proc/uptime")); len(up) > 0 {
		r.line("up for: %s s", up[0])
	}
	r.one("load", "proc/loadavg")
}

// machine says who made it, and its firmware.
func (r *report) machine() {
	r.section("machine")
	const dmi = "sys/class/dmi/id/"
	if _, err := r.list(dmi); err != nil {
		r.missing("SMBIOS", err)
	} else {
		for _, l := range []struct{ what, files string }{
			{"system", "sys_vendor product_name product_version product_family"},
			{"board", "board_vendor board_name board_version"},
			{"firmware", "bios_vendor bios_version bios_date bios_release"},
			{"chassis", "chassis_vendor chassis_type"},
		} {
			var parts []string
			for f := range strings.FieldsSeq(l.files) {
				if v := r.value(dmi + f); v != "" {
					parts = append(parts, v)
				}
			}
			if len(parts) > 0 {
				r.line("%s: %s", l.what, clean(strings.Join(parts, ", ")))
			}
		}
	}
	if _, err := os.Stat(filepath.Join(r.root, "sys/firmware/efi")); err == nil {
		r.line("started by: UEFI")
	} else {
		r.line("started by: BIOS, or a loader of its own")
	}
	if t := r.hardware("boot"); t != "" {
		r.text(t)
	}
}

// cpus describes the first CPU and says how many there are.
func (r *report) cpus() {
	r.section("CPUs")
	s, err := r.read("proc/cpuinfo")
	if err != nil {
		r.missing("CPUs", err)
		return
	}
	first, _, _ := strings.Cut(s, "\n\n")
	n := strings.Count("\n"+s, "\nprocessor")
	r.line("count: %d (online %s, possible %s)", n, or(r.value("sys/devices/system/cpu/online"), "?"), or(r.value("sys/devices/system/cpu/possible"), "?"))
	for _, key := range []string{"vendor_id", "model name", "cpu family", "model", "stepping", "microcode", "cpu MHz", "cache size", "address sizes", "flags", "bugs"} {
		if v := field(first, key); v != "" {
			r.line("%s: %s", key, clean(v))
		}
	}
}

// field returns the value of "key : value" in a text.
func field(text, key string) string {
	for l := range strings.SplitSeq(text, "\n") {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == key {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// memory prints the firmware's map.
func (r *report) memory() {
	r.section("memory")
	info := r.value("proc/meminfo")
	for _, key := range []string{"MemTotal", "MemFree", "MemAvailable"} {
		r.line("%s: %s", key, or(field(info, key), "not available"))
	}
	const dir = "sys/firmware/memmap"
	names, err := r.list(dir)
	if err != nil {
		r.missing("memory map", err)
		return
	}
	r.line("memory map of the firmware:")
	for _, n := range names {
		p := dir + "/" + n + "/"
		start, err := r.read(p + "start")
		if err != nil {
			r.missing(" "+n, err)
			continue
		}
		r.line(" %s-%s %s", start, r.value(p+"end"), r.value(p+"type"))
	}
}

// acpi lists the tables, with who made them where that may be read.
func (r *report) acpi() {
	r.section("ACPI tables")
	const dir = "sys/firmware/acpi/tables"
	names, err := r.list(dir)
	if err != nil {
		r.missing("tables", err)
		return
	}
	for _, n := range names {
		path := filepath.Join(r.root, dir, n)
		st, err := os.Stat(path)
		if err != nil || !st.Mode().IsRegular() {
			continue
		}
		p, err := os.ReadFile(path)
		switch {
		case err != nil:
			r.line("%s: cannot be read (%v)", n, err.(*os.PathError).Err)
		case n == "FACS" || len(p) < 36:
			r.line("%s: %d bytes", n, len(p))
		default:
			r.line("%s: %d bytes, revision %d, by %q %q, compiled by %q", n, len(p), p[8],
				strings.TrimRight(string(p[10:16]), " \x00"), strings.TrimRight(string(p[16:24]), " \x00"), strings.TrimRight(string(p[28:32]), " \x00"))
		}
	}
}

// clocks says which clock is used, and why.
func (r *report) clocks() {
	r.section("clocks")
	const dir = "sys/devices/system/clocksource/clocksource0/"
	r.one("clock", dir+"current_clocksource")
	r.one("available", dir+"available_clocksource")
	if t := r.hardware("clocks"); t != "" {
		r.text(t)
	}
}

func (r *report) interrupts() {
	r.section("interrupts")
	if t := r.hardware("interrupts"); t != "" {
		r.text(t)
	}
	r.file("since the start", "proc/interrupts")
}

// places prints who has which addresses and ports.
func (r *report) places() {
	r.section("addresses")
	r.file("memory", "proc/iomem")
	r.file("ports", "proc/ioports")
}

const (
	lastMessages = 200 // a start has about a hundred
	lastWarnings = 60
)

// messages prints the last warnings of the kernel, and its last messages.
func (r *report) messages() {
	r.section("kernel log")
	p, err := r.log()
	if err != nil {
		r.missing("log", err)
		return
	}
	var all, bad []string
	for l := range strings.Lines(string(p)) {
		level, text := 6, strings.TrimRight(l, "\n")
		if strings.HasPrefix(text, "<") {
			if n, rest, ok := strings.Cut(text[1:], ">"); ok {
				level, text = number(n)&7, rest
			}
		}
		all = append(all, text)
		if level <= 4 {
			bad = append(bad, text)
		}
	}
	r.line("warnings and errors: %d", len(bad))
	r.text1(tail(bad, lastWarnings))
	r.line("last messages:")
	r.text1(tail(all, lastMessages))
}

func (r *report) text1(lines []string) {
	for _, l := range lines {
		r.line(" %s", clean(l))
	}
}

func tail(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }

func number(s string) (n int) {
	for _, c := range s {
		if c < '0' || c > '9' || n > 1<<20 {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n
}

package kernel

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	arch "tamarix/arch/amd64"
	"tamarix/boot/info"
	"tamarix/fs"
	"tamarix/fs/procfs"
	"tamarix/fs/sysfs"
)

// Where things are: /proc/iomem, /proc/ioports, /sys/firmware/memmap.

// resource is a range of addresses, or of ports, and what is there.
type resource struct {
	start, end uint64 // end is not included
	name       string
}

// memoryNames are Linux's names for regions of the firmware's map
// (arch/x86/kernel/e820.c).
var memoryNames = map[info.Kind]string{
	info.Usable: "System RAM", info.Reserved: "Reserved", info.ACPIReclaim: "ACPI Tables",
	info.ACPINVS: "ACPI Non-volatile Storage", info.Unusable: "Unusable memory",
}

// memoryName returns Linux's name of a kind, or ours where Linux has none.
func memoryName(k info.Kind) string {
	if n := memoryNames[k]; n != "" {
		return n
	}
	name := k.String()
	return strings.ToUpper(name[:1]) + name[1:]
}

// addResources makes the files.
func addResources(b *info.Boot) []sysfs.Attribute {
	procfs.AddFileFor("iomem", func(ctx *fs.Context) string { return resourceText(ctx, memoryResources(b), 8) })
	procfs.AddFileFor("ioports", func(ctx *fs.Context) string { return resourceText(ctx, portResources(), 4) })
	var list []sysfs.Attribute
	for i, r := range b.Memory() {
		dir := "firmware/memmap/" + strconv.Itoa(i) + "/"
		for _, f := range [...][2]string{
			{"start", fmt.Sprintf("%#x", r.Start)}, {"end", fmt.Sprintf("%#x", r.End-1)}, {"type", memoryName(r.Kind)},
		} {
			list = append(list, sysfs.Attribute{Path: dir + f[0], Mode: 0o400, Get: func() string { return f[1] }})
		}
	}
	return list
}

// memoryResources lists the memory map, and what of it has a name of its own.
func memoryResources(b *info.Boot) (list []resource) {
	for _, r := range b.Memory() {
		list = append(list, resource{r.Start, r.End, memoryName(r.Kind)})
	}
	list = append(list, archResources(arch.MemoryResources())...)
	if f := &b.Framebuffer; f.Kind != info.NoFramebuffer {
		list = append(list, resource{f.Address, f.Address + f.Size(), "Screen"})
	}
	for _, d := range pciDevices {
		for i, r := range d.BARs {
			if r.Address != 0 && !r.IO {
				// How long it is is not known: asking makes the device deaf.
				list = append(list, resource{r.Address, r.Address + 1, fmt.Sprintf("%v region %d begins", d.Address, i)})
			}
		}
	}
	return list
}

// portResources lists the ports that are known to be something.
func portResources() (list []resource) {
	list = archResources(arch.PortResources())
	for _, d := range pciDevices {
		for i, r := range d.BARs {
			if r.Address != 0 && r.IO {
				list = append(list, resource{r.Address, r.Address + 1, fmt.Sprintf("%v region %d begins", d.Address, i)})
			}
		}
	}
	return list
}

func archResources(from []arch.Resource) (list []resource) {
	for _, r := range from {
		list = append(list, resource{r.Start, r.End, r.Name})
	}
	return list
}

// resourceText writes resources as Linux does: by address, those that lie within
// others below them, two columns to the right. Only who may administrate the
// machine sees the addresses.
func resourceText(ctx *fs.Context, list []resource, digits int) string {
	slices.SortStableFunc(list, func(a, b resource) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
	})
	seen := ctx.Cred.Capable(unix.CAP_SYS_ADMIN)
	var out strings.Builder
	var around []uint64 // the ends of those that the next may lie in
	for _, r := range list {
		if r.end <= r.start {
			continue
		}
		for len(around) > 0 && r.end > around[len(around)-1] {
			around = around[:len(around)-1]
		}
		start, last := r.start, r.end-1
		if !seen {
			start, last = 0, 0
		}
		fmt.Fprintf(&out, "%s%0*x-%0*x : %s\n", strings.Repeat("  ", len(around)), digits, start, digits, last, r.name)
		around = append(around, r.end)
	}
	return out.String()
}

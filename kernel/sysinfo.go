package kernel

import (
	"fmt"
	"strconv"

	arch "tamarix/arch/amd64"
	"tamarix/fs/sysfs"
)

// attributes are what /sys shows.
func attributes() []sysfs.Attribute {
	fixed := func(path, value string) sysfs.Attribute {
		return sysfs.Attribute{Path: path, Get: func() string { return value }}
	}
	n := arch.NumCPU()
	list := "0"
	if n > 1 {
		list = fmt.Sprintf("0-%d", n-1)
	}
	const cpu = "devices/system/cpu/"
	a := []sysfs.Attribute{
		fixed(cpu+"online", list),
		fixed(cpu+"possible", list),
		fixed(cpu+"present", list),
		fixed(cpu+"offline", ""),
		fixed(cpu+"kernel_max", strconv.Itoa(n-1)),
		fixed("devices/system/node/online", "0"),
		fixed("devices/system/node/possible", "0"),
		fixed("kernel/mm/transparent_hugepage/enabled", "always madvise [never]"),
		fixed("power/state", ""),
	}
	a = append(a, terminalAttributes()...)
	for i := range n {
		dir := cpu + "cpu" + strconv.Itoa(i) + "/topology/"
		a = append(a, fixed(dir+"core_id", strconv.Itoa(i)), fixed(dir+"physical_package_id", "0"),
			fixed(dir+"core_cpus_list", strconv.Itoa(i)), fixed(dir+"thread_siblings_list", strconv.Itoa(i)),
			fixed(dir+"package_cpus_list", list), fixed(dir+"core_siblings_list", list))
	}
	return append(a, clockAttributes()...)
}

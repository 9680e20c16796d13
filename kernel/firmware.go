package kernel

import (
	"fmt"

	arch "tamarix/arch/amd64"
	"tamarix/fs/sysfs"
)

// firmwareTables are the files of /sys/firmware/acpi/tables: one for each good
// table, named as on Linux: by its signature, and numbered from 1 if there are
// several of that kind. Only root reads them.
func firmwareTables() (list []sysfs.Attribute) {
	kinds, seen := map[string]int{}, map[string]int{}
	arch.EachACPITable(func(t []byte) { kinds[fileName(t[:4])]++ })
	arch.EachACPITable(func(t []byte) {
		name := fileName(t[:4])
		if seen[name]++; kinds[name] > 1 {
			name = fmt.Sprint(name, seen[name])
		}
		list = append(list, sysfs.Attribute{
			Path: "firmware/acpi/tables/" + name, Mode: 0o400, Bin: func() []byte { return t },
		})
	})
	return list
}

// fileName makes a file's name of a table's signature, which may hold anything.
func fileName(signature []byte) string {
	name := []byte(string(signature))
	for i, c := range name {
		if c <= ' ' || c > '~' || c == '/' || c == '.' {
			name[i] = '_'
		}
	}
	return string(name)
}

package kernel

import (
	"testing"

	"tamarix/fs"
)

func TestResourceText(t *testing.T) {
	root := &fs.Context{Cred: fs.RootCred()}
	list := []resource{
		{0x100000, 0x8000000, "System RAM"}, {0, 0xa0000, "System RAM"}, {0x1000000, 0x1400000, "Kernel code"},
		{0x1000000, 0x1800000, "Kernel"}, {0x7fff000, 0x8001000, "across the end"}, {5, 5, "nothing"},
	}
	const want = "00000000-0009ffff : System RAM\n" +
		"00100000-07ffffff : System RAM\n" +
		"  01000000-017fffff : Kernel\n" +
		"    01000000-013fffff : Kernel code\n" +
		"07fff000-08000fff : across the end\n"
	if got := resourceText(root, list, 8); got != want {
		t.Errorf("%s", got)
	}
	nobody := &fs.Context{Cred: fs.UserCred(1000, 1000)}
	if got := resourceText(nobody, list[:1], 8); got != "00000000-00000000 : System RAM\n" {
		t.Errorf("for others: %s", got)
	}
}

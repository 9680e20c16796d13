package kernel

import "tamarix/boot/info"

// Main starts the kernel proper. It runs as the Go program's main function and
// does not return.
func Main(b *info.Boot) {
	println("tamarix: kernel.Main,", len(b.Memory()), "memory regions")
	select {}
}

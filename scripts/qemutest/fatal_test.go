package qemutest

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"tamarix/scripts/image"
	"tamarix/scripts/qemu"
)

// TestNMIWithKernelGS sends non-maskable interrupts while a program runs that has
// given its GS base an address of the kernel's half, as it may by WRGSBASE: the
// kernel must not take it for its own.
func TestNMIWithKernelGS(t *testing.T) {
	root := needQEMU(t)
	text := "GS is set\n"
	code := []byte{
		0x48, 0xb8, 0, 0, 0, 0, 0xcd, 0xab, 0xff, 0xff, // mov rax, 0xffffabcd00000000
		0xf3, 0x48, 0x0f, 0xae, 0xd8, // wrgsbase rax
		0xb8, 1, 0, 0, 0, // mov eax, 1 (write)
		0xbf, 1, 0, 0, 0, // mov edi, 1
		0x48, 0x8d, 0x35, 9, 0, 0, 0, // lea rsi, [rip+9]
		0xba, byte(len(text)), 0, 0, 0, // mov edx, len
		0x0f, 0x05, // syscall
		0xeb, 0xfe, // jmp $
	}
	initrd := archive(t, root, "kernelgs", func(m *image.Image) error {
		m.Data("/gs", 0o755, staticProgram(append(code, text...)))
		return m.Userland(root, "busybox")
	})
	s := &session{t, boot(t, qemu.Config{Kernel: tamarix(t, root), Initrd: initrd, SMP: 1, Append: "console=ttyS0"}), `~ # $`}
	s.expect(`login: $`, time.Minute)
	s.vm.Send("root\r")
	s.expect(s.prompt, time.Minute)
	s.vm.Send("/gs &\r")
	s.expect(`GS is set`, time.Minute)
	for range 5 {
		if _, err := s.vm.Monitor("nmi"); err != nil {
			t.Fatal(err)
		}
		s.expect(`non-maskable interrupt.*going on`, 20*time.Second)
	}
	s.vm.Send("kill $!; wait; echo and no\"\"w\r")
	s.expect(`and now`, 20*time.Second)
	s.expect(s.prompt, 20*time.Second)
	s.powerOff()
}

// staticProgram returns an ELF file with nothing but code, which begins to run at
// its first byte.
func staticProgram(code []byte) []byte {
	const base = 0x400000
	h := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: uint32(elf.EV_CURRENT), Phnum: 1,
	}
	p := elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: base, Paddr: base, Align: 0x1000}
	h.Ehsize, h.Phentsize = uint16(binary.Size(h)), uint16(binary.Size(p))
	h.Phoff = uint64(h.Ehsize)
	start := uint64(h.Ehsize + h.Phentsize)
	h.Entry = base + start
	p.Filesz = start + uint64(len(code))
	p.Memsz = p.Filesz
	var b bytes.Buffer
	for _, part := range []any{h, p, code} {
		binary.Write(&b, binary.LittleEndian, part)
	}
	return b.Bytes()
}

// TestResets has the machine reset in each of the ways that there are: the one that
// is wanted comes first, and no other is needed.
func TestResets(t *testing.T) {
	root := needQEMU(t)
	for way, name := range map[string]string{"a": "ACPI", "k": "keyboard controller", "p": "PCI bridge", "t": "triple fault"} {
		t.Run(way, func(t *testing.T) {
			vm := boot(t, qemu.Config{Kernel: tamarix(t, root), Initrd: userland(t, root, "busybox"), SMP: 2,
				Append: "console=ttyS0 rdinit=/bin/false panic=-1 reboot=" + way})
			if _, err := vm.Expect(`reset: `+name, time.Minute); err != nil {
				t.Fatal(err)
			}
			if status, err := vm.Wait(time.Minute); err != nil || status != 0 {
				t.Errorf("status %d, %v", status, err)
			}
			if n := strings.Count(vm.Text(), "reset: "); n != 1 {
				t.Errorf("%d ways were tried:\n%s", n, vm.Tail(5))
			}
		})
	}
}

// TestMachineCheck has the hardware report an error: the kernel says which, and
// stops.
func TestMachineCheck(t *testing.T) {
	root := needQEMU(t)
	s := &session{t, boot(t, qemu.Config{Kernel: tamarix(t, root), Initrd: userland(t, root, "busybox"), SMP: 2, Append: "console=ttyS0 panic=1"}), `~ # $`}
	s.expect(`login: $`, time.Minute)
	// CPU 1, bank 3: uncorrected, with an address; the global status says that the
	// instruction pointer is no good.
	if _, err := s.vm.Monitor("mce 1 3 0xb400000000000134 4 0x12345000 0"); err != nil {
		t.Fatal(err)
	}
	s.expect(`kernel lost: machine check: 4 on CPU 1(?s:.*)bank 3: status 0xb400000000000134, address 0x12345000`, 20*time.Second)
	if _, err := s.vm.Wait(time.Minute); err != nil {
		t.Error(err)
	}
}

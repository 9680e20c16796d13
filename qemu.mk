# How Tamarix is built, and how it runs in QEMU.

GO       ?= go
GO_MIN   := $(shell sed -n 's/^go //p' go.mod)
OUT      := out

SMP      ?= 2
MEM      ?= 512M
CPU      ?= max
MACHINE  ?= q35
USERLAND ?= uroot
USB_USERLAND ?= bash
INITRD   ?= $(OUT)/initramfs.cpio.gz
APPEND   ?=
ADD      ?=
RUN      ?=
ACCEL    ?= tcg
FW       ?= bios
KEYBOARD ?= ps2
VIDEO    ?= VGA
OVMF     ?= /usr/share/ovmf/OVMF.fd
ROW      ?=
RATE     ?= 1000
SECONDS  ?= 10
PROFILE_CPUS ?= $(if $(filter command line environment,$(origin SMP)),$(SMP),1)
QEMU     ?= qemu-system-x86_64

KERNEL   := $(OUT)/tamarix.elf
SYMBOLS  := $(OUT)/tamarix.debug

# info.TextBase as the signed number that the linker wants.
TEXT_BASE := -0x7ffffefff000

IMAGE    := $(OUT)/tamarix-usb.img

.PHONY: help kernel initramfs run run-gui usb usb-verify test test-pc fuzz screenshots profile stress bench bench-figures debug deps qemu-installed clean check-go FORCE

help:
	@echo 'make kernel      $(KERNEL), and $(SYMBOLS) for gdb'
	@echo 'make initramfs   $(OUT)/initramfs.cpio.gz'
	@echo 'make run         boot both in QEMU; the terminal is the serial console'
	@echo 'make run-gui     the stick in a window: FW=$(FW) (or efi) KEYBOARD=$(KEYBOARD) (or usb) VIDEO=$(VIDEO) (any -device of QEMU)'
	@echo 'make usb         $(IMAGE), for a USB stick'
	@echo 'make usb-verify DEV=/dev/sdX   compare a stick with it'
	@echo 'make debug       the same, waiting for gdb'
	@echo 'make test        all tests; RUN=regexp for some of them'
	@echo 'make test-pc     the USB image on PCs of every kind, most of an hour; RUN=name for those that begin so'
	@echo 'make fuzz        each fuzz test for ten minutes, hours in all; TIME=1m for that long, RUN=word for some of them'
	@echo 'make stress      ten minutes of load'
	@echo 'make bench       side by side with Linux, about 20 minutes; N= boots, ROWS= of them, PARTS=, QUICK=1'
	@echo 'make bench-figures   measure what make test holds the kernel to'
	@echo 'make profile     where the kernel spends its time in a benchmark: ROW=name [RATE=$(RATE)] [SECONDS=$(SECONDS)] [ICOUNT=1]'
	@echo 'make clean       remove $(OUT)'
	@echo 'Variables: SMP=$(SMP) MEM=$(MEM) CPU=$(CPU) MACHINE=$(MACHINE) (or pc) ACCEL=$(ACCEL)'
	@echo '  USERLAND=$(USERLAND) (or busybox, bash) ADD="host-file:/target ..."'
	@echo '  INITRD=$(INITRD) APPEND="kernel command line" USB_USERLAND=$(USB_USERLAND)'

check-go:
	@v=$$(GOTOOLCHAIN=local $(GO) env GOVERSION 2>/dev/null) || { echo "Tamarix needs Go $(GO_MIN) or newer, and there is no command $(GO)." >&2; exit 1; }; \
	v=$${v#go}; v=$${v%% *}; \
	[ "$$(printf '%s\n' $(GO_MIN) $$v | sort -V | head -n 1)" = $(GO_MIN) ] || \
		{ echo "Tamarix needs Go $(GO_MIN) or newer; this is Go $$v." >&2; exit 1; }

kernel: $(KERNEL)

$(OUT)/overlay.json: boot/mkoverlay/main.go $(wildcard boot/goroot/*) | check-go
	@mkdir -p $(OUT)
	@$(GO) run ./boot/mkoverlay boot/goroot > $@.tmp && mv $@.tmp $@

# Go's own cache knows what has changed. Code for newer processors, which GOAMD64 in
# the environment asks for, would use registers that the kernel leaves to its users.
$(KERNEL): FORCE | check-go $(OUT)/overlay.json
	CGO_ENABLED=0 GOOS=linux GOARCH=amd64 GOAMD64=v1 GOFLAGS= $(GO) build -tags tamarix -trimpath -buildvcs=false \
		-overlay $(OUT)/overlay.json -ldflags "-T=$(TEXT_BASE) -E cpuinit" -o $(SYMBOLS) ./boot
	@$(GO) run ./boot/mkkernel $(SYMBOLS) $(KERNEL)

initramfs: | check-go
	$(GO) run ./scripts/mkinitramfs -userland $(USERLAND) -add "$(ADD)" -o $(OUT)/initramfs.cpio.gz

# Somebody else's initramfs is taken as it is; ours is made.
ifeq ($(INITRD),$(OUT)/initramfs.cpio.gz)
run debug: initramfs
endif

# The serial port is the terminal, raw, so that ^C reaches the guest. To end
# QEMU itself: ^A x.
QEMU_RUN = $(QEMU) -accel $(ACCEL) -machine $(MACHINE) -cpu $(CPU) -smp $(SMP) -m $(MEM) \
	-nodefaults -no-reboot -display none -serial mon:stdio \
	-kernel $(KERNEL) -initrd $(INITRD) -append "console=ttyS0 $(APPEND)"

qemu-installed:
	@command -v $(QEMU) >/dev/null || $(MAKE) --no-print-directory deps

deps:
	@scripts/deps.sh

run: kernel qemu-installed
	@$(QEMU_RUN)

# The stick's own initramfs, so that make run's is left alone.
usb: kernel
	@scripts/deps.sh usb
	@$(GO) run ./scripts/mkinitramfs -userland $(USB_USERLAND) -add "$(ADD)" -o $(OUT)/usb-initramfs.cpio.gz
	@$(GO) run ./scripts/usb build -kernel $(KERNEL) -initrd $(OUT)/usb-initramfs.cpio.gz -append '$(APPEND)' -o $(IMAGE)

# Only root may read a stick.
usb-verify: check-go
	@$(GO) build -o $(OUT)/cache/usb ./scripts/usb
	@sudo=; [ ! -e '$(DEV)' ] || [ -r '$(DEV)' ] || sudo=sudo; \
	$$sudo $(OUT)/cache/usb verify -image $(IMAGE) $(if $(DEV),'$(DEV)')

# A window with a screen and a keyboard, the image as a stick. The terminal is the
# serial port. What the guest writes to the stick is thrown away at the end.
run-gui: usb
	@case '$(FW)' in bios|efi) ;; *) echo 'FW=$(FW): want bios or efi' >&2; exit 1;; esac
	@case '$(KEYBOARD)' in ps2|usb) ;; *) echo 'KEYBOARD=$(KEYBOARD): want ps2 or usb' >&2; exit 1;; esac
	@QEMU='$(QEMU)' OVMF='$(if $(filter efi,$(FW)),$(OVMF))' scripts/deps.sh gui
	@window=gtk; $(QEMU) -display help | grep -qx gtk || window=sdl; \
	$(QEMU) -accel $(ACCEL) -machine $(MACHINE) -cpu $(CPU) -smp $(SMP) -m $(MEM) \
		$(if $(filter efi,$(FW)),-bios $(OVMF)) -nodefaults -display $$window -serial mon:stdio \
		-device $(VIDEO) -device qemu-xhci $(if $(filter usb,$(KEYBOARD)),-device usb-kbd) \
		-drive if=none,id=stick,format=raw,snapshot=on,file=$(IMAGE) \
		-device usb-storage,drive=stick,removable=on,bootindex=1

# gdb needs to be told where the sources are: the kernel is built with -trimpath.
debug: kernel qemu-installed
	@printf '%s\n' 'set substitute-path tamarix $(CURDIR)' "directory $$($(GO) env GOROOT)/src" \
		'target remote :1234' > $(OUT)/gdb.init
	@echo 'QEMU waits for:  gdb -x $(OUT)/gdb.init $(SYMBOLS)      (first breakpoints: hbreak)'
	@$(QEMU_RUN) -s -S

test: check-go
	$(GO) run ./scripts/test -run "$(RUN)"

test-pc: check-go
	$(GO) run ./scripts/test -pc -run "$(RUN)"

# Whatever is fed with what firmware, devices, files and users say.
fuzz: check-go
	$(GO) run ./scripts/test -fuzz $(or $(TIME),10m) -run "$(RUN)"

# The pictures in scripts/screens, which the README shows.
screenshots: check-go
	$(GO) run ./scripts/test -screenshots

# A profile of the kernel in one row of the benchmark, for go tool pprof.
profile: kernel qemu-installed
	@$(GO) run ./scripts/profile -row "$(ROW)" -rate $(RATE) -seconds $(SECONDS) -smp $(PROFILE_CPUS) -mem $(MEM) $(if $(ICOUNT),-icount)

stress: check-go
	$(GO) run ./scripts/test -stress 10m

# N=9: more boots for wall time. ROWS=pipe_rt,stat: only those. PARTS=wall,scaling:
# only those. QUICK=1: a look. SHOW=1: the last run again. README=1: its table into README.md.
bench: check-go
	@$(GO) run ./scripts/bench $(if $(N),-n $(N)) $(if $(ROWS),-rows=$(ROWS)) $(if $(PARTS),-parts $(PARTS)) \
		$(if $(QUICK),-quick) $(if $(SHOW),-show) $(if $(README),-readme)

bench-figures: kernel
	@$(GO) run ./scripts/bench -figures

clean:
	rm -rf $(OUT)

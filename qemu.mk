# How the kernel is built, and how it runs in QEMU.

GO      ?= go
GO_MIN  := 1.26
OUT     := out

SMP     ?= 2
MEM     ?= 512M
CPU     ?= max
MACHINE ?= q35
APPEND  ?=
QEMU    ?= qemu-system-x86_64

KERNEL  := $(OUT)/tamarix.elf
SYMBOLS := $(OUT)/tamarix.debug

# info.TextBase as the signed number that the linker wants.
TEXT_BASE := -0x7ffffefff000

.PHONY: kernel
kernel: $(KERNEL)

.PHONY: check-go
check-go:
	@v=$$($(GO) env GOVERSION 2>/dev/null) || { echo "Tamarix needs Go $(GO_MIN) or newer, and there is no $(GO) command." >&2; exit 1; }; \
	case $$v in go1.?|go1.?.*|go1.1?|go1.1?.*|go1.2[0-5]|go1.2[0-5][.r]*) \
		echo "Tamarix needs Go $(GO_MIN) or newer; this is $$v." >&2; exit 1;; esac

.PHONY: FORCE
FORCE:

$(OUT)/overlay.json: boot/mkoverlay/main.go $(wildcard boot/goroot/*)
	@mkdir -p $(OUT)
	$(GO) run ./boot/mkoverlay boot/goroot > $@.tmp && mv $@.tmp $@

# Go's own build cache knows what has changed.
$(KERNEL): FORCE | check-go $(OUT)/overlay.json
	CGO_ENABLED=0 GOOS=linux GOARCH=amd64 $(GO) build -tags tamarix -trimpath -buildvcs=false \
		-overlay $(OUT)/overlay.json -ldflags "-T=$(TEXT_BASE) -E cpuinit" -o $(SYMBOLS) ./boot
	$(GO) run ./boot/mkkernel $(SYMBOLS) $(KERNEL)

.PHONY: clean
clean:
	rm -rf $(OUT)

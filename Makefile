# Tamarix. "make" alone says what there is to make.

include qemu.mk

# Tamarix. "make help" lists what there is to make.

include qemu.mk

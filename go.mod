module tamarix

go 1.26.4

require (
	github.com/u-root/u-root v0.16.0
	github.com/usbarmory/tamago v1.26.5
	golang.org/x/sys v0.49.0
)

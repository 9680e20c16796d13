//go:build tamarix

package amd64

// Registers of the 16550 UART, as offsets from its first port (PC16550D
// datasheet, table 2), and the bits used here.
const (
	com1 = 0x3f8

	uartData    = 0 // receive and transmit; divisor's low byte with DLAB
	uartIER     = 1 // interrupt enable; divisor's high byte with DLAB
	uartIIR     = 2 // read: interrupt identification
	uartFCR     = 2 // write: FIFO control
	uartLCR     = 3 // line control
	uartMCR     = 4 // modem control
	uartLSR     = 5 // line status
	uartMSR     = 6 // modem status
	uartScratch = 7

	ierReceive  = 1 << 0 // data available
	ierTransmit = 1 << 1 // transmitter empty
	iirNone     = 1 << 0 // no interrupt pending
	fcrEnable   = 0xc7   // FIFOs on and cleared, receive threshold 14
	lcr8N1      = 0x03
	lcrBreak    = 1 << 6
	lcrDLAB     = 1 << 7
	mcrReady    = 0x0b   // DTR, RTS, OUT2 (which gates the interrupt on a PC)
	lsrData     = 1 << 0 // a byte has arrived
	lsrEmpty    = 1 << 5 // room in the transmitter
	lsrIdle     = 1 << 6 // nothing left to send
)

// earlyPutc writes one byte to COM1 by polling. It works from the first
// instruction on and in any context. Where there is no UART it gives up after a
// while.
//
//go:nosplit
func earlyPutc(c byte) {
	for n := 0; n < 1<<16 && inb(com1+uartLSR)&lsrEmpty == 0; n++ {
	}
	outb(com1+uartData, c)
}

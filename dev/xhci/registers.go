package xhci

import (
	"time"

	"tamarix/dev/mmio"
)

// Capability registers (5.3).
const (
	capLength     = 0x00 // length in bits 0 to 7, version in the upper half
	capStructure1 = 0x04 // slots, interrupters, ports
	capStructure2 = 0x08 // scratchpad buffers
	capParams1    = 0x10
	capDoorbells  = 0x14
	capRuntime    = 0x18

	paramAC64      = 1 << 0
	paramContext64 = 1 << 2
	paramPortPower = 1 << 3
)

// Operational registers (5.4), behind the capability registers.
const (
	opCommand  = 0x00
	opStatus   = 0x04
	opPageSize = 0x08
	opNotify   = 0x14
	opRing     = 0x18 // CRCR
	opContexts = 0x30 // DCBAAP
	opConfig   = 0x38
	opPorts    = 0x400 // 16 bytes for each

	commandRun   = 1 << 0
	commandReset = 1 << 1
	commandINTE  = 1 << 2

	statusHalted   = 1 << 0
	statusHostErr  = 1 << 2
	statusEvent    = 1 << 3
	statusNotReady = 1 << 11
	statusHCErr    = 1 << 12

	ringCycle   = 1 << 0
	ringAbort   = 1 << 2
	ringRunning = 1 << 3
)

// Port status and control (5.4.8).
const (
	portConnected  = 1 << 0
	portEnabled    = 1 << 1 // writing 1 disables
	portOver       = 1 << 3
	portReset      = 1 << 4
	portPower      = 1 << 9
	portSpeedShift = 10
	portCSC        = 1 << 17 // connection
	portPEC        = 1 << 18 // enable
	portWRC        = 1 << 19 // warm reset
	portOCC        = 1 << 20 // over-current
	portPRC        = 1 << 21 // reset
	portPLC        = 1 << 22 // link state
	portCEC        = 1 << 23 // configuration error
	portWarmReset  = 1 << 31

	portChanges = portCSC | portPEC | portWRC | portOCC | portPRC | portPLC | portCEC

	// portKeep are the bits that keep what they are when what was read is
	// written back: power, indicator, wake enables. In all others a 1 does
	// something.
	portKeep = portPower | 3<<14 | 7<<25
)

// Runtime registers (5.5): interrupter 0.
const (
	runManage  = 0x20 // IMAN
	runModerat = 0x24 // IMOD, in 250 ns
	runSize    = 0x28 // ERSTSZ
	runTable   = 0x30 // ERSTBA
	runDequeue = 0x38 // ERDP

	managePending = 1 << 0
	manageEnable  = 1 << 1
	dequeueBusy   = 1 << 3

	// moderation: at most one interrupt in 125 µs.
	moderation = 500
)

// Transfer request blocks (6.4): types, and flags in their last word.
const (
	trbCycle = 1 << 0

	trbNormal      = 1
	trbSetup       = 2
	trbData        = 3
	trbStatus      = 4
	trbLink        = 6
	trbEnableSlot  = 9
	trbDisableSlot = 10
	trbAddress     = 11
	trbConfigure   = 12
	trbEvaluate    = 13
	trbResetEP     = 14
	trbStopEP      = 15
	trbSetDequeue  = 16
	trbNoOp        = 23
	trbTransferEv  = 32
	trbCommandEv   = 33
	trbPortEv      = 34
	trbHostEv      = 37

	trbTypeShift  = 10
	flagToggle    = 1 << 1  // link
	flagShort     = 1 << 2  // ISP: tell of short packets
	flagInterrupt = 1 << 5  // IOC
	flagImmediate = 1 << 6  // IDT: setup
	flagIn        = 1 << 16 // data and status stage: from the device
	setupOut      = 2 << 16 // TRT
	setupIn       = 3 << 16
	slotShift     = 24
	endpointShift = 16
)

// Completion codes (6.4.5).
const (
	codeSuccess   = 1
	codeBabble    = 3
	codeTransact  = 4
	codeStall     = 6
	codeResources = 7
	codeBandwidth = 8
	codeNoSlots   = 9
	codeShort     = 13
	codeEventFull = 21
	codeRingStop  = 24 // command ring stopped
	codeAborted   = 25
	codeStopped   = 26
	codeStopLen   = 27
	codeStopShort = 28
	codeSplit     = 36
)

// hardware is a controller's registers, and what they say about it for good.
type hardware struct {
	regs      mmio.Registers
	op        uint32 // offsets of the groups of registers
	run       uint32
	doorbells uint32
	version   uint16
	slots     int
	ports     int
	scratch   int
	wide      bool // addresses of 64 bits
	context   int  // size of a context: 32 or 64 bytes
	power     bool // ports have power switches
	pageSize  int
	legacy    uint32 // offset of the capability by which the firmware gives it up
	protocols []protocol
}

func (h *hardware) readOp(off uint32) uint32  { return h.regs.Read32(h.op + off) }
func (h *hardware) writeOp(off, v uint32)     { h.regs.Write32(h.op+off, v) }
func (h *hardware) readRun(off uint32) uint32 { return h.regs.Read32(h.run + off) }
func (h *hardware) writeRun(off, v uint32)    { h.regs.Write32(h.run+off, v) }

// write64 writes a register of 64 bits, the upper half last: that is when the
// controller takes it (5.1).
func (h *hardware) write64(off uint32, v uint64) {
	h.regs.Write32(off, uint32(v))
	h.regs.Write32(off+4, uint32(v>>32))
}

func (h *hardware) readPort(n int) uint32     { return h.readOp(opPorts + uint32(n-1)*16) }
func (h *hardware) writePort(n int, v uint32) { h.writeOp(opPorts+uint32(n-1)*16, v) }

// ring rings a doorbell: of the command ring (slot 0, target 0) or an endpoint.
func (h *hardware) ring(slot, target int) {
	h.regs.Write32(h.doorbells+uint32(slot)*4, uint32(target))
}

// waitStep is how often a register is looked at that is going to change.
const waitStep = time.Millisecond

// wait waits until the bits of mask in an operational register are want.
func (h *hardware) wait(off, mask, want uint32, limit time.Duration) bool {
	for waited := time.Duration(0); ; waited += waitStep {
		v := h.readOp(off)
		if v == 0xffff_ffff {
			return false
		}
		if v&mask == want {
			return true
		}
		if waited >= limit {
			return false
		}
		time.Sleep(waitStep)
	}
}

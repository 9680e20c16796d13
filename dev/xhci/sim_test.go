package xhci

import (
	"sync"
	"testing"
	"time"

	"tamarix/dev/dma"
)

// The model of a controller that the tests drive. It does what the specification
// says with the driver's memory, at once when a register is written, and complains
// where the driver does what it may not.

const (
	simOp    = 0x40
	simRun   = 0x1000
	simDoor  = 0x1800
	simSize  = 0x2000
	simExt   = 0x600
	simSlots = 8
)

type simPort struct {
	status uint32 // PORTSC without the change bits' effects
	super  bool
	device *simDevice

	powered int // how often it was switched on
}

type simEndpoint struct {
	state   uint32
	dequeue uint64
	cycle   uint32
	kind    uint32
	packet  int
}

type simSlot struct {
	enabled   bool
	device    *simDevice
	output    uint64
	endpoints [32]*simEndpoint
	context   [4]uint32 // slot context
}

type sim struct {
	t         *testing.T
	mem       *dma.Arena
	interrupt chan struct{}

	mu      sync.Mutex // guards the rest
	cmd     uint32
	status  uint32
	ports   []simPort // [0] is not used
	wide    bool
	context int
	scratch int
	legacy  uint32
	control uint32 // of legacy support
	// How it misbehaves: keeps the firmware's bit, hears no doorbell, stops taking
	// commands, raises no interrupt, ports are off at first, the next command of a
	// kind hangs until it is aborted.
	stubborn, deaf, wedged, silent, unpowered bool
	hangs                                     int

	crcr, dcbaap, erstba, erdp uint64
	commandAt                  uint64
	commandCycle               uint32
	running                    bool
	manage, config, size       uint32
	eventNext                  int
	eventCycle                 uint32
	slots                      [simSlots + 1]simSlot
	starts                     int
	regs                       map[uint32]uint32
}

func newSim(t *testing.T, usb2, usb3 int) *sim {
	m := &sim{
		t: t, mem: dma.NewArena(0x10_0000, 0), interrupt: make(chan struct{}, 1),
		status: statusHalted, context: 32, scratch: 3, ports: make([]simPort, 1+usb2+usb3),
		legacy: extLegacy | (0x20/4)<<8 | legacyFirmware, control: legacyEnables, regs: map[uint32]uint32{},
	}
	for i := range m.ports {
		m.ports[i].super = i > usb2
	}
	set := func(off, v uint32) { m.regs[off] = v }
	set(simExt+0x20, extProtocol|(0x20/4)<<8|2<<24)
	set(simExt+0x24, 0x20425355)
	set(simExt+0x28, uint32(usb2)<<8|1)
	set(simExt+0x40, extProtocol|3<<24)
	set(simExt+0x44, 0x20425355)
	set(simExt+0x48, uint32(usb3)<<8|uint32(usb2+1))
	return m
}

func (m *sim) Size() uint32 { return simSize }

func (m *sim) Read32(off uint32) uint32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch off {
	case capLength:
		return simOp | 0x0120<<16
	case capStructure1:
		return simSlots | 1<<8 | uint32(len(m.ports)-1)<<24
	case capStructure2:
		return uint32(m.scratch) << 27
	case capParams1:
		v := uint32(simExt / 4 << 16)
		if m.wide {
			v |= paramAC64
		}
		if m.context == 64 {
			v |= paramContext64
		}
		return v | paramPortPower
	case capDoorbells:
		return simDoor
	case capRuntime:
		return simRun
	case simOp + opCommand:
		return m.cmd
	case simOp + opStatus:
		return m.status
	case simOp + opPageSize:
		return 1
	case simOp + opRing:
		if m.running {
			return ringRunning
		}
		return 0
	case simRun + runManage:
		return m.manage
	case simExt:
		return m.legacy
	case simExt + legacyControl:
		return m.control
	}
	if n := m.portOf(off); n > 0 {
		return m.ports[n].status
	}
	return m.regs[off]
}

func (m *sim) portOf(off uint32) int {
	if off >= simOp+opPorts && off&15 == 0 {
		if n := int(off-simOp-opPorts)/16 + 1; n < len(m.ports) {
			return n
		}
	}
	return 0
}

func half(v uint64, off, w uint32) uint64 {
	if off&4 == 0 {
		return v&^0xffff_ffff | uint64(w)
	}
	return v&0xffff_ffff | uint64(w)<<32
}

func (m *sim) Write32(off, v uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch off {
	case simOp + opCommand:
		m.writeCommand(v)
	case simOp + opStatus:
		m.status &^= v & (statusEvent | statusHostErr)
	case simOp + opRing, simOp + opRing + 4:
		m.crcr = half(m.crcr, off, v)
		if off&4 != 0 && !m.running {
			if m.cmd&commandRun != 0 { // the ring stopped before this half came
				m.commandAt = half(m.commandAt, off, v)
			} else {
				m.commandAt, m.commandCycle = m.crcr&^63, uint32(m.crcr)&1
			}
		}
		if off&4 == 0 && m.running && v&ringAbort != 0 && !m.wedged {
			m.running = false
			if m.hangs < 0 {
				m.hangs = 0
				m.event(trb{param: m.commandAt, status: codeAborted << 24, control: trbCommandEv << trbTypeShift})
				m.commandAt += trbSize
			}
			m.event(trb{param: m.commandAt, status: codeRingStop << 24, control: trbCommandEv << trbTypeShift})
		}
	case simOp + opContexts, simOp + opContexts + 4:
		m.dcbaap = half(m.dcbaap, off, v)
	case simOp + opConfig:
		m.config = v
	case simRun + runManage:
		m.manage = v&manageEnable | m.manage&managePending&^v
	case simRun + runSize:
		m.size = v
	case simRun + runTable, simRun + runTable + 4:
		m.erstba = half(m.erstba, off, v)
	case simRun + runDequeue, simRun + runDequeue + 4:
		m.erdp = half(m.erdp, off, v)
	case simExt:
		m.legacy = v
		if v&legacySystem != 0 && !m.stubborn {
			m.legacy &^= legacyFirmware
		}
	case simExt + legacyControl:
		m.control = v &^ legacyCauses
	default:
		if n := m.portOf(off); n > 0 {
			m.writePort(n, v)
		} else if off >= simDoor && off < simDoor+4*(simSlots+1) {
			m.doorbell(int(off-simDoor)/4, int(v))
		}
	}
}

func (m *sim) writeCommand(v uint32) {
	if v&commandReset != 0 {
		if m.status&statusHalted == 0 {
			m.t.Error("reset while running")
		}
		for n := range m.slots {
			m.slots[n] = simSlot{}
		}
		for n := range m.ports {
			p := &m.ports[n]
			p.status = portPower
			if m.unpowered {
				p.status = 0
			}
			if p.device != nil && !m.unpowered {
				m.plugged(n)
			}
		}
		m.cmd, m.status, m.manage, m.running = 0, statusHalted, 0, false
		return
	}
	if v&commandRun != 0 && m.cmd&commandRun == 0 {
		m.starts++
		m.eventNext, m.eventCycle = 0, trbCycle
		if m.config == 0 || m.dcbaap == 0 || m.erstba == 0 || m.size != 1 {
			m.t.Errorf("started without set-up: %d slots, contexts %#x, events %#x", m.config, m.dcbaap, m.erstba)
		}
		if list := m.load64(m.dcbaap); (list != 0) != (m.scratch != 0) {
			m.t.Errorf("scratchpad %#x for %d pages", list, m.scratch)
		} else if m.scratch > 0 {
			for i := range m.scratch {
				m.load64(m.load64(list + uint64(i)*8)) // must be memory
			}
		}
	}
	m.cmd = v
	m.status &^= statusHalted
	if v&commandRun == 0 {
		m.status |= statusHalted
		m.running = false
	}
}

// load64 reads the driver's memory.
func (m *sim) load64(at uint64) uint64 {
	mem, off := m.mem.At(at, 8)
	if mem == nil {
		m.t.Errorf("the driver gave %#x for an address", at)
		return 0
	}
	return mem.Load64(off)
}

func (m *sim) store32(at uint64, v uint32) {
	mem, off := m.mem.At(at, 4)
	if mem == nil {
		m.t.Errorf("the driver gave %#x for an address", at)
		return
	}
	mem.Store32(off, v)
}

func (m *sim) load32(at uint64) uint32 { return uint32(m.load64(at&^7) >> (at & 4 * 8)) }

func (m *sim) loadTRB(at uint64) trb {
	return trb{m.load64(at), m.load32(at + 8), m.load32(at + 12)}
}

// event puts an event on the ring.
func (m *sim) event(t trb) {
	if m.cmd&commandRun == 0 || m.erstba == 0 {
		return
	}
	base := m.load64(m.erstba)
	at := base + uint64(m.eventNext)*trbSize
	mem, off := m.mem.At(at, trbSize)
	if mem == nil {
		m.t.Errorf("event ring at %#x", at)
		return
	}
	mem.Store64(off, t.param)
	mem.Store32(off+8, t.status)
	mem.Store32(off+12, t.control|m.eventCycle)
	if m.eventNext++; m.eventNext == int(m.load32(m.erstba+8)) {
		m.eventNext, m.eventCycle = 0, m.eventCycle^trbCycle
	}
	m.status |= statusEvent
	m.manage |= managePending
	if m.silent || m.cmd&commandINTE == 0 || m.manage&manageEnable == 0 {
		return
	}
	select {
	case m.interrupt <- struct{}{}:
	default:
	}
}

// plugged sets a port's status for a device that is there.
//   - m.mu is held.
func (m *sim) plugged(n int) {
	p := &m.ports[n]
	p.device.reset()
	p.status |= portConnected | portCSC | portPower
	if p.super {
		p.status |= portEnabled | 4<<portSpeedShift
	}
}

func (m *sim) portEvent(n int) {
	m.event(trb{param: uint64(n) << 24, status: codeSuccess << 24, control: trbPortEv << trbTypeShift})
}

// plug connects a device to a port.
func (m *sim) plug(n int, d *simDevice) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d.join(m)
	m.ports[n].device = d
	m.plugged(n)
	m.portEvent(n)
}

// unplug takes the device off a port. Transfers under way fail.
func (m *sim) unplug(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &m.ports[n]
	p.device = nil
	p.status = p.status&^(portConnected|portEnabled|15<<portSpeedShift) | portCSC
	m.portEvent(n)
}

// overCurrent takes a port's power and says why, or says that it is over.
func (m *sim) overCurrent(n int, on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &m.ports[n]
	if on {
		p.status = p.status&^(portConnected|portEnabled|portPower) | portOver | portCSC
	} else {
		p.status &^= portOver
	}
	p.status |= portOCC
	m.portEvent(n)
}

func (m *sim) writePort(n int, v uint32) {
	p := &m.ports[n]
	had, off := p.status&portChanges, p.status&portPower == 0
	p.status &^= v & portChanges
	p.status = p.status&^(portKeep) | v&portKeep
	if v&portEnabled != 0 {
		p.status &^= portEnabled
	}
	if p.status&portOver != 0 {
		p.status &^= portPower
	} else if off && v&portPower != 0 {
		p.powered++
		if p.device != nil {
			m.plugged(n)
			m.portEvent(n)
		}
		return
	}
	if v&portPower == 0 && !off {
		m.t.Errorf("port %d switched off", n)
	}
	if v&(portReset|portWarmReset) == 0 || p.device == nil {
		return
	}
	if v&portWarmReset != 0 && !p.super {
		m.t.Errorf("warm reset of port %d", n)
	}
	p.status = p.status&^portEnabled | portReset
	time.AfterFunc(50*time.Millisecond, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		p.status &^= portReset
		if p.device == nil {
			return
		}
		p.device.reset()
		p.status = p.status&^(15<<portSpeedShift) | portEnabled | portPRC | speedID(p.device.speed)<<portSpeedShift
		if had == 0 {
			m.portEvent(n)
		}
	})
}

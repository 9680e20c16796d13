package xhci

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"tamarix/arch/klog"
	"tamarix/dev/dma"
	"tamarix/dev/usb"
)

// How long the controller may take: 4.22.1 and 5.4.1 name 16 ms to halt; for the
// reset there is no limit, and some take most of a second.
const (
	haltTime  = 100 * time.Millisecond
	resetTime = 5 * time.Second

	// After the reset, registers are left alone for a moment: some controllers
	// do not survive it otherwise.
	resetPause = 2 * time.Millisecond

	// powerTime is from switching on a port's power until it is good (5.4.8, PP).
	powerTime = 20 * time.Millisecond
)

// controller is a controller between two resets.
type controller struct {
	*hardware
	cfg Config
	bus atomic.Pointer[usb.Bus]

	// Made by start, immutable.
	all       []*dma.Memory // to be freed after a halt; start and halt only
	contexts  *dma.Memory   // DCBAA: where each slot's context is
	eventRing eventRing     // belongs to loop

	// commandMutex lets one command be under way at a time.
	commandMutex sync.Mutex
	commands     *ring

	polled bool          // belongs to loop
	kick   chan struct{} // asks loop to look at the event ring; holds one

	mu       sync.Mutex // guards what follows; a leaf
	pending  *pendingCommand
	table    [256]*slot
	leftover []*dma.Memory // of slots that could not be disabled
	err      error         // why the controller failed
	dead     chan struct{} // closed when err is set
}

// fail ends the controller's life: whoever waits for it gets an error.
func (c *controller) fail(err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
		close(c.dead)
	}
	slots := c.table
	c.mu.Unlock()
	for _, s := range slots {
		if s != nil {
			s.abort()
		}
	}
}

var (
	errHalt  = errors.New("the controller does not halt")
	errReset = errors.New("the controller does not come back from its reset")
	errStart = errors.New("the controller does not start")
)

// reset halts and resets the controller.
func (c *controller) reset() error {
	if !c.wait(opStatus, statusNotReady, 0, resetTime) {
		return errReset
	}
	c.writeOp(opCommand, c.readOp(opCommand)&^(commandRun|commandINTE))
	if !c.wait(opStatus, statusHalted, statusHalted, haltTime) {
		klog.Warnf("%s: xHCI: %v", c.cfg.Name, errHalt)
	}
	klog.Infof("%s: xHCI: resetting the controller", c.cfg.Name)
	c.writeOp(opCommand, commandReset)
	time.Sleep(resetPause)
	if !c.wait(opCommand, commandReset, 0, resetTime) || !c.wait(opStatus, statusNotReady, 0, resetTime) {
		return errReset
	}
	return nil
}

// allocate returns zeroed memory for the controller: below 4 GiB as long as there is
// any. Controllers that say they had addresses of 64 bits include some that lose
// the upper bits, ASMedia's ASM1042A, ASM1142, ASM2142 and ASM3242.
func (c *controller) allocate(size int) (*dma.Memory, error) {
	m, err := c.cfg.Memory.Alloc(size, dma.Below4G)
	if err != nil && c.wide {
		m, err = c.cfg.Memory.Alloc(size, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("memory: %w", err)
	}
	return m, nil
}

// alloc is allocate of memory that is freed when the controller has halted.
func (c *controller) alloc(size int) (*dma.Memory, error) {
	m, err := c.allocate(size)
	if err != nil {
		return nil, err
	}
	c.all = append(c.all, m)
	return m, nil
}

// start gives the controller its memory and lets it run (4.2).
func (c *controller) start() error {
	var err error
	var commands, table *dma.Memory
	for _, m := range []**dma.Memory{&c.contexts, &commands, &c.eventRing.mem, &table} {
		if *m, err = c.alloc(dma.PageSize); err != nil {
			return err
		}
	}
	if err := c.scratchpad(); err != nil {
		return err
	}
	c.commands = newRing(commands)
	c.eventRing.cycle = trbCycle

	c.writeOp(opConfig, uint32(c.slots))
	c.write64(c.op+opContexts, c.contexts.Phys(0))
	c.write64(c.op+opRing, c.commands.at())
	c.writeOp(opNotify, 0)

	table.Store64(0, c.eventRing.mem.Phys(0))
	table.Store32(8, ringEntries)
	c.writeRun(runSize, 1)
	c.write64(c.run+runDequeue, c.eventRing.dequeue())
	c.write64(c.run+runTable, table.Phys(0))
	c.writeRun(runModerat, moderation)
	c.writeRun(runManage, managePending|manageEnable)

	c.writeOp(opCommand, commandRun|commandINTE)
	if !c.wait(opStatus, statusHalted, 0, haltTime) {
		return errStart
	}
	c.powerPorts()
	return nil
}

// scratchpad gives the controller the pages that it wants for itself (4.20).
func (c *controller) scratchpad() error {
	if c.scratch == 0 {
		return nil
	}
	list, err := c.alloc(c.scratch * 8)
	if err != nil {
		return err
	}
	for i := range c.scratch {
		m, err := c.alloc(c.pageSize)
		if err != nil {
			return err
		}
		list.Store64(i*8, m.Phys(0))
	}
	c.contexts.Store64(0, list.Phys(0))
	return nil
}

// powerPorts switches the ports' power on.
func (c *controller) powerPorts() {
	if !c.power {
		return
	}
	off := 0
	for n := 1; n <= c.ports; n++ {
		if v := c.readPort(n); v&portPower == 0 {
			off++
			c.writePort(n, v&portKeep|portPower)
		}
	}
	if off > 0 {
		klog.Debugf("%s: xHCI: power of %d ports switched on", c.cfg.Name, off)
		time.Sleep(powerTime)
	}
}

// halt stops the controller and frees its memory, unless it may still be using it.
func (c *controller) halt() {
	c.writeOp(opCommand, c.readOp(opCommand)&^(commandRun|commandINTE))
	if !c.wait(opStatus, statusHalted, statusHalted, haltTime) {
		if c.readOp(opStatus) != 0xffff_ffff {
			klog.Warnf("%s: xHCI: %v; its memory stays its own", c.cfg.Name, errHalt)
		}
		return
	}
	c.mu.Lock()
	all := append(c.all, c.leftover...)
	c.all, c.leftover = nil, nil
	c.mu.Unlock()
	for _, m := range all {
		m.Free()
	}
}

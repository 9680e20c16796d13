package usb

import (
	"errors"
	"fmt"
	"time"

	"tamarix/arch/klog"
	"tamarix/dev/kbd"
)

// The interface of a keyboard that can do the boot protocol (HID 4.2, 4.3).
const (
	bootInterface    = 1
	keyboardProtocol = 1
)

// maxKeyboardErrors is how often in a row a keyboard's endpoint may fail.
const maxKeyboardErrors = 10

// keyboard is a boot keyboard: one interface of a device.
type keyboard struct {
	d        *device
	iface    Interface
	endpoint Endpoint
	state    report // belongs to run

	reports chan []byte   // from the controller's goroutine to run
	failed  chan error    // likewise; holds one
	lights  chan kbd.LEDs // holds the latest that is not yet set
	done    chan struct{}
}

// useKeyboards makes keyboards of the interfaces that are such.
func (d *device) useKeyboards() (string, error) {
	var list []*keyboard
	for _, i := range d.config.Interfaces {
		if i.Class != ClassHID || i.Subclass != bootInterface || i.Protocol != keyboardProtocol || i.Alternate != 0 {
			continue
		}
		e, ok := interruptIn(i)
		if !ok {
			klog.Warnf("%s: interface %d is a keyboard that cannot tell of keys", d.name, i.Number)
			continue
		}
		list = append(list, &keyboard{
			d: d, iface: i, endpoint: e,
			reports: make(chan []byte, 64), failed: make(chan error, 1),
			lights: make(chan kbd.LEDs, 1), done: make(chan struct{}),
		})
	}
	if len(list) == 0 {
		return "", nil
	}
	if err := d.configure(); err != nil {
		return "", err
	}
	for _, k := range list {
		// Both are optional for a device in practice: those that refuse, or do
		// not answer, know no other protocol, and repeat their reports.
		for _, r := range []struct {
			name    string
			request uint8
			value   uint16
		}{{"boot protocol", reqSetProtocol, protocolBoot}, {"idle rate", reqSetIdle, 0}} {
			err := d.set(typeInterfaceHID, r.request, r.value, uint16(k.iface.Number))
			switch {
			case errors.Is(err, ErrStall), errors.Is(err, ErrIO), errors.Is(err, ErrTimeout):
				klog.Debugf("%s: %s: %v", d.name, r.name, err)
			case err != nil:
				return "", err
			}
		}
		// What is typed from now on waits for run.
		if err := d.fn.Listen(k.endpoint, k.report); err != nil {
			return "", fmt.Errorf("keyboard: %w", err)
		}
		d.drivers = append(d.drivers, k)
	}
	return "keyboard", nil
}

// start implements driver.
func (k *keyboard) start() { go k.run() }

// stop implements driver.
func (k *keyboard) stop() { close(k.done) }

// report takes what the endpoint says, on the controller's goroutine. When run
// cannot keep up, a report is dropped: the next one says all that is down again.
func (k *keyboard) report(data []byte, err error) {
	if err != nil {
		select {
		case k.failed <- err:
		default:
		}
		return
	}
	select {
	case k.reports <- data:
	default:
	}
}

// Name implements [kbd.Device].
func (k *keyboard) Name() string { return k.d.name }

// SetLEDs implements [kbd.Device]: run sets them.
func (k *keyboard) SetLEDs(l kbd.LEDs) {
	for {
		select {
		case k.lights <- l:
			return
		default:
		}
		select {
		case <-k.lights: // one that was never set
		default:
		}
	}
}

// run turns reports into keys until the device is gone.
func (k *keyboard) run() {
	keys := k.d.b.keys
	keys.Attach(k)
	defer keys.Detach(k)
	errs, lightErrs := 0, 0
	for {
		select {
		case <-k.done:
			return
		case p := <-k.reports:
			errs = 0
			for _, c := range k.state.next(p) {
				keys.Key(k, c.code, c.down)
			}
		case l := <-k.lights:
			if lightErrs < attempts && k.setLights(l) != nil {
				lightErrs++
			}
		case err := <-k.failed:
			if errors.Is(err, ErrGone) {
				continue // the Bus will say so soon
			}
			for _, c := range k.state.next(make([]byte, reportSize)) {
				keys.Key(k, c.code, c.down) // nothing is known to be down
			}
			errs++
			klog.Debugf("%s: keyboard: %v", k.d.name, err)
			if errs > maxKeyboardErrors {
				klog.Errorf("%s: keyboard: %v, again and again; given up", k.d.name, err)
				continue
			}
			k.pause(errs)
			if err := k.d.resume(k.endpoint); err != nil {
				k.report(nil, err)
			}
		}
	}
}

// pause waits the longer the more errors there were; not once the device is gone.
func (k *keyboard) pause(errs int) {
	t := time.NewTimer(time.Duration(errs) * 50 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
	case <-k.done:
	}
}

// setLights sends the output report of the boot protocol (HID B.1): Num Lock, Caps
// Lock and Scroll Lock in bits 0, 1 and 2.
func (k *keyboard) setLights(l kbd.LEDs) error {
	p := []byte{0}
	for i, light := range []kbd.LEDs{kbd.NumLock, kbd.CapsLock, kbd.ScrollLock} {
		if l&light != 0 {
			p[0] |= 1 << i
		}
	}
	_, err := k.d.fn.Control(Setup{
		Type: typeInterfaceHID, Request: reqSetReport, Value: reportOutput, Index: uint16(k.iface.Number), Length: 1,
	}, p, controlTime)
	return err
}

package qemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"
)

// A request is a command of QEMU's machine protocol (its qmp-spec), an answer
// what comes back.
type request struct {
	Execute   string         `json:"execute"`
	Arguments map[string]any `json:"arguments,omitempty"`
}

// Monitor runs a command of QEMU's human monitor and returns what it prints.
func (vm *VM) Monitor(command string) (string, error) {
	ret, err := vm.execute(request{"human-monitor-command", map[string]any{"command-line": command}})
	if err != nil {
		return "", err
	}
	var text string
	err = json.Unmarshal(ret, &text)
	return text, err
}

// execute runs commands one after the other on a connection of their own, each
// when the one before has been answered, and returns the last one's answer.
func (vm *VM) execute(requests ...request) (ret json.RawMessage, err error) {
	c, err := net.DialTimeout("unix", vm.qmp, 5*time.Second)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	enc, dec := json.NewEncoder(c), json.NewDecoder(c)

	// A greeting, then commands and answers, with events in between.
	type message struct {
		QMP    json.RawMessage `json:"QMP"`
		Return json.RawMessage `json:"return"`
		Error  *struct {
			Desc string `json:"desc"`
		} `json:"error"`
	}
	answer := func() (json.RawMessage, error) {
		c.SetDeadline(time.Now().Add(20 * time.Second))
		for {
			var m message
			if err := dec.Decode(&m); err != nil {
				return nil, err
			}
			if m.Error != nil {
				return nil, errors.New(m.Error.Desc)
			}
			if m.QMP != nil || m.Return != nil {
				return m.Return, nil
			}
		}
	}
	if _, err := answer(); err != nil {
		return nil, fmt.Errorf("monitor: %w", err)
	}
	for _, r := range append([]request{{Execute: "qmp_capabilities"}}, requests...) {
		if err := enc.Encode(r); err != nil {
			return nil, err
		}
		if ret, err = answer(); err != nil {
			return nil, fmt.Errorf("monitor: %s: %w", r.Execute, err)
		}
	}
	return ret, nil
}

// Plug adds a device to the running machine, "usb-kbd" and properties as QEMU's
// device_add has them: "id", "bus", "port".
func (vm *VM) Plug(driver string, properties map[string]any) error {
	args := map[string]any{"driver": driver}
	for k, v := range properties {
		args[k] = v
	}
	_, err := vm.execute(request{"device_add", args})
	return err
}

// Unplug takes the device with that id out of the machine.
func (vm *VM) Unplug(id string) error {
	_, err := vm.execute(request{"device_del", map[string]any{"id": id}})
	return err
}

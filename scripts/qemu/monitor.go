package qemu

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"
)

// Monitor runs a command of QEMU's human monitor and returns what it prints.
func (vm *VM) Monitor(command string) (string, error) {
	c, err := net.DialTimeout("unix", vm.qmp, 5*time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	enc, dec := json.NewEncoder(c), json.NewDecoder(c)

	// The protocol (QEMU's qmp-spec): a greeting, then commands and answers,
	// with events in between.
	type message struct {
		QMP    json.RawMessage `json:"QMP"`
		Return json.RawMessage `json:"return"`
		Error  *struct {
			Desc string `json:"desc"`
		} `json:"error"`
	}
	answer := func() (json.RawMessage, error) {
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
		return "", fmt.Errorf("monitor: %w", err)
	}
	type request struct {
		Execute   string            `json:"execute"`
		Arguments map[string]string `json:"arguments,omitempty"`
	}
	for _, r := range []request{{Execute: "qmp_capabilities"}, {"human-monitor-command", map[string]string{"command-line": command}}} {
		if err := enc.Encode(r); err != nil {
			return "", err
		}
		ret, err := answer()
		if err != nil {
			return "", fmt.Errorf("monitor: %s: %w", r.Execute, err)
		}
		if r.Execute == "human-monitor-command" {
			var text string
			err := json.Unmarshal(ret, &text)
			return text, err
		}
	}
	return "", nil
}

package usb

import "time"

// hubDescriptor is what a hub says about itself (USB 11.23.2.1).
type hubDescriptor struct {
	ports     int           // 1 to 15: a route has four bits for each
	powerGood time.Duration // from power on to the power being good
	thinkTime int           // of its transaction translator, 0 to 3
}

// maxHubPorts is how many ports of a hub can be told apart in a route.
const maxHubPorts = 15

// parseHub reads a hub descriptor. Ports beyond the fifteenth are left out.
func parseHub(p []byte) (h hubDescriptor, err error) {
	if len(p) < 7 || p[0] < 7 {
		return h, errShort
	}
	if p[1] != descHub {
		return h, errType
	}
	if p[2] == 0 {
		return h, errEmpty
	}
	return hubDescriptor{
		ports:     min(int(p[2]), maxHubPorts),
		powerGood: time.Duration(p[5]) * 2 * time.Millisecond,
		thinkTime: int(p[3] >> 5 & 3),
	}, nil
}

// Features of a port (USB 11.24.2, table 11-17), and bits of its status (table
// 11-21) and of what changed (table 11-22).
const (
	featureReset            = 4
	featurePower            = 8
	featureConnectionChange = 16
	featureEnableChange     = 17
	featureSuspendChange    = 18
	featureOverChange       = 19
	featureResetChange      = 20

	statusConnected = 1 << 0
	statusEnabled   = 1 << 1
	statusOver      = 1 << 3
	statusReset     = 1 << 4
	statusLow       = 1 << 9
	statusHigh      = 1 << 10

	changeConnection = 1 << 0
	changeReset      = 1 << 4
)

// hubPort is a port's status as a hub reports it.
type hubPort struct{ status, change uint16 }

// parsePort reads the four bytes of a port's status.
func parsePort(p []byte) (hubPort, error) {
	if len(p) < 4 {
		return hubPort{}, errShort
	}
	return hubPort{le16(p), le16(p[2:])}, nil
}

func (s hubPort) speed() Speed {
	switch {
	case s.status&statusLow != 0:
		return Low
	case s.status&statusHigh != 0:
		return High
	}
	return Full
}

// changedPorts returns which ports the status change endpoint names: bit 0 is the
// hub itself (USB 11.12.4).
func changedPorts(p []byte, ports int) (set uint32) {
	for i := 1; i <= ports; i++ {
		if i/8 < len(p) && p[i/8]>>(i%8)&1 != 0 {
			set |= 1 << i
		}
	}
	return set
}

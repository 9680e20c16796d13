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
	statusPower     = 1 << 8
	statusLow       = 1 << 9
	statusHigh      = 1 << 10

	changeConnection = 1 << 0
	changeReset      = 1 << 4
	portChanges      = 1<<5 - 1

	// Of the hub itself (table 11-19). What changed there (table 11-20) is local
	// power and over-current, bits 0 and 1; the features that clear them (table
	// 11-17) have the same numbers.
	hubOver = 1 << 1
)

// hubStatus is a port's status as a hub reports it, or its own.
type hubStatus struct{ status, change uint16 }

// parseStatus reads the four bytes of a status.
func parseStatus(p []byte) (hubStatus, error) {
	if len(p) < 4 {
		return hubStatus{}, errShort
	}
	return hubStatus{le16(p), le16(p[2:])}, nil
}

func (s hubStatus) speed() Speed {
	switch {
	case s.status&statusLow != 0:
		return Low
	case s.status&statusHigh != 0:
		return High
	}
	return Full
}

// changedPorts returns what the status change endpoint names: ports, and as bit 0 the
// hub itself (USB 11.12.4).
func changedPorts(p []byte, ports int) (set uint32) {
	for i := range ports + 1 {
		if i/8 < len(p) && p[i/8]>>(i%8)&1 != 0 {
			set |= 1 << i
		}
	}
	return set
}

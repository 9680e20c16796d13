package kbd

// Names returns the names of the keyboards that are attached, in the order in which
// they came, for a report.
func (k *Keyboards) Names() (names []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, d := range k.devices {
		names = append(names, d.Name())
	}
	return names
}

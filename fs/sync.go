package fs

// SyncAll is sync(2): every mounted file system writes back what it has to.
func SyncAll() {
	mountMu.RLock()
	seen := make(map[*SuperBlock]bool)
	for _, m := range mountTable {
		seen[m.Super] = true
	}
	mountMu.RUnlock()
	for sb := range seen {
		sb.Ops.Sync()
	}
}

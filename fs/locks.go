package fs

type lockList struct{}

func (l *lockList) fileGone(f *File)     {}
func (l *lockList) ownerGone(t *FDTable) {}

type fileOwner struct{}

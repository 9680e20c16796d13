package kernel

import "tamarix/proc"

func sysGetdents64(t *proc.Task, a *Args) (uintptr, error) { return getdents(t, a, false) }
func sysGetdents(t *proc.Task, a *Args) (uintptr, error)   { return getdents(t, a, true) }

func getdents(t *proc.Task, a *Args, old bool) (uintptr, error) {
	ctx := t.FSContext()
	f, err := ctx.Files.Get(fdArg(a[0]))
	if err != nil {
		return 0, err
	}
	defer f.Unref()
	recs, err := ctx.Getdents(f, int(uint32(a[2])), old)
	if err != nil || len(recs) == 0 {
		return 0, err
	}
	return uintptr(len(recs)), ctx.AS.CopyOut(a[1], recs)
}

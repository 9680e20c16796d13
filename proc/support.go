package proc

import "sync/atomic"

type cpuTimes struct {
	user, system atomic.Int64 // ns
}
type rseqArea struct{ addr uint64 }
type vforkWait struct{}
type schedParams struct{}
type rusage struct{}
type limitSet struct{}

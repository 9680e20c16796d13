//go:build !tamarix

package amd64

import "golang.org/x/sys/unix"

// ProfileStart makes every CPU take hz samples a second.
func ProfileStart(hz int) error { return unix.ENODEV }

// ProfileStop ends the sampling.
func ProfileStop() {}

// ProfileDrain calls f for each sample that has not been seen yet.
func ProfileDrain(f func(s *ProfileSample)) (lost uint64) { return 0 }

package kernel

import "testing"

func TestGCPercent(t *testing.T) {
	const mib = 1 << 20
	// goal is what the runtime makes of it.
	goal := func(live, roots uint64, percent int) uint64 {
		p := uint64(percent)
		return max(live+(live+roots)*p/100, 4*mib*p/100)
	}
	for _, c := range []struct{ live, roots, room, want uint64 }{
		{0, 0, 4 * mib, 4 * mib}, // before the first cycle
		{0, 0, 16 * mib, 16 * mib},
		{mib / 2, mib, 4 * mib, 4*mib + mib/2},
		{mib / 2, mib, 16 * mib, 16*mib + mib/2},
		{8 * mib, mib, 16 * mib, 24 * mib},
		{16 * mib, mib, 16 * mib, 33 * mib}, // doubles, and the roots count
		{100 * mib, 2 * mib, 16 * mib, 202 * mib},
	} {
		n := gcPercent(c.live, c.roots, c.room)
		if got := goal(c.live, c.roots, n); n < 100 || got < c.want*95/100 || got > c.want*105/100 {
			t.Errorf("live %d, roots %d, room %d: GOGC=%d makes the goal %d, want %d", c.live, c.roots, c.room, n, got, c.want)
		}
	}
	for _, c := range []struct{ ram, want uint64 }{{64 * mib, 4 * mib}, {512 * mib, 32 * mib}, {8 << 30, 64 * mib}} {
		if got := gcRoom(c.ram); got != c.want {
			t.Errorf("gcRoom(%d) = %d, want %d", c.ram, got, c.want)
		}
	}
}

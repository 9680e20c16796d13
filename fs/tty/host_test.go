package tty

import (
	"fmt"
	"math/rand"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
	"tamarix/fs"
	"tamarix/mm"
)

// side is one end of a pseudo-terminal, ours or the host's, opened O_NONBLOCK.
type side interface {
	read(n int) (string, error)
	write(s string) (int, error)
}

// pair is a pseudo-terminal under test.
type pair struct {
	master, slave side
	set           func(Termios) error
	inq           func() int
}

type hostSide int

func (fd hostSide) read(n int) (string, error) {
	b := make([]byte, n)
	n, err := unix.Read(int(fd), b)
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

func (fd hostSide) write(s string) (int, error) { return unix.Write(int(fd), []byte(s)) }

// hostPair opens a pseudo-terminal of the kernel that runs the tests, to serve
// as the reference.
func hostPair(t testing.TB) *pair {
	t.Helper()
	m, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal on this host: %v", err)
	}
	t.Cleanup(func() { unix.Close(m) })
	if err := unix.IoctlSetPointerInt(m, unix.TIOCSPTLCK, 0); err != nil {
		t.Skipf("TIOCSPTLCK: %v", err)
	}
	n, err := unix.IoctlGetInt(m, unix.TIOCGPTN)
	if err != nil {
		t.Skipf("TIOCGPTN: %v", err)
	}
	s, err := unix.Open(fmt.Sprintf("/dev/pts/%d", n), unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("slave: %v", err)
	}
	t.Cleanup(func() { unix.Close(s) })
	return &pair{
		master: hostSide(m), slave: hostSide(s),
		set: func(tio Termios) error { return unix.IoctlSetTermios(s, unix.TCSETS, &tio) },
		inq: func() int { n, _ := unix.IoctlGetInt(s, unix.TIOCINQ); return n },
	}
}

type ourSide struct {
	ctx *fs.Context
	f   *fs.File
	ops fs.FileOps
}

func (o ourSide) read(n int) (string, error) {
	b := make([]byte, n)
	it := mm.BytesIter(b)
	n, err := o.ops.Read(o.ctx, o.f, &it, nil)
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

func (o ourSide) write(s string) (int, error) {
	it := mm.BytesIter([]byte(s))
	return o.ops.Write(o.ctx, o.f, &it, nil)
}

// testContext returns a context that can sleep and has credentials.
func testContext() *fs.Context {
	return &fs.Context{Cred: fs.RootCred(), Thread: new(wait.Thread)}
}

func openFlags(flags int, mode fs.FileMode) *fs.File {
	f := new(fs.File)
	f.SetFlags(flags)
	f.AddMode(mode)
	return f
}

const readWrite = fs.ModeRead | fs.ModeWrite

// ourPair opens a pseudo-terminal of this package.
func ourPair(t testing.TB, jobs JobControl) (*pair, *Master) {
	t.Helper()
	if jobs == nil {
		jobs = &fakeJobs{}
	}
	mgr := NewManager(jobs)
	flags := unix.O_RDWR | unix.O_NONBLOCK | unix.O_NOCTTY
	mf, sf := openFlags(flags, readWrite), openFlags(flags, readWrite)
	ctx := testContext()
	mo, err := mgr.OpenMaster(ctx, mf)
	if err != nil {
		t.Fatal(err)
	}
	m := mo.(*Master)
	m.locked = false
	so, err := m.t.Open(ctx, sf)
	if err != nil {
		t.Fatal(err)
	}
	return &pair{
		master: ourSide{ctx, mf, mo}, slave: ourSide{ctx, sf, so},
		set: func(tio Termios) error { m.t.apply(&tio); return nil },
		inq: func() int { return m.t.queued() },
	}, m
}

// drain reads s until it has nothing more.
func drain(s side, n int) (out []string) {
	for {
		p, err := s.read(n)
		if err != nil {
			return out
		}
		out = append(out, p)
		if len(out) > 200 {
			return out // a zero-length read for ever: VMIN 0
		}
	}
}

func join(p []string) (s string) {
	for _, x := range p {
		s += x
	}
	return s
}

var fuzzI = []uint32{unix.ICRNL, unix.INLCR, unix.IGNCR, unix.ISTRIP, unix.IUCLC, unix.IXON, unix.IXANY, unix.IUTF8, unix.PARMRK, unix.IMAXBEL, unix.IGNBRK, unix.BRKINT, unix.INPCK}
var fuzzO = []uint32{unix.ONLCR, unix.OCRNL, unix.ONOCR, unix.ONLRET, unix.OLCUC, unix.XTABS}
var fuzzL = []uint32{unix.ISIG, unix.ECHOE, unix.ECHOK, unix.ECHOKE, unix.ECHONL, unix.ECHOCTL, unix.ECHOPRT, unix.IEXTEN, unix.IEXTEN}

func pick(r *rand.Rand, from []uint32) (v uint32) {
	for _, f := range from {
		if r.Intn(2) == 0 {
			v |= f
		}
	}
	return v
}

// randomTermios returns settings that leave no byte of the input undetermined.
func randomTermios(r *rand.Rand, bulk bool) Termios {
	t := defaultTermios(unix.B38400 | unix.CS8 | unix.CREAD)
	if r.Intn(4) != 0 {
		t.Iflag = pick(r, fuzzI)
		t.Oflag = pick(r, fuzzO)
		t.Lflag = pick(r, fuzzL)
		if r.Intn(5) != 0 {
			t.Oflag |= unix.OPOST
		}
		if r.Intn(5) != 0 {
			t.Lflag |= unix.ICANON
		}
		if r.Intn(5) != 0 {
			t.Lflag |= unix.ECHO
		}
		if r.Intn(12) == 0 {
			t.Lflag |= unix.EXTPROC
		}
		t.Cc[unix.VMIN] = byte(r.Intn(3))
		if r.Intn(3) == 0 {
			t.Cc[unix.VEOL] = 'X'
			t.Cc[unix.VEOL2] = 'y'
		}
		if r.Intn(6) == 0 {
			t.Cc[r.Intn(17)] = 0
			t.Cc[unix.VTIME] = 0
		}
	}
	if bulk {
		// Linux echoes in batches: what it discards or holds back depends on them.
		t.Lflag |= unix.NOFLSH
		t.Iflag &^= unix.IXON
	}
	return t
}

const fuzzAlphabet = "abc XY_yz09\t\t\b\x01\x1b\x7f\x7f\x7f\x17\x17\x15\x15\x12\x16\x04\x04\n\n\r\r\x03\x1a\x1c\x11\x13\xc3\xa4\xe2\x82\xac\xff\x00\x8f\x0f\xc4\xdf\xf7"

func randomInput(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = fuzzAlphabet[r.Intn(len(fuzzAlphabet))]
		if r.Intn(3) == 0 {
			b[i] = "abcdef ghi"[r.Intn(10)]
		}
	}
	return string(b)
}

func describe(t Termios) string {
	return fmt.Sprintf("iflag %#x oflag %#x lflag %#x cc %x", t.Iflag, t.Oflag, t.Lflag, t.Cc)
}

// TestAgainstHost runs random settings and random typing on a pseudo-terminal of
// ours and on one of the host's kernel, and wants the same echo and the same reads.
func TestAgainstHost(t *testing.T) {
	hostPair(t)
	rounds := 150
	if s := os.Getenv("TTY_ROUNDS"); s != "" {
		fmt.Sscan(s, &rounds)
	}
	for seed := range rounds {
		ok := t.Run(fmt.Sprintf("seed%d", seed), func(t *testing.T) {
			diff := ""
			// A busy host takes its time: only what always differs counts.
			for _, settle := range []time.Duration{2, 20, 200, 1000} {
				if diff = compareWithHost(t, int64(seed), settle*time.Millisecond); diff == "" {
					return
				}
			}
			t.Fatal(diff)
		})
		if !ok {
			break
		}
	}
}

// compareWithHost returns what differs, "" if nothing. settle is how long the
// host's kernel gets to take in what was typed before a read that would not wait
// for it.
func compareWithHost(t *testing.T, seed int64, settle time.Duration) string {
	r := rand.New(rand.NewSource(seed))
	host := hostPair(t)
	ours, _ := ourPair(t, nil)
	bulk := r.Intn(2) == 0
	var log string
	for range 1 + r.Intn(3) {
		tio := randomTermios(r, bulk)
		log += describe(tio) + "\n"
		if err := host.set(tio); err != nil {
			t.Fatal(err)
		}
		ours.set(tio)
		for range 1 + r.Intn(4) {
			size := []int{1, 3, 100, 100}[r.Intn(4)]
			if r.Intn(5) == 0 {
				text := randomInput(r, 1+r.Intn(30))
				log += fmt.Sprintf("slave writes %q\n", text)
				nh, eh := host.slave.write(text)
				no, eo := ours.slave.write(text)
				if max(nh, 0) != no || eh != eo {
					return fmt.Sprintf("%sslave write: host %d %v, ours %d %v", log, nh, eh, no, eo)
				}
				if diff := compareDrains(&log, host, ours, size); diff != "" {
					return diff
				}
				continue
			}
			in := randomInput(r, 1+r.Intn(60))
			if bulk {
				log += fmt.Sprintf("types %q\n", in)
				host.master.write(in)
				ours.master.write(in)
				if look := r.Intn(2) == 0; look || host.inq() > 0 {
					time.Sleep(settle)
					o := ours.inq()
					for i := 0; i < 100 && host.inq() != o; i++ {
						time.Sleep(2 * time.Millisecond)
					}
					if h := host.inq(); h != o {
						return fmt.Sprintf("%sFIONREAD: host %d, ours %d", log, h, o)
					}
				}
				if diff := compareDrains(&log, host, ours, size); diff != "" {
					return diff
				}
				continue
			}
			for i := range len(in) {
				log += fmt.Sprintf("types %q\n", in[i:i+1])
				host.master.write(in[i : i+1])
				if host.inq() > 0 {
					time.Sleep(settle) // a read would not wait for what is on its way
				}
				ours.master.write(in[i : i+1])
				if diff := compareDrains(&log, host, ours, size); diff != "" {
					return diff
				}
			}
		}
		if tio.Iflag&unix.IXON != 0 {
			return "" // Linux would process echo that is held back by the next settings
		}
	}
	return ""
}

// compareDrains reads both slaves by size bytes and both masters and returns what differs.
func compareDrains(log *string, host, ours *pair, size int) string {
	hs, os := drain(host.slave, size), drain(ours.slave, size)
	if fmt.Sprintf("%q", hs) != fmt.Sprintf("%q", os) {
		return fmt.Sprintf("%sslave reads (%d):\nhost %q\nours %q", *log, size, hs, os)
	}
	hm, om := join(drain(host.master, 4096)), join(drain(ours.master, 4096))
	if hm != om {
		return fmt.Sprintf("%smaster reads:\nhost %q\nours %q", *log, hm, om)
	}
	*log += fmt.Sprintf("  slave read %q, master read %q\n", os, om)
	return ""
}

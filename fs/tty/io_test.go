package tty

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tamarix/arch/wait"
)

func TestWritesDoNotMix(t *testing.T) {
	l := newLine(t, unix.O_RDWR)
	l.driver.sent = make(chan []byte)
	const writers, size = 4, 9000
	for i := range writers {
		go func() {
			p := make([]byte, size)
			for k := range p {
				p[k] = byte('A' + i)
			}
			o := l.ourSide
			o.ctx = testContext()
			if n, err := o.write(string(p)); n != size || err != nil {
				t.Errorf("write: %d, %v", n, err)
			}
		}()
	}
	var got []byte
	for len(got) < writers*size {
		got = append(got, <-l.driver.sent...)
		if len(got) > 2000 && len(got) < 2100 {
			l.t.Receive([]byte("typed\n")) // goes in while writers wait for room
		}
	}
	seen := map[byte]int{}
	for i := 0; i < len(got); {
		if c := got[i]; c >= 'A' && c < 'A'+writers {
			j := i
			for n := 0; n < size && j < len(got); j++ {
				if got[j] == c {
					n++
				} else if got[j] >= 'A' && got[j] < 'A'+writers {
					t.Fatalf("output of %c within that of %c", got[j], c)
				}
			}
			seen[c]++
			i = j
		} else {
			i++
		}
	}
	if len(seen) != writers {
		t.Errorf("writers seen: %v", seen)
	}
	if s, err := l.read(100); s != "typed\n" || err != nil {
		t.Errorf("what was typed meanwhile: %q, %v", s, err)
	}
}

func TestNothingTypedIsLost(t *testing.T) {
	l := newLine(t, unix.O_RDWR)
	tio := l.t.tio
	tio.Lflag &^= unix.ECHO
	l.t.apply(&tio)
	want := ""
	for len(want) < 30000 { // far more than the input queue holds
		s := "some line of text\n"
		l.t.Receive([]byte(s))
		want += s
	}
	got := ""
	for len(got) < len(want) {
		s, err := l.read(1000)
		if err != nil {
			t.Fatal(err)
		}
		got += s
	}
	if got != want {
		t.Error("what was read differs from what was typed")
	}
}

func TestOverlongLineKeepsItsEnd(t *testing.T) {
	l := newLine(t, unix.O_RDWR)
	long := make([]byte, 6000)
	for i := range long {
		long[i] = 'x'
	}
	l.t.Receive(long)
	l.t.Receive([]byte("\nnext\n"))
	s, _ := l.read(8000)
	if len(s) != inputSize || s[len(s)-1] != '\n' {
		t.Errorf("%d bytes, ending in %q", len(s), s[len(s)-1:])
	}
	if s, _ := l.read(8000); s != "next\n" {
		t.Errorf("then %q", s)
	}
}

// TestTimedReads goes through the four cases of VMIN and VTIME (termios(3)).
func TestTimedReads(t *testing.T) {
	l := newLine(t, unix.O_RDWR)
	set := func(vmin, vtime byte) {
		tio := l.t.tio
		tio.Lflag &^= unix.ICANON | unix.ECHO
		tio.Cc[unix.VMIN], tio.Cc[unix.VTIME] = vmin, vtime
		l.t.apply(&tio)
	}
	later := func(d time.Duration, s string) {
		go func() { time.Sleep(d); l.t.Receive([]byte(s)) }()
	}
	read := func(what, want string, atLeast time.Duration) {
		t.Helper()
		start := time.Now()
		s, err := l.read(10)
		if took := time.Since(start); s != want || err != nil || took < atLeast {
			t.Errorf("%s: %q, %v after %v; want %q after %v", what, s, err, took, want, atLeast)
		}
	}
	const ms = time.Millisecond
	set(0, 0)
	read("0/0 without input", "", 0)
	l.t.Receive([]byte("ab"))
	read("0/0 with input", "ab", 0)
	set(0, 2)
	read("0/2 without input", "", 200*ms)
	set(0, 255)
	later(50*ms, "x")
	read("0/255 with input on the way", "x", 0)
	set(3, 0)
	l.t.Receive([]byte("a"))
	later(50*ms, "bc")
	read("3/0", "abc", 0)
	set(3, 2)
	later(20*ms, "a")
	read("3/2, the timer ends it", "a", 200*ms)
	l.t.Receive([]byte("0123456789+"))
	read("3/2, more than asked for", "0123456789", 0)
	read("3/2, the rest", "+", 200*ms)
}

func TestReaderIsInterrupted(t *testing.T) {
	l := newLine(t, unix.O_RDWR)
	l.ctx.Thread.SetInterrupted(true)
	_, err := l.read(1)
	wantErr(t, "read", err, wait.ErrRestartSys)
	l.t.stop()
	p := make([]byte, 10000)
	n, err := l.write(string(p))
	if n == 0 || n == len(p) || err != nil {
		t.Errorf("write to a stopped terminal: %d, %v", n, err)
	}
	wantErr(t, "drain", l.t.drain(l.ctx.Thread), wait.ErrRestartSys)
}

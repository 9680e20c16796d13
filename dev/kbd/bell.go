package kbd

import "time"

// pitClock is how many times a second the PC's interval timer counts, the unit
// of KIOCSOUND's and KDMKTONE's argument.
const pitClock = 1193182

// hertz converts clocks per period; 0 is silence.
func hertz(clocks uint32) int {
	if clocks == 0 {
		return 0
	}
	return int(pitClock / clocks)
}

// SetSpeaker says what makes the sounds. Without one there are none.
func (k *Keyboards) SetSpeaker(s Speaker) {
	k.mu.Lock()
	k.speaker = s
	k.mu.Unlock()
}

// Bell sounds the speaker for so many milliseconds: BEL, with the pitch and the
// duration that ESC [ 10;n ] and ESC [ 11;n ] set for the terminal. A sound ends
// the one before it.
func (k *Keyboards) Bell(hertz, milliseconds int) {
	if hertz <= 20 || hertz >= 32767 || milliseconds <= 0 {
		return
	}
	k.mu.Lock()
	k.tone(hertz, time.Duration(milliseconds)*time.Millisecond)
	k.mu.Unlock()
}

// tone sounds the speaker, for ever if d is 0. Precondition: mu held.
func (k *Keyboards) tone(hertz int, d time.Duration) {
	if k.speaker == nil {
		return
	}
	if k.ringing != nil {
		k.ringing.Stop()
		k.ringing = nil
	}
	k.tones++
	k.speaker.Tone(hertz)
	if hertz == 0 || d == 0 {
		return
	}
	tone := k.tones
	k.ringing = k.clock.after(d, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.tones == tone {
			k.ringing = nil
			k.speaker.Tone(0)
		}
	})
}

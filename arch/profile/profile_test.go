package profile

import (
	"testing"

	arch "tamarix/arch/amd64"
)

func TestText(t *testing.T) {
	s := profile{rate: 100, lost: 3, stacks: map[string]*uint64{}}
	for range 2 {
		s.count(&arch.ProfileSample{Kind: arch.ProfileKernel, Late: 50, Words: []uint64{0xffff800001001000, 0, 0, 0xffff800001002000}})
	}
	s.count(&arch.ProfileSample{Kind: arch.ProfileUser, Late: 7, Words: []uint64{0x0a6873, 0}})
	s.count(&arch.ProfileSample{Kind: arch.ProfileIdle})
	const want = `tamarix-profile 1
rate 100
ns 4000
cpus 1
lost 3
late idle 0 user 7 kernel 50
idle 1
user 1 sh?
kernel 2 ffff800001001000 0 0 ffff800001002000
end
`
	if got := string(s.text(4000)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

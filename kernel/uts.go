package kernel

import (
	"sync"

	"golang.org/x/sys/unix"
)

// What uname(2) tells. The interface is Linux's, and programs look at the name
// and the release to find out what they can expect, so it says so; the release
// and version name the kernel.
const (
	utsSysname = "Linux"
	utsRelease = "6.1.0-tamarix"
	utsVersion = "#1 SMP Tamarix"
	utsMachine = "x86_64"
	utsMax     = 64 // __NEW_UTS_LEN of UAPI linux/utsname.h
)

// uts holds the names that can be set.
var uts = struct {
	mu           sync.RWMutex // guards both; leaf
	node, domain string
}{node: "(none)", domain: "(none)"}

// hostname returns the node name.
func hostname() string {
	uts.mu.RLock()
	defer uts.mu.RUnlock()
	return uts.node
}

// domainname returns the NIS domain name.
func domainname() string {
	uts.mu.RLock()
	defer uts.mu.RUnlock()
	return uts.domain
}

// setHostname and setDomainname change them: EINVAL if too long.
func setHostname(s string) error   { return setUTS(&uts.node, s) }
func setDomainname(s string) error { return setUTS(&uts.domain, s) }

func setUTS(at *string, s string) error {
	if len(s) > utsMax {
		return unix.EINVAL
	}
	uts.mu.Lock()
	*at = s
	uts.mu.Unlock()
	return nil
}

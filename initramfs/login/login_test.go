package login

import (
	"reflect"
	"strings"
	"testing"
)

const passwd = `root:x:0:0:root:/root:/bin/bash
broken:x:zero:0::/:/bin/sh
short:x:1
alice:x:1000:1000:Alice,,,:/home/alice:
old:$1$x$y:1001:100::/:/bin/sh
`

func TestLookup(t *testing.T) {
	if a, ok := lookup(strings.NewReader(passwd), "alice"); !ok || a != (account{"alice", "x", "/home/alice", "/bin/sh", 1000, 1000}) {
		t.Errorf("alice: %+v, %v", a, ok)
	}
	for _, name := range []string{"", "broken", "short", "bob", "root:x"} {
		if a, ok := lookup(strings.NewReader(passwd), name); ok {
			t.Errorf("%q found: %+v", name, a)
		}
	}
}

func TestGroups(t *testing.T) {
	const group = "root:x:0:\nusers:x:100:alice,bob\nalice:x:1000:alice\nbad:x:y:alice\nwheel:x:10:bob,alice\nmal:x:11:malice\n"
	got := groups(strings.NewReader(group), account{name: "alice", gid: 1000})
	if want := []int{1000, 100, 10}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestHash(t *testing.T) {
	const shadow = "root::1::::::\nalice:$6$a$b:1::::::\n"
	for _, c := range []struct{ name, field, want string }{
		{"root", "x", ""}, {"alice", "x", "$6$a$b"}, {"bob", "x", "!"}, {"old", "$1$x$y", "$1$x$y"}, {"none", "", ""},
	} {
		if got := hash(strings.NewReader(shadow), account{name: c.name, password: c.field}); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// The hashes were made by Debian's `openssl passwd` of "sesame".
func TestCheck(t *testing.T) {
	cases := []struct {
		name, hash, password string
		match, known         bool
	}{
		{"empty", "", "", true, true},
		{"empty, one typed", "", "x", false, true},
		{"locked", "!", "", false, true},
		{"locked with hash", "!$6$abc$x", "sesame", false, true},
		{"star", "*", "*", false, true},
		{"sha512", sha512Hash, "sesame", true, true},
		{"sha512 wrong", sha512Hash, "sesamf", false, true},
		{"sha256", sha256Hash, "sesame", true, true},
		{"md5", md5Hash, "sesame", true, true},
		{"yescrypt", "$y$j9T$abc$def", "sesame", false, false},
		{"nobody", nobodysHash, "", false, true},
		{"garbage", "xyzzy", "xyzzy", false, false},
	}
	for _, c := range cases {
		if match, known := check(c.hash, c.password); match != c.match || known != c.known {
			t.Errorf("%s: match %v, known %v; want %v, %v", c.name, match, known, c.match, c.known)
		}
	}
}

const (
	sha512Hash = "$6$tamarix$wfELAXRmf4HmSwVx2vYkiI1MISbfuFQ./BP.gaX.4lj0N6bJ0riQapNhR0J1fQKW0mjEPkYeb8tAiGa1nkckK0"
	sha256Hash = "$5$tamarix$omY3KsybcA5BuNiFFjnom8N9uZwbF/kxz19a5MajVa8"
	md5Hash    = "$1$tamarix$c4RIX1RjY9ahKZoJvHZhy1"
)

package login

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/GehirnInc/crypt"
	// The hashes that crypt.NewFromHash is to know.
	_ "github.com/GehirnInc/crypt/md5_crypt"
	_ "github.com/GehirnInc/crypt/sha256_crypt"
	_ "github.com/GehirnInc/crypt/sha512_crypt"
)

// An account is a line of passwd(5).
type account struct {
	name, password, home, shell string
	uid, gid                    int
}

// lines calls f with the fields of each line that has at least n of them, until
// f returns false. Other lines are skipped: a damaged one locks no one else out.
func lines(r io.Reader, n int, f func(fields []string) bool) {
	in := bufio.NewScanner(r)
	for in.Scan() {
		fields := strings.Split(in.Text(), ":")
		if len(fields) >= n && !f(fields) {
			return
		}
	}
}

// lookup finds an account by name.
func lookup(passwd io.Reader, name string) (a account, ok bool) {
	lines(passwd, 7, func(f []string) bool {
		uid, err1 := strconv.ParseUint(f[2], 10, 31)
		gid, err2 := strconv.ParseUint(f[3], 10, 31)
		if f[0] != name || name == "" || err1 != nil || err2 != nil {
			return true
		}
		a = account{name: name, password: f[1], home: f[5], shell: f[6], uid: int(uid), gid: int(gid)}
		if a.shell == "" {
			a.shell = "/bin/sh" // passwd(5)
		}
		ok = true
		return false
	})
	return a, ok
}

// groups lists the groups of an account, its own first.
func groups(group io.Reader, a account) []int {
	gids := []int{a.gid}
	lines(group, 4, func(f []string) bool {
		gid, err := strconv.ParseUint(f[2], 10, 31)
		if err != nil || int(gid) == a.gid {
			return true
		}
		for member := range strings.SplitSeq(f[3], ",") {
			if member == a.name {
				gids = append(gids, int(gid))
				break
			}
		}
		return true
	})
	return gids
}

// hash is the password field that counts for an account: shadow's where passwd
// says x. An account without a line in shadow is locked.
func hash(shadow io.Reader, a account) string {
	if a.password != "x" {
		return a.password
	}
	h := "!"
	lines(shadow, 2, func(f []string) bool {
		if f[0] == a.name {
			h = f[1]
			return false
		}
		return true
	})
	return h
}

// nobodysHash is checked when there is no such account, so that the answer
// takes as long as for one that exists. Its password is not known to anyone.
const nobodysHash = "$6$nosuchuser$"

// check tells whether password is what hash was made of. known is false where
// the hash is of a kind the library does not have.
func check(hash, password string) (match, known bool) {
	if hash == "" {
		return password == "", true
	}
	if hash[0] == '!' || hash[0] == '*' {
		check(nobodysHash, password)
		return false, true
	}
	if !crypt.IsHashSupported(hash) {
		return false, false
	}
	return crypt.NewFromHash(hash).Verify(hash, []byte(password)) == nil, true
}

// readFile calls f with the opened file, or with an empty reader where it
// cannot be opened.
func readFile[T any](name string, f func(io.Reader) T) T {
	file, err := os.Open(name)
	if err != nil {
		return f(strings.NewReader(""))
	}
	defer file.Close()
	return f(file)
}

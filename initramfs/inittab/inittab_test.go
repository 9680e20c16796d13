package inittab

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const text = `
# comment
   # indented comment
id:3:initdefault:
si::sysinit:/etc/rcS a:b  c
1:2345:respawn:/sbin/getty tty1
::askfirst:-/bin/sh
::shutdown:/bin/umount -a -r
ca:12345:ctrlaltdel:/sbin/shutdown -t1 -a -r now
od:ab:ondemand:/bin/x
x:S:once:+/bin/y
o::off:
`
	tab, problems := Parse(strings.NewReader(text), "t")
	if len(problems) != 0 {
		t.Fatalf("problems: %v", problems)
	}
	if tab.Default != '3' {
		t.Errorf("default level %q, want 3", tab.Default)
	}
	want := []Entry{
		{ID: "si", Levels: numbered, Action: SysInit, Process: "/etc/rcS a:b  c", Line: 5},
		{ID: "1", Levels: Level('2') | Level('3') | Level('4') | Level('5'), Action: Respawn, Process: "/sbin/getty tty1", Line: 6},
		{Levels: numbered, Action: AskFirst, Process: "/bin/sh", Login: true, Line: 7},
		{Levels: numbered, Action: Shutdown, Process: "/bin/umount -a -r", Line: 8},
		{ID: "ca", Levels: 0b111110, Action: CtrlAltDel, Process: "/sbin/shutdown -t1 -a -r now", Line: 9},
		{ID: "od", Levels: Level('a') | Level('b'), Action: OnDemand, Process: "/bin/x", Line: 10},
		{ID: "x", Levels: Level('S'), Action: Once, Process: "/bin/y", Line: 11},
		{ID: "o", Levels: numbered, Action: Off, Line: 12},
	}
	if len(tab.Entries) != len(want) {
		t.Fatalf("%d entries, want %d: %+v", len(tab.Entries), len(want), tab.Entries)
	}
	for i := range want {
		if tab.Entries[i] != want[i] {
			t.Errorf("entry %d:\n got %+v\nwant %+v", i, tab.Entries[i], want[i])
		}
	}
}

func TestBadLines(t *testing.T) {
	cases := []struct{ name, line, want string }{
		{"few fields", "a:b:c", "tab:2: 3 fields where"},
		{"action", "a:2:repawn:/x", `tab:2: no action is called "repawn"`},
		{"level", "a:2x:respawn:/x", `tab:2: no runlevel is called 'x'`},
		{"no process", "a:2:respawn:", "tab:2: respawn without a process"},
		{"only a dash", "a:2:respawn:-", "tab:2: respawn without a process"},
		{"two defaults in one", "id:35:initdefault:", "tab:2: initdefault wants exactly one"},
		{"default on demand", "id:a:initdefault:", "tab:2: initdefault wants exactly one"},
		{"demand nothing", "a::ondemand:/x", "tab:2: ondemand wants"},
		{"slash", "../x:2:respawn:/x", "tab:2: id"},
		{"NUL", "a:2:respawn:/x\x00", "tab:2: a NUL"},
		{"long", "a:2:respawn:" + strings.Repeat("x", maxLine), "tab:2: line longer"},
		{"duplicate", "good:2:once:/x", `tab:2: id "good" stands in line 1 already`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text := "good:2:once:/bin/true\n" + c.line + "\nafter:2:once:/bin/true\n"
			tab, problems := Parse(strings.NewReader(text), "tab")
			if len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), c.want) {
				t.Errorf("problems %v, want %q", problems, c.want)
			}
			if len(tab.Entries) != 2 || tab.Entries[1].ID != "after" {
				t.Errorf("the good lines are lost: %+v", tab.Entries)
			}
		})
	}
}

func TestLastLineWithoutNewline(t *testing.T) {
	tab, problems := Parse(strings.NewReader("a:2:once:/x"), "tab")
	if len(problems) != 0 || len(tab.Entries) != 1 {
		t.Errorf("got %+v, %v", tab, problems)
	}
}

// FuzzParse: no input makes Parse panic or accept an entry that init could not
// use.
func FuzzParse(f *testing.F) {
	f.Add("id:3:initdefault:\n::respawn:-/bin/sh\n")
	f.Add("a:b:c:d\n:::\n::::\n#\n\x00")
	f.Fuzz(func(t *testing.T, text string) {
		tab, _ := Parse(strings.NewReader(text), "f")
		for _, e := range tab.Entries {
			if e.Action == InitDefault || e.Levels == 0 || (e.Process == "" && e.Action != Off) || strings.ContainsAny(e.ID+e.Process, "\x00\n") {
				t.Errorf("useless entry %+v from %q", e, text)
			}
		}
		if tab.Default != 0 && Level(tab.Default) == 0 {
			t.Errorf("default level %q", tab.Default)
		}
	})
}

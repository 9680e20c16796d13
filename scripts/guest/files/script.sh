#!/bin/sh
# A shell script that uses much of the shell and of busybox. Its output must be
# the same under Linux and under Tamarix, to the byte (script.want).
LC_ALL=C; export LC_ALL
dir=/tmp/script.$$
mkdir "$dir" && cd "$dir" || exit 1
section() { echo "== $1"; }

section "variables and expansion"
a=hello; b="two words"
echo "$a ${a}x ${a:-none} ${none:-default} ${b#two } ${b%words} ${#b}"
echo ${none:=assigned} "$none"
path=/usr/local/lib/file.tar.gz
echo "${path##*/} ${path%/*} ${path%%.*} ${path#*.}"
set -- one "two three" four
echo "$# $1 $2 $3" "$@" "$*"
shift; echo "$#:$1"
echo "${a:1:3}" $((1 + 2 * 3)) $((0x10)) $(( (5 > 3) && (2 < 1) )) $((17 % 5)) $((-7 / 2))
i=5; : $((i += 2)); echo $i

section "quoting"
echo 'single $a' "double $a" \$a "a\"b" 'it'\''s'
printf '%s|%5d|%-5s|%x|%c|%%\n' str 42 left 255 char
printf '%b' 'tab\there\n'

section "control"
for i in 1 2 3; do printf "%s " $i; done; echo
while [ $i -gt 0 ]; do i=$((i - 1)); [ $i = 1 ] && continue; printf "%s " $i; done; echo
until [ $i -ge 3 ]; do i=$((i + 1)); [ $i = 2 ] && break; done; echo $i
case foo.txt in *.c) echo c;; *.txt|*.md) echo text;; *) echo other;; esac
if false; then echo no; elif true; then echo elif; else echo no; fi
! false && echo negated
f() { local x=inner; echo "f: $1 $x"; return 3; }
x=outer; f arg; echo "status $? x $x"
fact() { [ $1 -le 1 ] && echo 1 || echo $(( $1 * $(fact $(($1 - 1))) )); }
fact 10

section "substitution and subshells"
echo "$(echo nested $(echo deeper))" `echo back`
(cd /; x=sub; pwd); pwd | sed "s,$dir,DIR,"; echo $x
n=$(seq 1 100 | wc -l); echo $((n))
{ echo grouped; echo lines; } | tr a-z A-Z

section "redirection"
echo one > f1; echo two >> f1; cat f1
cat < f1 > f2; cmp f1 f2 && echo same
ls nonexistent 2> err; echo "status $?"; sed 's/^ls: //' err
echo to-stderr 2>&1 >/dev/null >&2 2>/dev/null
exec 5> f5; echo via five >&5; exec 5>&-; cat f5
read line < f1; echo "read: $line"
while read -r x y; do echo "y=$y x=$x"; done <<EOF
a b c
d  e
EOF
cat <<'EOF'
no $expansion `here`
EOF
cat <<-EOF
	stripped $a
	EOF
cat <<EOF | sort -r | head -n 2
1
3
2
EOF

section "pipes and status"
seq 1 1000 | grep 7 | wc -l
true | false; echo $?
false | true; echo $?
yes | head -n 3
echo abc | (read v; echo "got $v")
seq 1 20000 | tail -n 1
cat /dev/zero | head -c 100000 | wc -c

section "jobs, traps and signals"
sleep 5 & pid=$!
kill $pid; wait $pid; echo "status $?"
(exit 9) & wait $!; echo "status $?"
trap 'echo got USR1' USR1
kill -USR1 $$
trap 'echo exiting inner' EXIT; trap - EXIT
sh -c 'trap "echo bye" EXIT; exit 4'; echo $?
sh -c 'kill -TERM $$'; echo $?
sh -c 'kill -KILL $$'; echo $?
(sleep 0.05; kill -USR1 $$) & 
sleep 0.3; wait
(for i in 1 2 3 4 5; do (sleep 0.0$i; echo "job $i") & done; wait) | sort

section "files"
mkdir -p d/e/f; touch d/a d/e/b d/e/f/c
find d | sort
ln -s a d/link; readlink d/link; ln d/a d/hard
[ d/a -ef d/hard ] && echo hard
ls d; ls -a d | wc -l
chmod 640 d/a; stat -c '%a %s %F' d/a; chmod u+x,g-r d/a; stat -c '%a' d/a
umask 077; touch private; stat -c %a private; umask 022
cp -r d d2; diff -r d d2 && echo copied
mv d2/e d3; ls d3; rm -r d3
echo data > d/a; cat d/hard d/link
test -d d -a -f d/a -a -L d/link -a ! -e none && echo tests
basename /x/y.c .c; dirname /x/y.c
echo *; echo d/[a-h]*; echo none*
rm -rf d d2; ls

section "text tools"
cat > t <<EOF
carol 30 berlin
alice 25 paris
bob 35 rome
dave 25 paris
EOF
sort t; sort -k2n -k1 t; cut -d' ' -f1,3 t; awk '{ s += $2 } END { print s / NR }' t
awk '$2 == 25 { n[$3]++ } END { for (k in n) print k, n[k] }' t
awk -F' ' 'BEGIN { OFS = "-" } { $1 = toupper($1); print $1, length($3) }' t
sed -n '2,3p' t; sed 's/\(.*\) \(.*\) \(.*\)/\3 \1/' t; sed '/bob/d;s/a/A/g' t
sed -e '1i\' -e 'first' t | head -n 1
grep -c paris t; grep -v paris t; grep -n 'o' t; grep -E '^(a|b)' t
tr -d aeiou < t; tr -s 'l' < t | head -n 1
uniq -c <<EOF | sed 's/^ *//'
x
x
y
EOF
head -n 1 t; tail -n 1 t; wc t | sed 's/  */ /g'
paste t t | head -n 1; rev t | head -n 1; nl t | tail -n 1
echo "a,b;c" | tr ',;' '  ' | xargs -n 1 echo item
seq 5 | xargs echo; echo 3 4 | xargs -n 1 expr 10 +
od -c f1 | head -n 1; expr 7 \* 6; expr length hello
echo hello | md5sum; echo hello | sha256sum | cut -c 1-16
dd if=/dev/zero bs=1k count=10 2>/dev/null | wc -c
date -u -d @0 '+%Y-%m-%d %H:%M:%S'
bc 2>/dev/null <<EOF || echo no bc
2 ^ 64
EOF

section "archives"
mkdir pack; cp t f1 pack; ln -s t pack/s
tar -cf p.tar pack; rm -r pack; tar -tf p.tar | sort; tar -xf p.tar; cat pack/s | head -n 1
seq 1 5000 > big; gzip -k big && gunzip -c big.gz | cmp - big && echo gzip; rm big.gz
tar -czf p.tgz pack big; tar -tzf p.tgz | wc -l; bzip2 -c big | bunzip2 | cmp - big && echo bzip2
find pack -type f | sort | cpio -o -H newc 2>/dev/null > p.cpio; cpio -t < p.cpio 2>/dev/null

section "processes and environment"
export EXPORTED=yes; env | grep EXPORTED; sh -c 'echo $EXPORTED'
EXPORTED=other sh -c 'echo $EXPORTED'; echo $EXPORTED
unset EXPORTED; sh -c 'echo ${EXPORTED-unset}'
id -u; timeout 1 sleep 5; echo "timeout $?"
command -v cd; type cat >/dev/null && echo type
eval 'y=evaluated'; echo $y; (. ./sourced) 2>/dev/null || echo "no source"
echo 'z=from-file' > sourced; . ./sourced; echo $z
[ -t 0 ] || echo not a terminal
ulimit -n 100; ulimit -n
set -e; (set +e; false; echo survives); set +e
set -u; (echo $undefined) 2>/dev/null || echo unset; set +u
getopts_test() { while getopts ab:c o; do echo "opt $o $OPTARG"; done; }; getopts_test -a -b val -c
test "$(ps | grep -c .)" -ge 2 && echo ps
[ "$(cat /proc/$$/comm)" = script.sh ] || [ "$(cat /proc/$$/comm)" = busybox ] || [ "$(cat /proc/$$/comm)" = sh ] && echo comm

section "a game of life"
# Twenty generations of a glider on a 12 by 12 torus, by awk.
awk 'BEGIN {
	n = 12
	split("0 1,1 2,2 0,2 1,2 2", s, ",")
	for (i in s) { split(s[i], c, " "); g[c[1], c[2]] = 1 }
	for (t = 0; t < 20; t++) {
		for (y = 0; y < n; y++)
			for (x = 0; x < n; x++) {
				k = 0
				for (dy = -1; dy <= 1; dy++)
					for (dx = -1; dx <= 1; dx++)
						if (dx || dy)
							k += g[(y + dy + n) % n, (x + dx + n) % n]
				h[y, x] = (k == 3 || (k == 2 && g[y, x]))
			}
		for (i in h) g[i] = h[i]
	}
	for (y = 0; y < n; y++) {
		l = ""
		for (x = 0; x < n; x++) l = l (g[y, x] ? "#" : ".")
		print l
	}
}'

section "prime numbers, by the shell"
i=2
while [ $i -lt 60 ]; do
	j=2; prime=yes
	while [ $((j * j)) -le $i ]; do
		[ $((i % j)) = 0 ] && { prime=no; break; }
		j=$((j + 1))
	done
	[ $prime = yes ] && printf '%d ' $i
	i=$((i + 1))
done
echo

section "towers"
moves=0
hanoi() {
	[ $1 = 0 ] && return
	hanoi $(($1 - 1)) $2 $4 $3
	moves=$((moves + 1))
	hanoi $(($1 - 1)) $4 $3 $2
}
hanoi 7 a b c; echo $moves

section "a pipeline of ten"
seq 1 100 | cat | sort -rn | cat | head -n 50 | cat | sort -n | cat | tail -n 1 | cat
mkfifo fifo; (echo through the fifo > fifo &); cat fifo
cd /; rm -rf "$dir"; section end

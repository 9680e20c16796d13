#!/bin/sh
# Build the benchmark's programs: ./build.sh DIRECTORY
#   init     the benchmark itself, static
#   exit     a static program that does nothing
#   dynamic  the same, with the host's C library
#   source.c one of our own files with all it includes, for the compiler to compile
set -e
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"
# linux/futex.h and its kin are not musl's own.
cc="musl-gcc -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu -std=gnu11 -O2 -Wall -Wextra"
$cc -static -no-pie -s -Wl,-e,first -o "$out/init" ./*.c
$cc -static -no-pie -s -o "$out/exit" programs/exit.c
gcc -O2 -Wall -Wextra -s -o "$out/dynamic" programs/exit.c
$cc -E -P -o "$out/source.c" main.c

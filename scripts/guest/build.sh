#!/bin/sh
# Build the guest test program: ./build.sh OUTPUT
set -e
cd "$(dirname "$0")"
exec musl-gcc -idirafter /usr/include -idirafter /usr/include/x86_64-linux-gnu -static -O1 -g -Wall -Wno-unused-function -Wno-nonnull -Wno-format-overflow -Wno-infinite-recursion -Wno-return-type -Wno-stringop-overread -Wno-stringop-overflow -Wno-trampolines -Wno-unused-result -o "$1" *.c

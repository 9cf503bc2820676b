#!/usr/bin/env bash
# find_package(ioevent) of CMake finds what make install has put down, wherever it was moved since: programs that are
# built with each target run. Versions are taken or refused as they should be.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
if ! have cmake; then echo "cmake is not installed"; exit 77; fi
top=$build/cmake-test
rm -rf "$top"
mkdir -p "$top"
complain() {
    echo "ci/cmake-test.sh: $*"
    exit 1
}
version=$(sed -n 's/^version *= *"\([0-9.]*\).*"/\1/p' Cargo.toml | head -n 1)

# configured NAME PREFIX ARGUMENT...
configured() {
    cmake -S debian/tests/cmake -B "$top/$1" -DCMAKE_PREFIX_PATH="$2" "${@:3}" >"$top/$1.log" 2>&1
}
# works NAME PREFIX: all programs are built, and run.
works() {
    local kind
    configured "$1" "$2" || { cat "$top/$1.log"; complain "$1: not found"; }
    cmake --build "$top/$1" >"$top/$1.log" 2>&1 || { cat "$top/$1.log"; complain "$1: not built"; }
    for kind in ioevent static posix; do
        # CMake has put a run path in.
        env -u LD_LIBRARY_PATH timeout 60 "$top/$1/with-$kind" >/dev/null || complain "$1: with-$kind: status $?"
    done
    needed() { readelf -d "$top/$1/$2" | sed -n 's/.*(NEEDED).*\[\(libioevent.*\)\]/\1/p' | xargs; }
    [ "$(needed "$1" with-ioevent)" = libioevent.so.0 ] || complain "$1: with-ioevent needs $(needed "$1" with-ioevent)"
    [ -z "$(needed "$1" with-static)" ] || complain "$1: with-static needs $(needed "$1" with-static)"
}

# As Debian has it, with a directory for each machine if the compiler knows one.
libdir=/usr/lib/$("${CC:-cc}" -print-multiarch 2>/dev/null)
make -s install DESTDIR="$top/first" PREFIX=/usr LIBDIR="${libdir%/}" LDCONFIG= >/dev/null || complain "make install failed"
mv "$top/first" "$top/tree"
works moved "$top/tree/usr"

make -s install PREFIX="$top/prefix" DESTDIR= LDCONFIG= >/dev/null || complain "make install failed"
works prefix "$top/prefix"

IFS=. read -r major minor patch <<<"$version"
asks() { configured versions "$top/prefix" "$@"; }
for taken in "$version" "$major.$minor" "$major" "0...$major.$((minor + 1))"; do
    asks -DWANTED="$taken" -DEXACT= || complain "$version is refused, and $taken was asked for"
done
asks -DWANTED="$version" -DEXACT=EXACT || complain "$version is refused, and exactly that was asked for"
for refused in "$major.$minor.$((patch + 1))" "$major.$((minor + 1))" "$((major + 1))" "0...<$version"; do
    ! asks -DWANTED="$refused" -DEXACT= || complain "$version is taken, and $refused was asked for"
done
! asks -DWANTED="$major.$minor.$((patch + 1))" -DEXACT=EXACT || complain "another version is taken for exactly this one"

# What is not whole is not found.
rm "$top/prefix/lib/libioevent.a"
! asks -DWANTED= -DEXACT= || complain "found without libioevent.a"
grep -q 'libioevent.a is missing' "$top/versions.log" || complain "CMake does not say what is missing"
rm -rf "$top"
exit 0

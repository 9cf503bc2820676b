#!/usr/bin/env bash
# link_test.sh DIR: how programs are linked to libioevent_posix.so. PKG_CONFIG_PATH leads to its .pc file; DIR has it.
set -u -o pipefail
cd "$(dirname "$0")" || exit 1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
export LD_LIBRARY_PATH=$1
cc=${CC:-cc}
read -r -a flags < <(pkg-config --cflags --libs libioevent-posix)

n=0
status=0
ok() { echo "ok $((++n)) $1"; }
not_ok() {
    echo "not ok $((++n)) $1"
    status=1
}
needs() { readelf -d "$out/$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# A program that has nothing but plain names depends on the library, whatever the linker thinks of as needed.
cat >"$out/plain.c" <<'END'
#include <fcntl.h>
#include <unistd.h>
int main(void) { char c; return read(-1, &c, 1) != -1 || fcntl(-1, F_GETFL) != -1; }
END
for option in "" -Wl,--as-needed -Wl,--no-as-needed; do
    $cc "$out/plain.c" -o "$out/plain" $option "${flags[@]}" && needs plain | grep -qx libioevent_posix.so.0 &&
        [ "$(needs plain | grep -nx 'libioevent_posix.so.0\|libc.so.6' | sort -n | head -n 1 | cut -d: -f2)" = libioevent_posix.so.0 ] &&
        "$out/plain" && ok "linked ${option:-as usual} it comes before libc" ||
        not_ok "linked ${option:-as usual} it comes before libc"
done

for fortified in 0 1 2 3; do
    for offsets in "" -D_FILE_OFFSET_BITS=64 -D_LARGEFILE64_SOURCE; do
        $cc -O2 -w -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$fortified $offsets calls.c -o "$out/calls" "${flags[@]}" &&
            "$out/calls" && ok "_FORTIFY_SOURCE=$fortified $offsets" || not_ok "_FORTIFY_SOURCE=$fortified $offsets"
    done
done

if command -v "${CXX:-g++}" >/dev/null; then
    "${CXX:-g++}" -O2 -Wall -Wextra -Werror late_static.cc -o "$out/late_static" -pthread &&
        LD_PRELOAD=$1/libioevent_posix.so "$out/late_static" && ok "C++, preloaded" || not_ok "C++, preloaded"
    "${CXX:-g++}" -O2 -Wall -Wextra -Werror late_static.cc -o "$out/late_static" "${flags[@]}" -pthread &&
        "$out/late_static" && ok "C++, linked" || not_ok "C++, linked"
fi
exit $status

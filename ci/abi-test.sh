#!/usr/bin/env bash
# ci/abi.sh sees what breaks the ABI, and lets pass what a later version may add: in a copy of what it looks at, changed
# in one place after the other.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
if ! have abidiff; then echo "abigail-tools is not installed"; exit 77; fi
archive=$build/dist/libioevent.a
top=$build/abi-test
status=0
rm -rf "$top"
ci/abi.sh "$stage/lib" >/dev/null # leaves in $build/abi what there is; what it says of it is another test's matter
export CARGO_TARGET_DIR=$top/target

# begin: a fresh copy, with the ABI that there is as that of the release 1.2.0, of which it is.
begin() {
    rm -rf "$top"
    mkdir -p "$top/lib"
    cp -r Cargo.toml abi ci include "$top"
    cp "$stage/lib/libioevent.so" "$stage/lib/libioevent_posix.so" "$top/lib"
    cp "$build/abi/symbols" "$build/abi/symbols-posix" "$build/abi/constants" "$build/abi/types.xml" "$top/abi"
    echo "1.2.0 libioevent.so.0" >"$top/abi/release"
    version 1.2.0
}
version() { sed -i "s/^version = .*/version = \"$1\"/" "$top/Cargo.toml"; }
# change FILE EDIT: by sed; it must find something to change.
change() {
    cp "$top/$1" "$top/before"
    sed -i "$2" "$top/$1"
    ! cmp -s "$top/$1" "$top/before" || { echo "ci/abi-test.sh: nothing to change in $1: $2"; exit 1; }
}
# linked [OBJECT [SONAME]]: the library with the map of the copy.
linked() {
    LDFLAGS="${1:-}" "$top/ci/link.sh" "$archive" "$top/lib/libioevent.so" "${2:-libioevent.so.0}" || exit 1
}
# added NODE: a function, with a version of this node.
added() {
    echo 'int ioevent_added(void); int ioevent_added(void) { return 0; }' >"$top/added.c"
    "${CC:-cc}" -c -fPIC -o "$top/added.o" "$top/added.c" || exit 1
    change include/ioevent.h 's/^int ioeventpipe(int nevents);/int ioevent_added(void);\n&/'
    if grep -q "^$1 {" "$top/abi/libioevent.map"; then
        change abi/libioevent.map "/^$1 {/,/global:/s/global:/&\n    ioevent_added;/"
    else
        printf '%s {\nglobal:\n    ioevent_added;\n} %s;\n' "$1" "$(sed -n 's/ {$//p' "$top/abi/libioevent.map" | tail -n 1)" \
            >>"$top/abi/libioevent.map"
    fi
    linked "$top/added.o"
}
# sees WHAT PATTERN, passes WHAT: what ci/abi.sh makes of it.
sees() {
    if "$top/ci/abi.sh" "$top/lib" >"$top/said" 2>&1; then echo "ci/abi.sh does not see $1"; status=1; fi
    grep -qE -- "$2" "$top/said" || { echo "$1: ci/abi.sh does not name it, but says:"; cat "$top/said"; status=1; }
}
passes() {
    "$top/ci/abi.sh" "$top/lib" >"$top/said" 2>&1 || { echo "ci/abi.sh complains of $1:"; cat "$top/said"; status=1; }
}
removed() { change abi/libioevent.map '/ ioevent_dup3;/d' && linked; }
field() { change include/ioevent.h 's/^  int ioe_errno;/  long ioe_errno;/'; }

begin
passes "no change"
removed
sees "a function that is not exported" '^-ioevent_dup3@@'

begin
field
sees "a field of another type" ioe_errno

begin
change include/ioevent.h 's/^  unsigned long ioo_zero\[4\];/  unsigned long ioo_zero[5];/'
sees "a struct that has grown" 'size changed from 960 to 1024'

begin
change include/ioevent.h 's/^int ioevent_poll(int fd,/int ioevent_poll(long fd,/'
sees "a parameter of another type" ioevent_poll

begin
change include/ioevent.h 's/^\(#define IOEVENT_INLINE \).*/\14/'
sees "another number" 'IOEVENT_INLINE 0x4'

begin
echo zzz >>"$top/abi/symbols-posix"
sees "a plain name that is gone" '^-zzz'

# The next releases.
begin
version 1.3.0
passes "no change in a later version"
change include/ioevent.h 's/^#define IOEVENT_INLINE .*/&\n#define IOEVENT_ADDED 64/'
passes "a number that is added"
field
sees "a field of another type in a later version" ioe_errno

begin
version 1.3.0
removed
sees "a function that is gone in a later version" '^ioevent_dup3@@'
linked "" libioevent.so.1
passes "a function that is gone, with another SONAME"
version 1.2.1
sees "another SONAME in a patch release" SONAME

begin
version 1.3.0
added IOEVENT_1.3
passes "a function that is added to the newest node"
version 1.4.0
sees "a function that is added to a node that is not this version's" 'ioevent_added@@IOEVENT_1.3'
version 1.2.1
sees "a function that a patch release adds" 'ioevent_added@@IOEVENT_1.3'
version 1.1.0
sees "a version before the last release" later

begin
version 1.3.0
added "$(map_symbols | sed -n '1s/.*@@//p')"
sees "a function that is added to a node that was released" ioevent_added@@IOEVENT_0

rm -rf "$top"
exit $status

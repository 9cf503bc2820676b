#!/bin/sh
# ci/link.sh ARCHIVE OUTPUT SONAME: links libioevent.so from libioevent.a.
#
# rustc gives the linker a list of symbols without versions, which no linker takes together with a map that has some. So
# rustc makes the archive, all of it optimised as one, and the C compiler makes the library of what the functions of
# abi/libioevent.map need of it, as rustc would have.
#
# The C compiler is the one that cargo is told to link with for CARGO_BUILD_TARGET (CARGO_TARGET_..._LINKER), if it is;
# else CC; else cc. LDFLAGS: more for the linker.
set -u
archive=${1:?archive} output=${2:?output} soname=${3:?soname}
map=$(dirname "$0")/../abi/libioevent.map
compiler=${CC:-cc}
if [ -n "${CARGO_BUILD_TARGET:-}" ]; then
    variable=CARGO_TARGET_$(printf %s "$CARGO_BUILD_TARGET" | tr a-z.- A-Z__)_LINKER
    compiler=$(printenv "$variable" || printf %s "$compiler")
fi

# The functions of the map are what is taken out of the archive.
set --
for function in $(sed -n 's/^ *\([a-z][a-z0-9_]*\);$/\1/p' "$map"); do set -- "$@" "-Wl,-u,$function"; done
[ $# != 0 ] || { echo "ci/link.sh: no function in $map" >&2; exit 1; }

# It has threads of its own, which run its code: once loaded it stays (nodelete). A function that is bound at its first
# call takes the loader's lock at that time (now).
# shellcheck disable=SC2086 # words
$compiler -shared -o "$output" -Wl,-soname,"$soname" -Wl,--version-script="$map" "$@" "$archive" \
    -Wl,--gc-sections -Wl,-O1 -Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,defs \
    ${LDFLAGS:-} -Wl,--as-needed -lpthread -ldl || {
    status=$?
    echo "ci/link.sh: $compiler cannot link $archive; for another machine, say which one does: CC=..." >&2
    exit $status
}

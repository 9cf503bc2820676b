#!/usr/bin/env bash
# ci/symbols.sh DIR: what libioevent.so and libioevent.a in DIR show to the linker.  Names of libc (read, write, ...)
# must never be among it: they would take over those calls in every program that links the library.
set -u -o pipefail
dir=$(cd "${1:?directory of libioevent.so}" && pwd) || exit 1
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
status=0
complain() {
    echo "$@"
    status=1
}

soname=$(readelf -d "$dir/libioevent.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
[ "$soname" = libioevent.so.0 ] || complain "SONAME is '$soname', not libioevent.so.0"

functions=$(header_functions)
[ -n "$functions" ] || complain "found no function in include/ioevent.h"
exported=$(nm -D --defined-only "$dir/libioevent.so" | awk '{ print $NF }' | sort -u)
missing=$(comm -23 <(echo "$functions") <(echo "$exported"))
[ -z "$missing" ] || complain "declared in ioevent.h and not exported:" $missing
extra=$(comm -13 <(echo "$functions") <(echo "$exported"))
[ -z "$extra" ] || complain "exported and not declared in ioevent.h:" $extra

# Rust's own names are mangled (_ZN, _R); its run-time support begins with two underscores, rust_ or DW.ref, or is
# hidden in compiler_builtins.  By readelf: nm shows nothing of objects that a plug-in of LLVM's, where there is one,
# takes for its own.
foreign=$(readelf -sW "$dir/libioevent.a" 2>/dev/null | awk '
    /^File: / { builtins = /\(compiler_builtins-/; next }
    ($5 == "GLOBAL" || $5 == "WEAK") && $7 != "UND" && !(builtins && $6 == "HIDDEN") { print $8 }' | sort -u |
    grep -vE '^(_ZN|_R|__|rust_|DW\.ref\.)')
missing=$(comm -23 <(echo "$functions") <(echo "$foreign"))
[ -z "$missing" ] || complain "declared in ioevent.h and not in libioevent.a:" $missing
extra=$(comm -13 <(echo "$functions") <(echo "$foreign"))
[ -z "$extra" ] || complain "global in libioevent.a and not declared in ioevent.h:" $extra

exit $status

#!/usr/bin/env bash
# ci/abi.sh DIR           the libraries in DIR and include/ioevent.h keep to the ABI of the last release, which abi/ has
# ci/abi.sh --write DIR   writes abi/ anew (make abi): before a release, which this version then is
#
# In abi/ are:
#   release                 the version that the other files are of, and its SONAME
#   symbols                 what libioevent.so exports, with versions
#   symbols-posix           what libioevent_posix.so exports
#   constants               the numbers of the header's macros
#   types.xml               the functions of the header and their types, as abidw(1) writes them
#   libioevent.map          how libioevent.so is linked; the other files are made
#
# While the version in Cargo.toml is that of abi/release, nothing may differ. Once it is higher, the next release is
# being made: what is there stays as it is, and what is added has the version of that release; or the SONAME is another,
# and with it all may be (ioevent_abi(7)).
#
# The types are the header's, as a C compiler understands them: the library is no use for that, since Rust describes
# types of its own.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
write=no
[ "${1:-}" != --write ] || { write=yes; shift; }
dir=${1:?directory of libioevent.so}
work=$build/abi
rm -rf "$work"
mkdir -p "$work" || exit 1
status=0
complain() {
    echo "ci/abi.sh: $*"
    status=1
}
die() { complain "$@"; exit 1; }

# ---- what there is ----

exports() { nm -D --defined-only "$dir/$1" | awk '$2 != "A" { print $NF }' | sort; }
exports libioevent.so >"$work/symbols" && exports libioevent_posix.so >"$work/symbols-posix" || die "no libraries in $dir"
functions=$(header_functions)
[ -n "$functions" ] || die "found no function in include/ioevent.h"

# The types of libc's are not ours, and their fields no matter.
{
    echo '#define _GNU_SOURCE 1'
    grep '^#include <' include/ioevent.h
    for type in iovec msghdr sockaddr; do printf 'struct abi_%s;\n#define %s abi_%s\n' $type $type $type; done
    printf '#define siginfo_t struct abi_siginfo\n#define idtype_t int\n'
    echo '#include "ioevent.h"'
    for name in $functions; do
        echo "extern __typeof__($name) *const abi_$name; __typeof__($name) *const abi_$name = $name;"
    done
} >"$work/types.c"
compile() { "${CC:-cc}" -std=gnu11 -g -O0 -w -Iinclude "$@"; }
compile -shared -fPIC -o "$work/types.so" "$work/types.c" || die "include/ioevent.h does not compile"

# The version is another each time. Macros without a value, or with arguments, are no numbers.
macros=$(compile -E -dM "$work/types.c" | awk '
    $2 ~ /^(E?IOEVENT_?|F_[GS]ETIOEVENT)[A-Z0-9_]*$/ && $2 !~ /^IOEVENT_VERSION/ && NF > 2 { print $2 }')
{
    printf '#define _GNU_SOURCE 1\n#include "ioevent.h"\n#include <stdio.h>\nint main(void)\n{\n'
    for name in $macros; do echo "printf(\"$name 0x%llx\\n\", (unsigned long long)($name));"; done
    echo 'return 0; }'
} >"$work/constants.c"
compile -o "$work/print-constants" "$work/constants.c" && "$work/print-constants" | sort >"$work/constants" ||
    die "a macro of include/ioevent.h is no number"
[ "$(wc -l <"$work/constants")" -gt 30 ] || die "found hardly any number in include/ioevent.h"

if have abidw && have abidiff; then
    abidw --no-show-locs --no-corpus-path --no-comp-dir-path --out-file "$work/types.xml" "$work/types.so" || die "abidw failed"
    # Where this was done is of no interest.
    sed -i "s|path='/[^']*/types.c'|path='types.c'|" "$work/types.xml"
elif [ $write = yes ]; then
    die "abidw and abidiff are missing: install abigail-tools"
fi

# ---- what was released ----

version=$(sed -n 's/^version *= *"\([0-9.]*\).*"$/\1/p' Cargo.toml | head -n 1)
read -r released released_soname 2>/dev/null <abi/release
soname=$(readelf -dW "$dir/libioevent.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
node=IOEVENT_${version%.*}
newest=$(sed -n 's/^\([A-Z0-9_.]*\) {$/\1/p' abi/libioevent.map | tail -n 1)

types_differ() { # FLAG...
    [ -e "$work/types.xml" ] || return 1
    ! abidiff --harmless --no-architecture "$@" abi/types.xml "$work/types.xml" >"$work/types.diff" 2>&1
}
same() {
    local file
    [ "$soname" = "$released_soname" ] || complain "the SONAME is $soname, and was $released_soname"
    for file in symbols symbols-posix constants; do
        diff -u "abi/$file" "$work/$file" >"$work/diff" || { complain "abi/$file is not what there is:" && cat "$work/diff"; }
    done
    if types_differ; then complain "abi/types.xml is not what there is:" && cat "$work/types.diff"; fi
}
compatible() {
    local file gone added
    if [ "$soname" != "$released_soname" ]; then
        [ "${version%.*}" != "${released%.*}" ] || complain "only a new minor version may have another SONAME"
        return
    fi
    for file in symbols symbols-posix constants; do
        gone=$(comm -23 "abi/$file" "$work/$file")
        [ -z "$gone" ] || complain "in $released, and no more or no more so:"$'\n'"$gone"
    done
    if types_differ --no-added-syms; then complain "not the types of $released:" && cat "$work/types.diff"; fi
    added=$(comm -13 abi/symbols "$work/symbols")
    [ -z "$added" ] || [ "${version%.*}" != "${released%.*}" ] ||
        complain "added since $released, which only a new minor version may do:"$'\n'"$added"
    added=$(grep -v "@@$node\$" <<<"$added")
    [ -z "$added" ] || complain "added since $released, and not to the node $node of abi/libioevent.map:"$'\n'"$added"
    [ "$newest" = "$node" ] || cmp -s abi/symbols "$work/symbols" || complain "$node is not the last node of abi/libioevent.map"
}

[ -n "$version" ] && [ -n "$newest" ] || die "found no version in Cargo.toml, or no node in abi/libioevent.map"
if [ $write = yes ]; then
    if [ "$version" = "$released" ]; then
        [ -z "$(git tag -l "v$version" 2>/dev/null)" ] || die "$version is released: raise the version in Cargo.toml first"
    elif [ -n "$released" ]; then
        compatible
        [ $status = 0 ] || exit 1
    fi
    echo "$version $soname" >"$work/release"
    cp "$work/release" "$work/symbols" "$work/symbols-posix" "$work/constants" "$work/types.xml" abi/
elif [ -z "$released" ]; then
    die "abi/release is missing: make abi writes it"
elif [ "$version" = "$released" ]; then
    same
    [ $status = 0 ] || echo "ci/abi.sh: if it is meant to be so, and $version is not released yet: make abi"
elif [ "$(printf '%s\n' "$released" "$version" | sort -V | tail -n 1)" != "$version" ]; then
    complain "the version in Cargo.toml is $version, and abi/ is of $released, which is later"
else
    compatible
fi
if [ $status = 0 ] && [ $write = no ] && [ ! -e "$work/types.xml" ]; then
    echo "functions and numbers are as they were; types were not compared: abigail-tools is not installed"
    exit 77
fi
exit $status

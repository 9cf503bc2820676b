#!/usr/bin/env bash
# ci/symbols.sh DIR: what libioevent.so and libioevent.a in DIR show to the linker.  Names of libc (read, write, ...)
# must never be among it: they would take over those calls in every program that links the library.  Each function has
# the version that abi/libioevent.map gives it.  And what libioevent_posix.so shows, which is just such names: those of
# posix/exports.txt, without versions, and all of libc's that take a descriptor, but for those that
# posix/not-exported.txt gives a reason for.
set -u -o pipefail
dir=$(cd "${1:?directory of libioevent.so}" && pwd) || exit 1
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
status=0
complain() {
    echo "$@"
    status=1
}

# dynamic LIBRARY TAG: the values of this tag.
dynamic() { readelf -dW "$dir/$1" | sed -n "s/.*($2).*\[\(.*\)\]/\1/p" | sort | xargs; }
flags() { readelf -dW "$dir/$1" | grep -c "FLAGS_1).*$2"; }

soname=$(dynamic libioevent.so SONAME)
[ "$soname" = libioevent.so.0 ] || complain "SONAME is '$soname', not libioevent.so.0"
[ "$(flags libioevent.so NODELETE)" = 1 ] || complain "libioevent.so is not linked with -z nodelete"

functions=$(header_functions)
[ -n "$functions" ] || complain "found no function in include/ioevent.h"
versioned=$(nm -D --defined-only "$dir/libioevent.so" | awk '$2 != "A" { print $NF }' | sort -u)
exported=$(sed 's/@.*//' <<<"$versioned" | sort -u)
missing=$(comm -23 <(echo "$functions") <(echo "$exported"))
[ -z "$missing" ] || complain "declared in ioevent.h and not exported (it has to be in abi/libioevent.map):" $missing
extra=$(comm -13 <(echo "$functions") <(echo "$exported"))
[ -z "$extra" ] || complain "exported and not declared in ioevent.h:" $extra
different=$(comm -3 <(echo "$versioned") <(map_symbols | sort))
[ -z "$different" ] || complain "exported, or in abi/libioevent.map, and not both with this version:" $different

# Rust's own names are mangled (_ZN, _R); its run-time support begins with two underscores, rust_ or DW.ref, or is
# hidden in compiler_builtins; the probes have one hidden mark for all of a program (_.stapsdt.base).  By readelf: nm
# shows nothing of objects that a plug-in of LLVM's, where there is one, takes for its own.
foreign=$(readelf -sW "$dir/libioevent.a" 2>/dev/null | awk '
    /^File: / { builtins = /\(compiler_builtins-/; next }
    ($5 == "GLOBAL" || $5 == "WEAK") && $7 != "UND" && !(builtins && $6 == "HIDDEN") { print $8 }' | sort -u |
    grep -vE '^(_ZN|_R|__|rust_|DW\.ref\.|_\.stapsdt\.base$)')
missing=$(comm -23 <(echo "$functions") <(echo "$foreign"))
[ -z "$missing" ] || complain "declared in ioevent.h and not in libioevent.a:" $missing
extra=$(comm -13 <(echo "$functions") <(echo "$foreign"))
[ -z "$extra" ] || complain "global in libioevent.a and not declared in ioevent.h:" $extra

# ---- libioevent_posix.so ----

posix=$dir/libioevent_posix.so
soname=$(dynamic libioevent_posix.so SONAME)
[ "$soname" = libioevent_posix.so.0 ] || complain "SONAME is '$soname', not libioevent_posix.so.0"
[[ " $(dynamic libioevent_posix.so NEEDED) " == *" libioevent.so.0 "* ]] ||
    complain "libioevent_posix.so is not linked to libioevent.so.0"
runpath=$(dynamic libioevent_posix.so RUNPATH)
[ "$runpath" = "${IOEVENT_RUNPATH-\$ORIGIN}" ] || complain "libioevent_posix.so does not look beside itself, but in '$runpath'"
[ "$(flags libioevent_posix.so NOW)$(flags libioevent_posix.so NODELETE)" = 11 ] ||
    complain "libioevent_posix.so is not linked with -z now -z nodelete"

listed() { sed 's/#.*//' "$1" | tr -s ' \t' '\n' | grep . | sort; }
exports=$(listed posix/exports.txt)
exported=$(nm -D --defined-only "$posix" | awk '{ print $NF }' | sort)
missing=$(comm -23 <(echo "$exports") <(echo "$exported"))
[ -z "$missing" ] || complain "in posix/exports.txt and not exported:" $missing
extra=$(comm -13 <(echo "$exports") <(echo "$exported"))
[ -z "$extra" ] || complain "exported (with a version?) and not in posix/exports.txt:" $extra
# A version would keep read and its like from programs that ask for libc's: read@GLIBC_2.2.5 is met by a read of no
# version, and not by one of another.
[ "$(readelf -dW "$posix" | grep -c '(VERDEF)')" = 0 ] || complain "libioevent_posix.so defines versions"
[ "$(readelf -VW "$posix" | grep -c 'Name: IOEVENT_')" != 0 ] ||
    complain "libioevent_posix.so does not ask for versions of libioevent.so's functions"
twice=$(cat <(echo "$exports") <(listed posix/not-exported.txt) | sort | uniq -d)
[ -z "$twice" ] || complain "in both lists of posix/, or twice in one:" $twice

# Each goes on by a jump: with a frame, pthread_cancel would unwind through it. This is looked at on x86-64.
frames=$(objdump -dw --no-show-raw-insn "$posix" | awk -v exports="$exports" '
    BEGIN { n = split(exports, name, "\n"); for (i = 1; i <= n; i++) ours["<" name[i] ">:"]; delete ours["<ioevent_posix_active>:"] }
    /file format/ && !/x86-64/ { seen = n - 1; exit }
    /^[0-9a-f]+ </ { here = $2 in ours ? $2 : ""; seen += here != "" }
    here != "" && ($2 ~ /^(push|pop|call|ret|leave|enter)/ || $2 ~ /^(sub|add|lea)/ && $0 ~ /%[re]sp$/) { print here, $2 }
    END { if (seen != n - 1) print "found only", seen + 0, "of", n - 1 }')
[ -z "$frames" ] || complain "functions of libioevent_posix.so that have a frame:" "$frames"

# Only libc's own interface; "thread" is no read.
libc=$(LD_TRACE_LOADED_OBJECTS=1 "$(command -v cat)" | awk '$1 == "libc.so.6" { print $3 }')
families="read|write|recv|send|splice|tee|close|dup|accept|connect|fcntl|sync|shutdown|waitid|strerr|perror"
alike=$(nm -D --defined-only "$libc" | awk -v families="$families" '
    $3 !~ /GLIBC_PRIVATE/ {
        sub(/@.*/, "", $3)
        name = $3
        gsub(/thread/, "", name)
        if (name ~ families) print $3
    }' | sort -u)
[ "$(wc -l <<<"$alike")" -gt 80 ] || complain "found hardly any function in $libc"
forgotten=$(comm -23 <(echo "$alike") <(cat <(echo "$exports") <(listed posix/not-exported.txt) | sort))
[ -z "$forgotten" ] || complain "in libc, and in no list of posix/:" $forgotten

exit $status

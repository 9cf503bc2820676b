#!/usr/bin/env bash
# trace_test.sh DIR: a program with libioevent_posix.so of DIR preloaded makes the system calls that it makes without,
# and those that load libraries: it opens nothing else, starts no thread, and asks for no process or thread number,
# which a program in a sandbox is killed for.
set -u -o pipefail
posix=$1/libioevent_posix.so
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
command -v strace >/dev/null || { echo "strace is not installed"; exit 77; }
strace -f -o "$out/probe" true 2>"$out/err" || { echo "strace does not run here: $(head -n 1 "$out/err")"; exit 77; }

n=0
status=0
ok() { echo "ok $((++n)) $1"; }
not_ok() {
    echo "not ok $((++n)) $1"
    status=1
}
# The names of the system calls of a trace, sorted.
calls() { sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' "$1" | sort; }

# traced NAME COMMAND...: with nothing but true preloaded, which is what strace itself is run with.
traced() {
    local name=$1 more opened
    shift
    strace -f -o "$out/without" "$@" >"$out/said" 2>&1
    strace -f -E LD_PRELOAD="$posix" -o "$out/with" "$@" >"$out/said.with" 2>&1
    cmp -s "$out/said" "$out/said.with" && ok "$name says the same" || not_ok "$name says the same"
    more=$(comm -13 <(calls "$out/without") <(calls "$out/with") |
        grep -vxE 'openat|read|pread64|newfstatat|fstat|mmap|munmap|mprotect|close|access' | sort -u | xargs)
    [ -z "$more" ] && ok "$name makes no other system call" || not_ok "$name makes other system calls: $more"
    # Where it looks for libraries is the loader's business; what it finds are libraries.
    opened=$(comm -13 <(opens "$out/without") <(opens "$out/with") | grep -vE '/lib[^/]*\.so[.0-9]*$' | xargs)
    [ -z "$opened" ] && ok "$name opens nothing but libraries" || not_ok "$name opens more: $opened"
}
opens() { sed -n 's/^[0-9]* *openat([^"]*"\([^"]*\)".* = [0-9]*$/\1/p' "$1" | sort; }

traced true true
traced cat cat "$0"
traced "a shell" sh -c 'echo a | cat; exec 3</dev/null; exec 3<&-; (exit 3); echo $?'
# The address space of the two libraries, and not much more.
(
    ulimit -v 65536
    LD_PRELOAD=$posix cat "$0"
) >/dev/null 2>&1 && ok "64 MB of address space are enough" || not_ok "64 MB of address space are not enough"
exit $status

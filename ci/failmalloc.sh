#!/usr/bin/env bash
# ci/failmalloc.sh [--all] [NAME...]: short memory. Runs ten C tests (or those named) while an allocation that the
# library makes fails: the n-th only, and all from the n-th on; n goes through a dozen numbers, with --all through all.
# A test passes, or fails where the library says ENOMEM; none ends by a signal (abort) or hangs.
#
# make stage (or make check) must have been run before.  CC chooses the compiler.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

bin=$build/inject
# Of all kinds: disk files, transfers, timers, threads, forks, what is tried again, what a pipe is closed under. All are
# quick.
tests=(file_read_write pread sendfile splice_file submit_transfers timer_threads threads_many pool_fork connect_unix_full
    shutdown_connect)

# --run NAME AT|FROM N: one run.
if [ "${1:-}" = --run ]; then
    out=$(cd "$bin" && env RUST_BACKTRACE=0 "FAIL_$3=$4" LD_PRELOAD="$bin/failmalloc.so" TEST_TIMEOUT=30 timeout -k 5 60 "$c_tests/$2" 2>&1)
    rc=$?
    case $rc in
    0 | 77) exit 0 ;;
    1)
        case $out in
        *watchdog*) ;;
        *"errno 12"* | *ENOMEM* | *"Cannot allocate"*) exit 0 ;;
        esac
        ;;
    esac
    echo "$2 with FAIL_$3=$4: exit status $rc: $out"
    exit 1
fi

# --one NAME MOST: all runs of one test, but no more than MOST of a kind; some at a time.
if [ "${1:-}" = --one ]; then
    rm -f "$bin/$2.count"
    (cd "$bin" && COUNT=$bin/$2.count LD_PRELOAD=$bin/failmalloc.so timeout 60 "$c_tests/$2") || exit
    count=$(cat "$bin/$2.count") || exit
    if [ "$count" = 0 ]; then echo "no allocation was seen"; exit 1; fi
    step=$(((count + $3 - 1) / $3))
    echo "$count allocations; every ${step}th"
    for ((n = 1; n <= count; n += step)); do printf '%s %s\n' AT $n FROM $n; done |
        xargs -P 3 -L 1 "$0" --run "$2"
    exit
fi

most=12
if [ "${1:-}" = --all ]; then
    most=1000000
    shift
fi
[ $# = 0 ] || tests=("$@")

use_stage

# Only glibc has the names that it passes calls on to.
compile() {
    local name
    mkdir -p "$bin"
    "${CC:-cc}" -std=gnu11 -O2 -g -Wall -Wextra -Werror -shared -fPIC c-tests/inject/failmalloc.c -o "$bin/failmalloc.so" ||
        return 1
    for name in "${tests[@]}"; do c_program "$name" || return 1; done
}
if ! compile >"$logs/failmalloc-build.log" 2>&1; then
    failed "short memory" "the programs do not compile" "$logs/failmalloc-build.log"
    finish
fi
for name in "${tests[@]}"; do
    STEP_TIMEOUT=1800 step "short memory: $name" "$0" --one "$name" $most
done
finish

#!/usr/bin/env bash
# ci/platforms.sh [all|NAME...]: runs C tests (a few that use most of the library; all; or those named) where something
# is not there that the library may use: each row of the table below.  `make check-platforms` runs all, in half an hour.
#
# make stage (or make check) must have been run before.  CC chooses the compiler.  ROWS="docker no-proc": only these.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

rows=(docker linux-5.4 no-proc few-descriptors no-threads read-only)
[ -z "${ROWS:-}" ] || read -r -a rows <<<"$ROWS"
bin=$build/inject

# in_row ROW PROGRAM: all but no-threads are c-tests/inject/confine.c's.
in_row() {
    case $1 in
    no-threads) LD_PRELOAD=$bin/no_threads.so WITHOUT_THREADS=1 "$2" ;;
    *) "$bin/confine" "$@" ;;
    esac
}
# These tests are about what only threads of the library's own do: go on while no thread harvests, poll files that tell of
# a thing once, wait for a disk in the place of a thread of the program's, let threads on standby go.
threads_tests="alone_visits close_pipe_worker datagram_unconnected ended_part file_pollable file_pollable_inline file_proc
    inline_order_writes inline_others inline_partial lock_held lock_transfers netlink_full one_processor poll_again poll_consumed
    poll_mounts progress server_blocks_attach server_blocks_nobody shutdown_now shutdown_order socket_timeouts
    splice_after_connect splice_part_waits submit_user"
threads_tests=${threads_tests//$'\n'/ }
if [ "${1:-}" = --one ]; then
    case "$2: $threads_tests " in "no-threads:"*" ${3##*/} "*)
        echo "it is about threads of the library's own"
        exit 77
        ;;
    esac
    case $2:$build in read-only:/tmp/*) echo "this tree lies in /tmp"; exit 77 ;; esac
    cd "$bin" || exit 1
    if [ "${3##*/}" != server ]; then
        in_row "$2" "$3" 2>&1 | tee "$logs/platforms-$2-${3##*/}.said"
        rc=${PIPESTATUS[0]}
        # What a test itself needs more of than the row has.
        if [ "$2:$rc" = few-descriptors:1 ] && tail -n 1 "$logs/platforms-$2-${3##*/}.said" |
            grep -E 'Too many open files|F_DUPFD.*errno 22|: dup[23]\(.*errno 9'; then
            rc=77
        fi
        exit $rc
    fi
    # It names the parts that fail.
    out=$(in_row "$2" "$3") || { rc=$?; echo "$out"; exit $rc; }
    [ "$out" = works ] || { echo "$out"; exit 1; }
    exit 0
fi

case ${1:-} in
"") tests=(inject/server read_write accept connect file_read_write timer_order threads_exact pool_many pool_threads) ;;
all)
    tests=(inject/server)
    for source in c-tests/*.c; do
        ! grep -q 'main *(' "$source" || [ "$source" = c-tests/huge.c ] || tests+=("$(basename "$source" .c)")
    done
    ;;
*) tests=("$@") ;;
esac

use_stage
compile() {
    mkdir -p "$bin" && "${CC:-cc}" -std=gnu11 -O2 -g -Wall -Wextra -Werror c-tests/inject/confine.c -o "$bin/confine" &&
        "${CC:-cc}" -std=gnu11 -O2 -g -Wall -Wextra -Werror -shared -fPIC c-tests/inject/no_threads.c -o "$bin/no_threads.so" \
            -ldl -pthread
}
if ! compile >"$logs/platforms-build.log" 2>&1; then
    failed "platforms" "the programs do not compile" "$logs/platforms-build.log"
    finish
fi

one_test() {
    local row flags=() log
    [ "$1" != inject/server ] || flags=(-lutil)
    log=$(log_of "platforms $1, build")
    if ! c_program "$1" "${flags[@]}" >"$log" 2>&1; then
        failed "platforms $1" "it does not compile" "$log"
        return
    fi
    for row in "${rows[@]}"; do
        STEP_TIMEOUT=180 step "$row: ${1##*/}" ci/platforms.sh --one "$row" "$c_tests/${1##*/}"
    done
}
each_side_by_side one_test "${tests[@]}"
finish

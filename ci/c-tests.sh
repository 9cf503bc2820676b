#!/usr/bin/env bash
# ci/c-tests.sh [plain|posix|build|debug|valgrind|san|tsan] [NAME...]: builds the programs of c-tests/ (or only those
# named) against the staged install, through pkg-config, and runs them; plain runs the c-tests/*_test.sh scripts too.
#
#   plain      warnings are errors
#   posix      built anew with the plain names, read and not ioevent_read, and linked to libioevent_posix.so; what
#              c-tests/plain_names.txt says is done with some of them
#   build      as plain, and runs nothing: for ci/kernels.sh
#   debug      some of them with IOEVENT_DEBUG=1: as they are right, nothing is reported
#   valgrind   the same programs under memcheck: no error, no definite leak
#   san        built with -fsanitize=address,undefined (the library itself is not: its heap is watched all the same)
#   tsan       those whose threads share a pipe, built with -fsanitize=thread: the library, which is not, tells the
#              sanitizer what it has to know (rule 5.6)
#
# make stage (or make check) must have been run before.  CC chooses the compiler, LABEL what the tests are called
# (c-tests, for plain and build), IOEVENT_JOBS how many run side by side.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

mode=${1:-plain}
[ $# = 0 ] || shift
only=("$@")
bin=$build/c-tests-$mode
flags=()
prefix=()
label=${LABEL:-c-tests}
# What debug runs: programs that harvest all that they have queued.
right=(accept accept_shut arrival_order big_write blocking_sharer cancel_kinds connect_waits datagram_many
    errno_matrix fault file_errors file_read_write file_reference flags_shared flood fsync gather_shared inline_direct
    inline_flags kind_eventfd kind_pipe kind_pty kind_signalfd order_reads order_writes readv_writev recvmsg_sendmsg
    sendfile splice submit_sockets takeover threads_many timeout_write timer_order waitid)
# What tsan runs; there is nothing to see for it where a pipe has one thread.
threaded=(handover 'threads_*' '*_threads' 'alone_*' takeover takeover_big_harvest thief post_busy pipe_close_waiting)

# sanitizer WHAT FLAG...: chooses gcc, if there is one; ends the script if it has no such sanitizer. $probe does
# nothing, well.
sanitizer() {
    [ -n "${CC:-}" ] || { ! have gcc || CC=gcc; }
    flags=(-std=gnu11 -O0 -g -Wall -fno-omit-frame-pointer "${@:2}")
    export TEST_TIMEOUT=170
    probe=$logs/$mode-probe
    echo 'int main(void) { return 0; }' >"$probe.c"
    if ! "${CC:-cc}" "${flags[@]}" "$probe.c" -o "$probe" 2>"$probe.log"; then
        skip "C tests under the $1" "${CC:-cc} has none here"
        finish
    fi
}
# really_in WHAT: a sanitizer that is not really in finds nothing: it must find what is wrong with the program on stdin.
really_in() {
    cat >"$probe-bad.c"
    "${CC:-cc}" "${flags[@]}" -w "$probe-bad.c" -o "$probe-bad" -pthread && ! "$probe-bad" 2>/dev/null
    step "$1 is really in" test $? = 0
}

case $mode in
plain | build) bin=$c_tests ;;
debug)
    bin=$c_tests
    label="C test with IOEVENT_DEBUG"
    export IOEVENT_DEBUG=1
    # Runs a program of whose misuse nothing is reported.
    unreported() {
        local text status
        text=$("$@" 2>&1)
        status=$?
        printf '%s\n' "$text"
        ! grep -q '^ioevent: ' <<<"$text" && return $status
    }
    export -f unreported
    # shellcheck disable=SC2016 # for the shell that is called
    prefix=(bash -c 'unreported "$@"' unreported)
    [ ${#only[@]} != 0 ] || only=("${right[@]}")
    ;;
posix)
    bin=$c_tests-posix
    c_tests=$bin
    label="C test with plain names"
    ;;
valgrind)
    bin=$c_tests
    label="valgrind"
    if ! have valgrind; then skip "C tests under valgrind" "valgrind is not installed"; finish; fi
    if ! valgrind -q --error-exitcode=99 true >"$logs/valgrind-probe.log" 2>&1; then
        sed 's/^/    | /' "$logs/valgrind-probe.log"
        skip "C tests under valgrind" "valgrind does not run here"
        finish
    fi
    # To read which functions are inlined takes a fifth of the time of a small test; the lines are named all the same.
    prefix=(valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
        --show-leak-kinds=definite --fair-sched=yes --read-inline-info=no)
    export TEST_TIMEOUT=170
    ;;
san)
    label="sanitizers"
    # Not optimised: that takes a third of the time to build, and no access is optimised away before it is checked.
    sanitizer "sanitizers" "-fsanitize=address,undefined" -fno-sanitize-recover=all
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1
    export UBSAN_OPTIONS=print_stacktrace=1
    # Where ptrace is forbidden the leak sanitizer cannot run, and says so.
    if ! "$probe" 2>/dev/null; then
        note "the leak sanitizer does not run here; the others do"
        ASAN_OPTIONS=${ASAN_OPTIONS/detect_leaks=1/detect_leaks=0}
    fi
    really_in "sanitizer" <<'END'
#include <stdlib.h>
int main(int argc, char **argv) { char *p = malloc(8); (void)argv; free(p); return p[argc]; }
END
    ;;
tsan)
    label="thread sanitizer"
    sanitizer "thread sanitizer" -fsanitize=thread
    # Children start threads. Nothing may be suppressed.
    export TSAN_OPTIONS=die_after_fork=0
    really_in "thread sanitizer of the C compiler" <<'END'
#include <pthread.h>
static int n;
static void *count(void *unused) { n++; return unused; }
int main(void) { pthread_t t; pthread_create(&t, 0, count, 0); n++; pthread_join(t, 0); return 0; }
END
    ;;
*) sed -n '2,16s/^# //p' "$0" >&2; exit 2 ;;
esac

use_stage
mkdir -p "$bin"
shopt -s nullglob

# left_out NAME: why it is left out; below NAME: which functions are libc's in it.
left_out() { sed -n "s/^$1 left out: *//p" c-tests/plain_names.txt; }
below() { sed -n "s/^$1 libc //p" c-tests/plain_names.txt; }
# What c-tests/plain_names.txt and c-tests/plain_names.h say fits what there is.
posix_lists() {
    local name function exported
    exported=$(nm -D --defined-only "$stage/lib/libioevent_posix.so" | sed -n 's/.* T //p') || return 1
    grep -vE '^$|^#|^[a-z0-9_]+ (left out: .{10}|libc [a-z0-9_ ]+$)' c-tests/plain_names.txt && return 1
    for name in $(sed -n 's/^\([a-z0-9_]*\) .*/\1/p' c-tests/plain_names.txt); do
        [ -e "c-tests/$name.c" ] || { echo "c-tests/plain_names.txt: there is no $name"; return 1; }
    done
    for function in $(sed -n 's/^[a-z0-9_]* libc //p' c-tests/plain_names.txt); do
        grep -q "^#ifdef LIBC_$function\$" c-tests/plain_names.h ||
            { echo "c-tests/plain_names.h has no LIBC_$function"; return 1; }
    done
    for function in $(header_functions); do
        function=${function#ioevent_}
        ! grep -qx "$function" <<<"$exported" || grep -q "^PLAIN($function);" c-tests/plain_names.h ||
            { echo "$function is not in c-tests/plain_names.h"; return 1; }
    done
}
if [ "$mode" = posix ]; then
    if ! pkg-config --exists libioevent-posix; then
        failed "$label" "there is no libioevent-posix in $stage: make stage first"
        finish
    fi
    read -r -a libs < <(pkg-config --libs libioevent-posix)
    cflags+=(-include c-tests/plain_names.h)
    export -f posix_lists header_functions
    export stage
    step "lists of the plain names" bash -c posix_lists
fi

# A program that is named, or one of all for this mode.
wanted() {
    local name
    if [ ${#only[@]} != 0 ]; then
        for name in "${only[@]}"; do [ "$name" != "$1" ] || return 0; done
        return 1
    fi
    [ "$mode" = tsan ] || return 0
    # A child of a process with threads cannot start any under gcc's ("dup thread with used id"), but for a test of
    # ours.
    [ "$1" = handover ] || ! grep -q 'IN_CHILD\|child(' "c-tests/$1.c" || return 1
    # shellcheck disable=SC2053 # a pattern
    for name in "${threaded[@]}"; do [[ $1 != $name ]] || return 0; done
    return 1
}

# Builds a program.
compile() {
    local functions=()
    if [ "$mode" = posix ]; then
        read -r -a functions < <(below "$1")
        c_program "$1" "${functions[@]/#/-DLIBC_}"
    elif [ "$bin" = "$c_tests" ]; then
        c_program "$1"
    else
        "${CC:-cc}" "${flags[@]}" "${cflags[@]}" "c-tests/$1.c" -o "$bin/$1" "${libs[@]}" -pthread
    fi
}

# Builds and runs one test.
one_test() {
    local name=$1 log
    if [ -e "c-tests/$name.sh" ]; then
        STEP_TIMEOUT=900 tap_tests "$label $name" "c-tests/$name.sh" "$build/examples"
        return
    fi
    if [ "$mode" = posix ] && [ -n "$(left_out "$name")" ]; then
        skip "$label $name" "$(left_out "$name")"
        return
    fi
    log=$(log_of "$label $name, build")
    if ! compile "$name" >"$log" 2>&1; then
        failed "$label $name" "it does not compile" "$log"
    elif [ "$mode" != build ]; then
        STEP_TIMEOUT=${STEP_TIMEOUT:-180} step "$label $name" "${prefix[@]}" "$bin/$name"
    fi
}

# Those that take longest come first.
tests=()
if [ "$mode" = plain ]; then
    for script in c-tests/*_test.sh; do
        ! wanted "$(basename "$script" .sh)" || tests+=("$(basename "$script" .sh)")
    done
fi
for source in c-tests/torture*.c $(find c-tests -maxdepth 1 -name '*.c' ! -name 'torture*' | sort); do
    # One without main is included by others.
    ! grep -q 'main *(' "$source" || ! wanted "$(basename "$source" .c)" || tests+=("$(basename "$source" .c)")
done
if [ ${#tests[@]} = 0 ]; then
    failed "$label" "there is nothing to run"
fi

# Most of them wait most of the time, so some run side by side.
running=0
begun=0
for name in "${tests[@]}"; do
    if [ $running -ge "$side_by_side" ]; then
        wait -n
        running=$((running - 1))
    fi
    begun=$((begun + 1))
    STEP_OF="$begun of ${#tests[@]}" one_test "$name" &
    running=$((running + 1))
done
wait
finish

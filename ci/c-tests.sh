#!/usr/bin/env bash
# ci/c-tests.sh [plain|build|valgrind|san] [NAME...]: builds the programs of c-tests/ (or only those named) against the
# staged install, through pkg-config, and runs them; plain runs the c-tests/*_test.sh scripts too.
#
#   plain      warnings are errors
#   build      as plain, and runs nothing: for ci/kernels.sh
#   valgrind   under memcheck: no error, no definite leak
#   san        built with -fsanitize=address,undefined (the library itself is not: its heap is watched all the same)
#
# make stage (or make check) must have been run before.  CC chooses the compiler, IOEVENT_JOBS how many run side by side.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

mode=${1:-plain}
[ $# = 0 ] || shift
only=("$@")
cc=${CC:-cc}
bin=$build/c-tests-$mode
flags=(-std=gnu11 -O2 -g -Wall -Wextra -Werror)
prefix=()
label="c-tests"

case $mode in
plain) ;;
build) bin=$build/c-tests-plain ;;
valgrind)
    label="valgrind"
    if ! have valgrind; then skip "C tests under valgrind" "valgrind is not installed"; finish; fi
    if ! valgrind -q --error-exitcode=99 true >"$logs/valgrind-probe.log" 2>&1; then
        sed 's/^/    | /' "$logs/valgrind-probe.log"
        skip "C tests under valgrind" "valgrind does not run here"
        finish
    fi
    flags=(-std=gnu11 -O1 -g -Wall)
    prefix=(valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
        --show-leak-kinds=definite --fair-sched=yes)
    export TEST_TIMEOUT=170
    ;;
san)
    label="sanitizers"
    [ -n "${CC:-}" ] || { ! have gcc || cc=gcc; }
    flags=(-std=gnu11 -O1 -g -Wall -fno-omit-frame-pointer "-fsanitize=address,undefined" -fno-sanitize-recover=all)
    export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1
    export UBSAN_OPTIONS=print_stacktrace=1
    export TEST_TIMEOUT=170
    probe=$logs/san-probe
    echo 'int main(void) { return 0; }' >"$probe.c"
    if ! "$cc" "${flags[@]}" "$probe.c" -o "$probe" 2>"$probe.log"; then
        skip "C tests under the sanitizers" "$cc has none here"
        finish
    fi
    # Where ptrace is forbidden the leak sanitizer cannot run, and says so.
    if ! "$probe" 2>/dev/null; then
        note "the leak sanitizer does not run here; the others do"
        ASAN_OPTIONS=${ASAN_OPTIONS/detect_leaks=1/detect_leaks=0}
    fi
    # A sanitizer that is not really in finds nothing: it must find this.
    printf '%s\n' '#include <stdlib.h>' 'int main(int argc, char **argv) {' \
        '    char *p = malloc(8); (void)argv; free(p); return p[argc]; }' >"$probe.c"
    "$cc" "${flags[@]}" -w "$probe.c" -o "$probe" && ! "$probe" 2>/dev/null
    step "sanitizer is really in" test $? = 0
    ;;
*) sed -n '2,10s/^# //p' "$0" >&2; exit 2 ;;
esac

use_stage

mkdir -p "$bin"
shopt -s nullglob

wanted() {
    [ ${#only[@]} = 0 ] && return 0
    local name
    for name in "${only[@]}"; do [ "$name" != "$1" ] || return 0; done
    return 1
}

# Builds one program and runs it.
one_test() {
    local source=$1 name=$2 log=$logs/$label-$2-build.log
    if ! "$cc" "${flags[@]}" "${cflags[@]}" "$source" -o "$bin/$name" "${libs[@]}" -pthread >"$log" 2>&1; then
        echo "FAIL  $label $name: it does not compile:"
        sed 's/^/    | /' "$log"
        tally fail 1
        return
    fi
    [ $mode != build ] || return 0
    STEP_TIMEOUT=${STEP_TIMEOUT:-180} step "$label $name" "${prefix[@]}" "$bin/$name"
}

# Most of them wait most of the time, so some run side by side: IOEVENT_JOBS, or one more than there are processors.
most=${IOEVENT_JOBS:-$(($(nproc 2>/dev/null || echo 1) + 1))}
found=0
running=0
for source in c-tests/*.c; do
    name=$(basename "$source" .c)
    # Not a program: something that others include.
    grep -q 'main *(' "$source" || continue
    wanted "$name" || continue
    found=1
    if [ $running -ge "$most" ]; then
        wait -n
        running=$((running - 1))
    fi
    # What one says comes in one piece.
    { said=$(one_test "$source" "$name") || :; [ -z "$said" ] || printf '%s\n' "$said"; } &
    running=$((running + 1))
done
wait

if [ "$mode" = plain ]; then
    for script in c-tests/*_test.sh; do
        name=$(basename "$script" .sh)
        wanted "$name" || continue
        found=1
        STEP_TIMEOUT=900 tap_tests "$label $name" "$script" "$build/examples"
    done
fi
if [ $found = 0 ]; then
    echo "FAIL  $label: nothing to run"
    tally fail 1
fi
finish

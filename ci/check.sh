#!/usr/bin/env bash
# make check: everything that can be tested on this machine, in parts that run side by side.  At the end all failures
# stand once more, one line each; the last line is `N passed, N failed` (and `, N skipped`); the exit status is 0 if
# something passed and nothing failed.  What each failed step printed is shown when it fails, and kept in target/check.
#
# IOEVENT_NO_INSTALL=1 leaves the system's packages alone.  IOEVENT_QUICK=1 leaves out memcheck, the sanitizers, loom,
# and the C tests with the plain names. IOEVENT_JOBS=N: N parts at once, and N programs within each; one more than there
# are processors, unless it is set.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

ci/packages.sh
have pkg-config ||
    note "pkg-config is missing and could not be installed: ci/pkg-config.sh stands in for it, for libioevent only"

ci/toolchain.sh where >/dev/null || { failed "ci/toolchain.sh" "nothing can be built without Rust"; finish; }
for tool in make "${CC:-cc}"; do
    have "$tool" || { failed "$tool" "it is missing, and nothing can be built without it"; finish; }
done

# ---- the parts ----

# What is built from the sources as they are, and put where all other programs are built against it.
library() {
    STEP_TIMEOUT=900 step "make all" make all && step "make stage" make stage || return
    step "make examples" make examples CFLAGS="-O2 -g -Wall -Wextra -Werror"
    return 0
}
installed() {
    step "symbols" ci/symbols.sh "$stage/lib"
    step "the ABI of the last release" ci/abi.sh "$stage/lib"
    step "what breaks the ABI is seen" ci/abi-test.sh
    step "install and uninstall" ci/install-test.sh
    step "find_package of CMake" ci/cmake-test.sh
    step "make run ends its server" ci/run-test.sh
    ci/man-examples.sh
    if have clang; then
        step "examples with clang" env PKG_CONFIG_PATH="$stage/lib/pkgconfig" make -C examples-c CC=clang \
            O="$build/examples-clang" CFLAGS="-O2 -g -Wall -Wextra -Werror"
    fi
    ! is_clone || STEP_TIMEOUT=900 step "peers of the benchmark" make -C benches/peers O="$build/peers" PKG_CONFIG_PATH="$stage/lib/pkgconfig"
    return 0
}
rust_tests() {
    if ! is_clone; then skip "cargo test" "$no_crates"; return 0; fi
    # Without features: ci/lint.sh sees that all compiles.
    cargo_tests "cargo test" ci/toolchain.sh cargo test -p ioevent -p ioevent-header -p ioevent-linked -p ioevent-stress --all-features \
        --no-fail-fast
    # Its lines say what the compiler does since then.
    if why=$(ci/toolchain.sh has 1.95); then
        cargo_tests "misuses of the Rust API" ci/toolchain.sh cargo test -p ioevent-misuse --lib
    else
        skip "misuses of the Rust API" "$why"
    fi
    return 0
}
packing() {
    STEP_TIMEOUT=600 step "make packs what was built" ci/target-test.sh
    STEP_TIMEOUT=600 step "make dist" ci/dist-test.sh
    return 0
}
refusals() { ci/deny.sh && ci/failmalloc.sh; }
platforms() { ci/platforms.sh && ci/musl.sh --compiles; }
thread_sanitizer() { { ! is_clone || ci/rust-san.sh thread; } && ci/torture-san.sh && ci/c-tests.sh tsan; }

# part NAME BEFORE COMMAND...: a part that begins when the one called BEFORE is done, if there is one to wait for.  Its
# exit status says whether it has come to its end, and not whether its tests have passed.
parts=()
declare -A before command state begun
part() {
    parts+=("$1")
    before[$1]=$2
    command[$1]="${*:3}"
    state[$1]=waits
}
# In the order in which they are begun: first what others wait for, then what takes long.
part "the library" "" library
part "Rust tests" "" rust_tests
if [ -z "${IOEVENT_QUICK:-}" ]; then
    ! is_clone || part "loom" "" ci/loom.sh
    part "C tests under memcheck" "the library" ci/c-tests.sh valgrind
fi
part "C tests" "the library" ci/c-tests.sh plain
part "C tests with IOEVENT_DEBUG" "the library" ci/c-tests.sh debug
part "plain names" "the library" ci/posix.sh
part "programs under the plain names" "the library" ci/posix-programs.sh quick
if [ -z "${IOEVENT_QUICK:-}" ]; then
    part "C tests with the plain names" "the library" ci/c-tests.sh posix
    part "C tests under the sanitizers" "the library" ci/c-tests.sh san
    part "thread sanitizer" "the library" thread_sanitizer
    ! is_clone || part "Rust tests under the sanitizers" "" ci/rust-san.sh address
fi
# These use the same directory of cargo's as the Rust tests, one after the other.
part "lint" "Rust tests" ci/lint.sh
[ -n "${IOEVENT_QUICK:-}" ] || ! is_clone || part "Rust tests under memcheck" "Rust tests" ci/rust-memcheck.sh
part "refused system calls, short memory" "the library" refusals
part "platforms" "the library" platforms
part "packing" "" packing
part "the installed library" "the library" installed

# ---- their run ----

# Prints a process's descendants, the youngest first.
descendants() {
    local pid
    for pid in $(cat "/proc/$1/task/"*"/children" 2>/dev/null); do
        descendants "$pid"
        echo "$pid"
    done
}
interrupted() {
    trap '' INT TERM
    # shellcheck disable=SC2046 # one argument for each
    kill $(descendants $$) 2>/dev/null
    note "interrupted"
    exit 130
}
trap interrupted INT TERM

# The parts in this state, with commas.
those_that() {
    local name text=""
    for name in "${parts[@]}"; do [ "${state[$name]}" != "$1" ] || text+=", $name"; done
    echo "${text#, }"
}
# Whether a part can begin.
may_begin() {
    [ "${state[$1]}" = waits ] && { [ -z "${before[$1]}" ] || [ "${state[${before[$1]}]}" = over ]; }
}

declare -A name_of
running=0
ended=0
start=$SECONDS
note "${#parts[@]} parts, $side_by_side at once"
while :; do
    for name in "${parts[@]}"; do
        [ $running -lt "$side_by_side" ] || break
        may_begin "$name" || continue
        ${command[$name]} </dev/null &
        name_of[$!]=$name
        state[$name]=runs
        begun[$name]=$SECONDS
        running=$((running + 1))
    done
    [ $running != 0 ] || break
    wait -n -p pid
    status=$?
    name=${name_of[$pid]}
    running=$((running - 1))
    ended=$((ended + 1))
    state[$name]=over
    if [ $status != 0 ]; then
        state[$name]=broken
        failed "$name" "exit status $status: not all of it was run"
    fi
    say "---- $ended of ${#parts[@]} done: $name, $((SECONDS - begun[$name])) s; at work: $(those_that runs)"
done
[ $ended = ${#parts[@]} ] || note "left out, since others are broken: $(those_that waits)"
note "all of it: $((SECONDS - start)) s"
finish

#!/usr/bin/env bash
# ci/rust-memcheck.sh: the Rust tests of what is dropped, leaked, refused and panics, under memcheck: no error, no
# definite leak.  The allocator of sound_guard and what sound_forget leaks on purpose are not for it.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

name="Rust tests under memcheck"
tests=(orders panics refused state_drops model)
if ! have valgrind; then skip "$name" "valgrind is not installed"; finish; fi
if ! valgrind -q --error-exitcode=99 true >"$logs/valgrind-probe.log" 2>&1; then
    sed 's/^/    | /' "$logs/valgrind-probe.log"
    skip "$name" "valgrind does not run here"
    finish
fi

# cargo runs each test program by it.
runner=CARGO_TARGET_$(ci/toolchain.sh rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')_RUNNER
export "$runner=valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite \
--show-leak-kinds=definite --fair-sched=yes --read-inline-info=no"
# All states and descriptors that there are, in some sequences; the rest of them is run without memcheck.
export PROPTEST_CASES=15
cargo_tests "$name" ci/toolchain.sh cargo test -p ioevent --no-fail-fast "${tests[@]/#/--test=sound_}" -- --test-threads=1
finish

#!/usr/bin/env bash
# make check: everything that can be tested on this machine.  The last line is `N passed, N failed` (and `, N skipped`);
# the exit status is 0 if something passed and nothing failed.  What each failed step printed is shown, and kept in
# target/check.
#
# IOEVENT_NO_INSTALL=1 leaves the system's packages alone.  IOEVENT_QUICK=1 leaves valgrind and the sanitizers out.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

ci/packages.sh
have pkg-config ||
    note "pkg-config is missing and could not be installed: ci/pkg-config.sh stands in for it, for libioevent only"

for tool in cargo make "${CC:-cc}"; do
    have "$tool" || { echo "ci/check.sh: $tool is missing, and nothing can be built without it" >&2; tally fail 1; finish; }
done

note "build"
STEP_TIMEOUT=900 step "make all" make all || finish
step "make stage" make stage || finish
step "make examples" make examples CFLAGS="-O2 -g -Wall -Wextra -Werror"
if have clang; then
    step "examples with clang" env PKG_CONFIG_PATH="$stage/lib/pkgconfig" make -C examples-c CC=clang \
        O="$build/examples-clang" CFLAGS="-O2 -g -Wall -Wextra -Werror"
fi

step "peers of the benchmark" make -C benches/peers O="$build/peers" PKG_CONFIG_PATH="$stage/lib/pkgconfig"

note "lint"
ci/lint.sh

note "Rust tests"
cargo_tests "cargo test" cargo test --no-fail-fast

note "the installed library"
step "symbols" ci/symbols.sh "$stage/lib"
step "install and uninstall" ci/install-test.sh
STEP_TIMEOUT=600 step "make packs what was built" ci/target-test.sh
ci/man-examples.sh

note "C tests"
ci/c-tests.sh plain
if [ -z "${IOEVENT_QUICK:-}" ]; then
    note "C tests with the address and undefined behaviour sanitizers"
    ci/c-tests.sh san
    note "C tests under valgrind"
    ci/c-tests.sh valgrind
fi
note "system calls that are refused, and short memory"
ci/deny.sh
ci/failmalloc.sh
finish

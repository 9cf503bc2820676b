#!/usr/bin/env bash
# ci/rust-san.sh [address] [thread]: the Rust tests under the address sanitizer, and tests/stress/ under the thread
# sanitizer (or only one of these).  Needs a nightly tool chain: rustup toolchain install nightly.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# != 0 ] || set -- address thread
target=$(ci/toolchain.sh rustc -vV | sed -n 's/^host: //p')

# --target, so that build scripts and macros are left without the sanitizer.
address() {
    export RUSTFLAGS="${RUSTFLAGS:-} -Zsanitizer=address"
    # Where there is no llvm-symbolizer binutils tell the names, which the suppressions are about.
    export ASAN_OPTIONS=detect_leaks=1:allow_addr2line=1
    export LSAN_OPTIONS=suppressions=$root/ci/lsan.supp
    export CARGO_TARGET_DIR=$build/san
    cargo_tests "$1" ci/toolchain.sh cargo +nightly test -p ioevent -p ioevent-stress --no-fail-fast --target "$target" --lib --tests \
        --all-features
}
# The standard library is not built with it: hence the suppressions.
thread() {
    export RUSTFLAGS="${RUSTFLAGS:-} $tsan_flags"
    export TSAN_OPTIONS=suppressions=$root/ci/tsan.supp
    export CARGO_TARGET_DIR=$build/tsan
    export STRESS_SECONDS=${STRESS_SECONDS:-15}
    cargo_tests "$1" ci/toolchain.sh cargo +nightly test -p ioevent-stress --target "$target"
}

for sanitizer; do
    case $sanitizer in
    address) name="Rust tests under the address sanitizer" ;;
    thread) name="Rust stress test under the thread sanitizer" ;;
    *) sed -n '2,3s/^# //p' "$0" >&2; exit 2 ;;
    esac
    if ci/toolchain.sh cargo +nightly --version >/dev/null 2>&1; then
        ("$sanitizer" "$name")
    else
        skip "$name" "no nightly tool chain (rustup toolchain install nightly)"
    fi
done
finish

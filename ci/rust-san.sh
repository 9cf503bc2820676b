#!/usr/bin/env bash
# The Rust tests under the address sanitizer, and tests/stress.rs under the thread sanitizer.  Needs a nightly tool chain:
# rustup toolchain install nightly.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

if ! cargo +nightly --version >/dev/null 2>&1; then
    skip "Rust tests under the address sanitizer" "no nightly tool chain (rustup toolchain install nightly)"
    skip "Rust stress test under the thread sanitizer" "no nightly tool chain (rustup toolchain install nightly)"
    finish
fi
target=$(rustc -vV | sed -n 's/^host: //p')
flags=${RUSTFLAGS:-}
# --target, so that build scripts and macros are left without the sanitizer.
export RUSTFLAGS="$flags -Zsanitizer=address"
export ASAN_OPTIONS=detect_leaks=1
export CARGO_TARGET_DIR=$build/san
cargo_tests "Rust tests under the address sanitizer" \
    cargo +nightly test --no-fail-fast --target "$target" --lib --tests

# The standard library is not built with it: hence the flag, and the suppressions.
export RUSTFLAGS="$flags -Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer"
export TSAN_OPTIONS=suppressions=$root/ci/tsan.supp
export CARGO_TARGET_DIR=$build/tsan
export STRESS_SECONDS=${STRESS_SECONDS:-15}
cargo_tests "Rust stress test under the thread sanitizer" cargo +nightly test --target "$target" --test stress
finish

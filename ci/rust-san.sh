#!/usr/bin/env bash
# The Rust tests under the address sanitizer.  Needs a nightly tool chain: rustup toolchain install nightly.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

if ! cargo +nightly --version >/dev/null 2>&1; then
    skip "Rust tests under the address sanitizer" "no nightly tool chain (rustup toolchain install nightly)"
    finish
fi
target=$(rustc -vV | sed -n 's/^host: //p')
export RUSTFLAGS="${RUSTFLAGS:-} -Zsanitizer=address"
export ASAN_OPTIONS=detect_leaks=1
export CARGO_TARGET_DIR=$build/san
# --target, so that build scripts and macros are left without the sanitizer.
cargo_tests "Rust tests under the address sanitizer" \
    cargo +nightly test --no-fail-fast --target "$target" --lib --tests
finish

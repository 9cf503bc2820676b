#!/usr/bin/env bash
# tests/loom/: loom runs the lock-free parts through every interleaving.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

export RUSTFLAGS="${RUSTFLAGS:-} --cfg loom"
export CARGO_TARGET_DIR=$build/loom
cargo_tests "loom" ci/toolchain.sh cargo test --profile loom --no-fail-fast --test loom
finish

#!/usr/bin/env bash
# tests/loom*.rs: loom runs the lock-free parts through every interleaving.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
shopt -s nullglob

tests=()
for file in tests/loom*.rs; do tests+=(--test "$(basename "$file" .rs)"); done
if [ ${#tests[@]} = 0 ]; then
    skip "loom" "there is no tests/loom*.rs yet"
    finish
fi
export RUSTFLAGS="${RUSTFLAGS:-} --cfg loom"
export CARGO_TARGET_DIR=$build/loom
cargo_tests "loom" cargo test --profile loom --no-fail-fast "${tests[@]}"
finish

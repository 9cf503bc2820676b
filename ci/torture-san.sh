#!/usr/bin/env bash
# c-tests/torture.c, what a thread does that is alone, and threads on one processor, under the thread sanitizer, with
# the library built for it.  Needs a nightly tool chain: rustup toolchain install nightly.  The standard library of Rust
# is not built for it; the library's locks are not of that.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

name="torture under the thread sanitizer"
if ! ci/toolchain.sh cargo +nightly --version >/dev/null 2>&1; then
    skip "$name" "no nightly tool chain (rustup toolchain install nightly)"
    finish
fi
target=$(ci/toolchain.sh rustc -vV | sed -n 's/^host: //p')
sysroot=$(ci/toolchain.sh rustc +nightly --print sysroot)
runtime=$(echo "$sysroot/lib/rustlib/$target/lib/"librustc*rt.tsan.a)
if [ ! -e "$runtime" ]; then
    skip "$name" "no thread sanitizer for $target"
    finish
fi
export CARGO_TARGET_DIR=$build/tsan
export RUSTFLAGS="${RUSTFLAGS:-} $tsan_flags"
bin=$build/tsan-torture
cc=${CC:-cc}
mkdir -p "$bin"
# The compiler puts the checks into the C code; the run-time part is Rust's, which is the newer one.
flags=(-std=gnu11 -O1 -g -Wall -Wextra -fno-omit-frame-pointer -fsanitize=thread -Iinclude)
libs=("-Wl,--whole-archive" "$runtime" "-Wl,--no-whole-archive" "-Wl,--export-dynamic" -pthread -ldl -lm -lrt)
build_program() {
    "$cc" "${flags[@]}" -c "$1" -o "$bin/program.o" && "$cc" "$bin/program.o" "${@:3}" "${libs[@]}" -o "$2"
}

cat >"$bin/race.c" <<'END'
#include <pthread.h>
static int n;
static void *count(void *unused) { n++; return unused; }
int main(void) { pthread_t t; pthread_create(&t, 0, count, 0); n++; pthread_join(t, 0); return 0; }
END
if ! build_program "$bin/race.c" "$bin/race" 2>"$bin/race.log"; then
    skip "$name" "$cc cannot build for it here: $(tail -n 1 "$bin/race.log")"
    finish
fi
# A sanitizer that is not really in finds nothing: it must find this.
! "$bin/race" >"$bin/race.log" 2>&1
step "thread sanitizer is really in" test $? = 0

# As the stress test of ci/rust-san.sh has it.
library() {
    ci/cargo-built.sh libioevent.a ci/toolchain.sh cargo +nightly rustc --lib --crate-type staticlib --target "$target" >"$bin/library"
}
export -f library
export bin target
STEP_TIMEOUT=900 step "library for the thread sanitizer" bash -c library || finish
library=$(cat "$bin/library")
export TSAN_OPTIONS=suppressions=$root/ci/tsan.supp:die_after_fork=0
# What the programs are started with.
prefix=()
# NAME PROGRAM [ARGUMENT...]: builds one of c-tests/ and runs it.
run() {
    local name="$1 under the thread sanitizer" program=$2
    if ! build_program "c-tests/$program.c" "$bin/$program" "$library" >"$bin/build.log" 2>&1; then
        failed "$name" "it does not compile" "$bin/build.log"
        return
    fi
    STEP_TIMEOUT=300 step "$name" "${prefix[@]}" "$bin/$program" "${@:3}"
}
run torture torture
run "torture in one thread" torture -t 0 -s 5
run alone_second alone_second
run alone_visits alone_visits
run one_processor one_processor
if processors=$(taskset -pc $$ 2>/dev/null); then
    prefix=(taskset -c "${processors##*[ ,-]}")
    run "torture on one processor" torture
fi
finish

#!/usr/bin/env bash
# Measures libioevent beside its peers and writes target/bench/report.html and report.md; `make bench` calls it, after
# `make stage`.  QUICK=1: a few minutes, for figures that are not to be quoted.  ROUNDS=N: how often.
# ONLY=ratio,calls,...: only these, into the results of the run before; ONLY=none writes the report anew.  All are in
# `bench --help`.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
rm -f "$IOEVENT_TALLY"

if [ ! -e "$stage/lib/libioevent.so" ]; then
    echo "ci/bench.sh: no $stage/lib/libioevent.so: run make stage first" >&2
    exit 1
fi
if [ -n "${QUICK:-}" ]; then echo "A quick run, to see that all works: its figures are not to be quoted."; fi
out=$build/bench
mkdir -p "$out" || exit 1
options=()
criterion=()
if [ -n "${QUICK:-}" ]; then
    options+=(--quick)
    criterion+=(--sample-size 10 --warm-up-time 0.03 --measurement-time 0.05 --nresamples 1000)
fi
if [ -n "${ROUNDS:-}" ]; then options+=(--rounds "$ROUNDS"); fi
if [ -n "${ONLY:-}" ]; then options+=(--only "$ONLY"); fi

make --no-print-directory -C benches/peers O="$build/peers" PKG_CONFIG_PATH="$stage/lib/pkgconfig" || exit 1
export IOEVENT_LIBDIR=$stage/lib
bench=$(ci/cargo-built.sh bench ci/toolchain.sh cargo build --release -q -p ioevent-benches --bins) || exit 1

# The functions, by criterion; the report takes what it leaves.
case ,${ONLY:-functions}, in
*,functions,*)
    echo "functions"
    rm -rf "$out/criterion"
    if ! CRITERION_HOME=$out/criterion timeout -k 10 1200 \
        ci/toolchain.sh cargo bench -q -p ioevent-benches --bench functions -- "${criterion[@]}" >"$out/functions.log" 2>&1 </dev/null; then
        echo "the bench target functions failed (all of it: $out/functions.log); its last lines:" >&2
        tail -n 5 "$out/functions.log" >&2
    fi
    ;;
esac

export LD_LIBRARY_PATH=$stage/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
exec "$bench" --peers "$build/peers" --out "$out" --criterion "$out/criterion" \
    --header include/ioevent.h "${options[@]}"

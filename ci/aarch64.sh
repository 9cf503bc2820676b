#!/usr/bin/env bash
# ci/aarch64.sh [KERNEL...]: builds the library and the C tests (all but huge, which copies 4 GB; TESTS="name..." only
# those) for aarch64, and runs them under Debian's kernels of these names (KERNELS, or arm64 and arm64-16k, which has
# pages of 16 KiB) on an emulated machine.  `make check-aarch64` calls it.  Compilers and qemu are those of a Debian of
# its own (ci/debian.sh), which is fetched first.  It takes twenty minutes for each kernel.
#
# The emulator has the memory order of this machine.  If that is an x86, nothing is seen of what a weaker order would
# break: that is loom's, and the reader's, to find.
#
#   TEST_TIMEOUT=seconds   as for the tests by hand: 600 unless it is set
#   SUITES="..."           where to look for kernels: Debian 13, unless it is set (from 7.1 on they come in several
#                          packages: not for this)
#   CPU=max                or e.g. cortex-a72
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
shopt -s nullglob

read -r -a kernels <<<"${KERNELS:-arm64 arm64-16k}"
[ $# = 0 ] || kernels=("$@")
read -r -a tests <<<"${TESTS:-}"
read -r -a suites <<<"${SUITES:-trixie}"
# shellcheck disable=SC2034 # for ci/machine.sh
machine=aarch64
top=$build/aarch64
here=$top

cannot() {
    skip "aarch64" "$*"
    (finish)
    exit 77
}
have apt-get && have dpkg || cannot "only where apt-get brings Debian's kernels"
have mke2fs || [ -x /sbin/mke2fs ] || cannot "mke2fs is missing: apt-get install e2fsprogs"
log=$logs/aarch64.log
export DEBIAN=${DEBIAN:-$build/debian}
ci/debian.sh with rustc-web cargo-web gcc make libc6-dev libstd-rust-web-dev:arm64 gcc-aarch64-linux-gnu libc6-dev-arm64-cross \
    qemu-system-arm >"$log" 2>&1 || cannot "$(tail -n 1 "$log")"
mkdir -p "$here" || exit 1
printf '#!/bin/sh\nexec env DEBIAN="%s" "%s/ci/debian.sh" run aarch64-linux-gnu-gcc "$@"\n' "$DEBIAN" "$root" >"$here/cc"
chmod +x "$here/cc"

STEP_TIMEOUT=1800 step "aarch64, the library" ci/debian.sh run env -u CARGO -u RUSTC -u CARGO_HOME CARGO_TARGET_DIR="$here" \
    CARGO_BUILD_TARGET=aarch64-unknown-linux-gnu CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
    CC=aarch64-linux-gnu-gcc make stage || finish
CC=$here/cc CARGO_TARGET_DIR=$here LABEL=aarch64 ci/c-tests.sh build "${tests[@]}"

programs=()
for source in c-tests/*.c; do
    test=$(basename "$source" .c)
    [ "$test" != huge ] && grep -q 'main *(' "$source" || continue
    if [ ${#tests[@]} != 0 ] && [[ " ${tests[*]} " != *" $test "* ]]; then continue; fi
    [ ! -x "$here/c-tests-plain/$test" ] || programs+=("$here/c-tests-plain/$test")
done
[ ${#programs[@]} != 0 ] || { failed "aarch64" "there is nothing to run"; finish; }
libraries=$DEBIAN/usr/aarch64-linux-gnu/lib
# With those of the library: libgcc_s, which a thread loads when it ends or is cancelled.
# shellcheck disable=SC2034 # for ci/machine.sh
tree_libs=("$here"/stage/lib/libioevent.so.[0-9] "$libraries"/lib{c,m}.so.6 "$libraries/libgcc_s.so.1"
    "$libraries/ld-linux-aarch64.so.1")
# shellcheck disable=SC2034 # for ci/machine.sh
loader=/lib/ld-linux-aarch64.so.1
# shellcheck disable=SC2034 # for ci/machine.sh
qemu=("$root/ci/debian.sh" run qemu-system-aarch64 -machine virt -cpu "${CPU:-max}")
TEST_TIMEOUT=${TEST_TIMEOUT:-600}
# shellcheck source=ci/machine.sh
. ci/machine.sh
busyboxes || cannot "no busybox-static to be had (see $logs/aarch64-apt.log)"
for kernel in "${kernels[@]}"; do
    run "aarch64 $kernel" "linux-image-[0-9]*-${kernel}_*_arm64.deb" "^linux-image-[0-9][^-]*(-[0-9]+)?-$kernel\$"
done
finish

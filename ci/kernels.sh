#!/usr/bin/env bash
# ci/kernels.sh [VERSION...]: runs the C tests (all but huge, which copies 4 GB; TESTS="name..." only those) under
# Debian's kernels of these versions (KERNELS, or 5.10 and 6.1) on an emulated x86-64 machine (ci/machine.sh).  `make
# check-kernels` calls it, after `make stage`.  The kernels, and busybox for the machine, are fetched with apt-get from
# the mirror that this machine uses, into target/kernels, where all else is made too; what is there is not fetched
# again.
#
#   TEST_TIMEOUT=seconds   as for the tests by hand: 120 with KVM, 300 without (then all takes about 15 minutes for
#                          each kernel)
#   SUITES="..."           where to look for kernels
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
shopt -s nullglob

read -r -a versions <<<"${KERNELS:-5.10 6.1}"
[ $# = 0 ] || versions=("$@")
read -r -a tests <<<"${TESTS:-}"
# shellcheck disable=SC2034 # for ci/machine.sh
read -r -a suites <<<"${SUITES:-bullseye bookworm bookworm-backports trixie trixie-backports}"
# shellcheck disable=SC2034 # for ci/machine.sh
machine=x86_64
top=$build/kernels
# shellcheck source=ci/machine.sh
. ci/machine.sh

# cannot WHY...: nothing is tested.
cannot() {
    skip "C tests under other kernels" "$*"
    (finish)
    exit 77
}
[ "$(uname -m)" = x86_64 ] || cannot "only on x86-64"
have apt-get && have dpkg || cannot "only where apt-get brings Debian's kernels"
ci/packages.sh qemu-system-x86:qemu-system-x86_64 e2fsprogs:mke2fs
have mke2fs || cannot "mke2fs is missing: apt-get install e2fsprogs"
qemu=(qemu-system-x86_64 -cpu max)
# Where it cannot be installed, that of a Debian in a directory does.
if ! have qemu-system-x86_64; then
    export DEBIAN=${DEBIAN:-$build/debian}
    why=$(ci/debian.sh with qemu-system-x86) || cannot "qemu-system-x86_64 is missing: apt-get install qemu-system-x86 ($why)"
    qemu=("$root/ci/debian.sh" run "${qemu[@]}")
fi

busyboxes || cannot "no busybox-static to be had (see $logs/x86_64-apt.log)"

ci/c-tests.sh build "${tests[@]}"
programs=()
for source in c-tests/*.c; do
    test=$(basename "$source" .c)
    [ "$test" != huge ] && grep -q 'main *(' "$source" || continue
    if [ ${#tests[@]} != 0 ] && [[ " ${tests[*]} " != *" $test "* ]]; then continue; fi
    [ ! -x "$build/c-tests-plain/$test" ] || programs+=("$build/c-tests-plain/$test")
done
[ ${#programs[@]} != 0 ] || { failed "C tests under other kernels" "there is nothing to run"; finish; }
# With those of the library: libgcc_s, which a thread loads when it ends or is cancelled.
# shellcheck disable=SC2034 # for ci/machine.sh
mapfile -t tree_libs < <(LD_LIBRARY_PATH=$stage/lib ldd "${programs[@]}" "$stage/lib/libioevent.so" |
    sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u; echo /lib64/ld-linux-x86-64.so.2)
# shellcheck disable=SC2034 # for ci/machine.sh
loader=/lib64/ld-linux-x86-64.so.2
for version in "${versions[@]}"; do
    run "Linux $version" "linux-image-$version.*_amd64.deb" "^linux-image-${version//./\\.}\.[0-9].*-cloud-amd64\$"
done
finish

#!/usr/bin/env bash
# ci/kernels.sh [VERSION...]: runs the C tests (all but huge, which copies 4 GB; TESTS="name..." only those) under
# Debian's kernels of these versions (KERNELS, or 5.10 and 6.1) on an emulated x86-64 machine, which has two processors,
# a disk of 1 GB with ext4 under /tmp, and no network.  `make check-kernels` calls it, after `make stage`.  The kernels,
# and busybox for the machine, are fetched with apt-get from the mirror that this machine uses, into target/kernels,
# where all else is made too; what is there is not fetched again.
#
#   TEST_TIMEOUT=seconds   as for the tests by hand: 120 with KVM, 300 without (then all takes about 15 minutes for a kernel)
#   SUITES="..."           where to look for kernels
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
shopt -s nullglob

read -r -a versions <<<"${KERNELS:-5.10 6.1}"
[ $# = 0 ] || versions=("$@")
read -r -a tests <<<"${TESTS:-}"
read -r -a suites <<<"${SUITES:-bullseye bookworm bookworm-backports trixie trixie-backports}"
top=$build/kernels
mkdir -p "$top" || exit 1
# mke2fs lies where only root looks.
PATH=$PATH:/usr/sbin:/sbin

# cannot WHY...: nothing is tested.
cannot() {
    skip "C tests under other kernels" "$*"
    (finish)
    exit 77
}
[ "$(uname -m)" = x86_64 ] || cannot "only on x86-64"
have apt-get && have dpkg || cannot "only where apt-get brings Debian's kernels"
need=(qemu-system-x86:qemu-system-x86_64 e2fsprogs:mke2fs)
ci/packages.sh "${need[@]}"
for pair in "${need[@]}"; do
    have "${pair#*:}" || cannot "${pair#*:} is missing: apt-get install ${pair%%:*}"
done

# ---- what is fetched ----

# A configuration of apt's own, so that this machine's is left alone.
apt=(-o "Dir::Etc::SourceList=$top/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State=$top/apt/state"
    -o "Dir::State::status=$top/apt/status" -o "Dir::Cache=$top/apt/cache" -o APT::Sandbox::User=root -o APT::Architecture=amd64
    -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Retries=2
    -o Acquire::http::Timeout=30)

# apt_update: once, when the first thing is missing.
apt_update() {
    local suite main security keyring
    [ ! -e "$top/apt/updated" ] || return 0
    mkdir -p "$top/apt/state/lists/partial" "$top/apt/cache/archives/partial"
    : >"$top/apt/status"
    # The mirror of this machine: where Debian's archive and its security archive are fetched from.
    main=$(apt-get indextargets --format '$(LABEL) $(SITE)' 'Created-By: Packages' | awk '$1 == "Debian" { print $2; exit }')
    security=$(apt-get indextargets --format '$(LABEL) $(SITE)' 'Created-By: Packages' |
        awk '$1 == "Debian-Security" { print $2; exit }')
    [ -n "$main" ] || { echo "no archive of Debian among apt's sources (or no apt-get update yet)"; return 1; }
    keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    if [ -e $keyring ]; then keyring="[signed-by=$keyring]"; else keyring=; fi
    for suite in "${suites[@]}"; do
        echo "deb $keyring $main $suite main"
        case $suite in *-*) ;; *) [ -z "$security" ] || echo "deb $keyring $security $suite-security main" ;; esac
    done >"$top/apt/sources.list"
    # A suite that the mirror does not have is an error, and none of the others'.
    apt-get "${apt[@]}" -q update
    touch "$top/apt/updated"
}

# fetched PATTERN NAME-PATTERN: the file PATTERN in $top; else the newest package with such a name is fetched, and
# prints it.
fetched() {
    local pattern=$1 names=$2 package
    if ! compgen -G "$top/deb/$pattern" >/dev/null; then
        mkdir -p "$top/deb"
        apt_update >"$logs/kernels-apt.log" 2>&1
        package=$(apt-cache "${apt[@]}" search --names-only "$names" 2>>"$logs/kernels-apt.log" | awk '{ print $1 }' |
            sort -V | tail -n 1)
        [ -z "$package" ] || (cd "$top/deb" && apt-get "${apt[@]}" -q download "$package") >>"$logs/kernels-apt.log" 2>&1
    fi
    compgen -G "$top/deb/$pattern" | sort -V | tail -n 1
}

# ---- what the machine starts with ----

init() {
    cat <<'I'
#!/bin/sh
export PATH=/bin HOME=/root LD_LIBRARY_PATH=/lib
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts -o ptmxmode=666
mount -t tmpfs shm /dev/shm
ln -s /proc/self/fd /dev/fd
for m in virtio_pci virtio_blk fuse; do modprobe $m; done
stty -F /dev/ttyS1 -opost
exec >/dev/ttyS1 2>&1 </dev/null
mount -t ext4 /dev/vda /tmp || { echo "| there is no disk"; poweroff -f; }
chmod 1777 /tmp
ip link set lo up
ulimit -Hn 524288
ulimit -c 0
echo "kernel $(uname -r), $(nproc) processors"
cd /tmp
for f in /t/*; do
    read -r s rest </proc/uptime
    TEST_TIMEOUT=$(cat /timeout) timeout -s KILL $(($(cat /timeout) + 30)) $f >/tmp/log 2>&1
    rc=$?
    read -r e rest </proc/uptime
    echo "@ ${f##*/} $rc $s $e"
    [ $rc = 0 ] || { tail -n 100 /tmp/log | sed 's/^/| /'; }
done
echo "@@"
poweroff -f
I
}

# image: from busybox, the kernel's modules, the tests and the libraries that they need, $top/initrd and a disk.
image() {
    local version tree=$top/tree libs file dir
    rm -rf "$tree"
    mkdir -p "$tree"/{bin,proc,sys,dev,tmp,etc,root,mnt,t,lib,lib64} && chmod 1777 "$tree/tmp" || return 1
    cp "$busybox" "$tree/bin/busybox" || return 1
    "$busybox" --list | while read -r file; do [ -e "$tree/bin/$file" ] || ln -s busybox "$tree/bin/$file"; done
    mkdir "$tree/sbin" && ln -s /bin/busybox "$tree/sbin/modprobe" || return 1
    echo root:x:0:0::/root:/bin/sh >"$tree/etc/passwd"
    echo root:x:0: >"$tree/etc/group"
    dir=("$top"/kernel/lib/modules "$top"/kernel/usr/lib/modules)
    for file in "${dir[@]}"; do [ ! -d "$file" ] || cp -r "$file" "$tree/lib/" || return 1; done
    dir=("$tree"/lib/modules/*)
    version=$(basename "${dir[0]}")
    find "$tree/lib/modules" -name '*.ko.xz' -exec "$busybox" unxz {} + || return 1
    "$busybox" depmod -b "$tree" "$version" || return 1
    for file in "${programs[@]}"; do cp "$file" "$tree/t/" || return 1; done
    # With those of the library: libgcc_s, which a thread loads when it ends or is cancelled.
    libs=$(LD_LIBRARY_PATH=$stage/lib ldd "${programs[@]}" "$stage/lib/libioevent.so" |
        sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u)
    for file in $libs; do cp -L "$file" "$tree/lib/" || return 1; done
    cp -L /lib64/ld-linux-x86-64.so.2 "$tree/lib64/" || return 1
    echo "$TEST_TIMEOUT" >"$tree/timeout"
    init >"$tree/init" && chmod 755 "$tree/init" || return 1
    (cd "$tree" && find . | "$busybox" cpio -o -H newc) 2>/dev/null | gzip -1 >"$top/initrd" || return 1
    rm -rf "$tree" "$top/disk"
    truncate -s 1G "$top/disk" && mke2fs -q -t ext4 "$top/disk"
}

# ---- one kernel ----

accel=
# machine SECONDS OPTION...
machine() {
    timeout --foreground -k 10 "$1" qemu-system-x86_64 -cpu max -smp 2 -m 2048 -display none -monitor none -nic none -no-reboot \
        -kernel "$top"/kernel/boot/vmlinuz-* "${@:2}" </dev/null
}

# There is KVM, and a kernel comes as far as to find no disk (on some machines that are virtual themselves it does not).
kvm_works() {
    [ -w /dev/kvm ] && machine 30 -accel kvm -serial stdio -append "console=ttyS0 panic=-1" 2>&1 |
        grep -q 'Kernel panic'
}

run() {
    local version=$1 kernel label result=$logs/kernel-$1.result console=$logs/kernel-$1.console line test rc start end left
    label="Linux $version"
    if ! kernel=$(fetched "linux-image-$version.*_amd64.deb" "^linux-image-${version//./\\.}\.[0-9].*-cloud-amd64\$"); then
        skip "$label" "no such kernel to be had (see $logs/kernels-apt.log)"
        return
    fi
    rm -rf "$top/kernel"
    dpkg -x "$kernel" "$top/kernel"
    if [ -z "$accel" ]; then
        if kvm_works; then accel=kvm; else accel=tcg,thread=multi; fi
        [ -n "${TEST_TIMEOUT:-}" ] || case $accel in kvm) TEST_TIMEOUT=120 ;; *) TEST_TIMEOUT=300 ;; esac
    fi
    if ! image >"$logs/kernel-$version.image" 2>&1; then
        failed "$label" "no image could be made of it" "$logs/kernel-$version.image"
        return
    fi
    left=" ${programs[*]##*/} "
    # The second serial port is for results, so that nothing the kernel says breaks a line.
    while IFS= read -r line; do
        line=${line%$'\r'}
        case $line in
        "kernel "*) note "$line ($accel)" ;;
        "@@") left=" " ;;
        "@ "*)
            read -r _ test rc start end <<<"$line"
            left=${left/ $test / }
            case $rc in
            0) echo "PASS  $label $test ($(awk "BEGIN { printf \"%.1f\", $end - $start }") s)"; tally pass 1 ;;
            77) echo "SKIP  $label $test"; tally skip 1 ;;
            *) echo "FAIL  $label $test (exit status $rc); it printed:"; tally fail 1 "$label $test (exit status $rc)" ;;
            esac
            ;;
        *) echo "    $line" ;;
        esac
    done < <(machine "${STEP_TIMEOUT:-7200}" -accel "$accel" -initrd "$top/initrd" \
        -drive "file=$top/disk,format=raw,if=virtio,cache=unsafe" -serial "file:$console" -serial stdio \
        -append "console=ttyS0 quiet panic=-1" 2>&1 | tee "$result")
    if [ "$left" != " " ]; then
        echo "FAIL  $label: the machine stopped before these had run:$left"
        tail -n 30 "$console" | tr -d '\r' | sed 's/^/    | /'
        tally fail 1 "$label: the machine stopped"
    fi
    if grep -aE 'BUG:|Oops|WARNING:|blocked for more than' "$console" | head -n 5 | sed 's/^/    | /' | grep .; then
        note "the kernel complained (all of it: $console)"
    fi
}

# dpkg -x leaves it under /bin or /usr/bin.
if ! deb=$(fetched "busybox-static_*_amd64.deb" '^busybox-static$') || ! dpkg -x "$deb" "$top/busybox"; then
    cannot "no busybox-static to be had (see $logs/kernels-apt.log)"
fi
busybox=$(find "$top/busybox" -path '*bin/busybox' -type f)

ci/c-tests.sh build "${tests[@]}"
programs=()
for source in c-tests/*.c; do
    test=$(basename "$source" .c)
    [ "$test" != huge ] && grep -q 'main *(' "$source" || continue
    if [ ${#tests[@]} != 0 ] && [[ " ${tests[*]} " != *" $test "* ]]; then continue; fi
    [ ! -x "$build/c-tests-plain/$test" ] || programs+=("$build/c-tests-plain/$test")
done
[ ${#programs[@]} != 0 ] || { failed "C tests under other kernels" "there is nothing to run"; finish; }
for version in "${versions[@]}"; do run "$version"; done
finish

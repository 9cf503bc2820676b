# shellcheck shell=bash
# shellcheck disable=SC2154 # set by those who source it
# An emulated machine with a kernel of Debian's that runs C tests: two processors, a disk of 1 GB with ext4 under /tmp,
# and no network.  ci/kernels.sh and ci/aarch64.sh source this after ci/lib.sh, with these set:
#
#   top         a directory, where all is made; what is there is not fetched again
#   machine     x86_64 or aarch64
#   qemu        the command that emulates it, and its first arguments (an array)
#   suites      where to look for kernels (an array)
#   programs    the tests (an array)
#   tree_libs   the libraries that they need (an array), and loader, the path that they know the dynamic linker by
#
#   TEST_TIMEOUT=seconds   as for the tests by hand: 120 with KVM, 300 without
case ${machine:?} in x86_64) deb_machine=amd64 ;; *) deb_machine=arm64 ;; esac
mkdir -p "${top:?}" || exit 1
# mke2fs lies where only root looks.
PATH=$PATH:/usr/sbin:/sbin

# ---- what is fetched ----

# apt_for ARCHITECTURE: a configuration of apt's own, so that this machine's is left alone.
apt_for() {
    local state=$top/apt-$1
    apt=(-o "Dir::Etc::SourceList=$state/sources.list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State=$state/state"
        -o "Dir::State::status=$state/status" -o "Dir::Cache=$state/cache" -o APT::Sandbox::User=root -o "APT::Architecture=$1"
        -o Acquire::Languages=none -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o Acquire::Retries=2
        -o Acquire::http::Timeout=30)
}

# apt_update ARCHITECTURE: once, when the first thing is missing.
apt_update() {
    local suite main security keyring state=$top/apt-$1
    [ ! -e "$state/updated" ] || return 0
    mkdir -p "$state/state/lists/partial" "$state/cache/archives/partial"
    : >"$state/status"
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
    done >"$state/sources.list"
    # A suite that the mirror does not have is an error, and none of the others'.
    apt-get "${apt[@]}" -q update
    touch "$state/updated"
}

# fetched PATTERN NAME-PATTERN [ARCHITECTURE]: the file PATTERN in $top; else the newest package with such a name is
# fetched, and prints it.
fetched() {
    local pattern=$1 names=$2 package apt log=$logs/$machine-apt.log
    if ! compgen -G "$top/deb/$pattern" >/dev/null; then
        mkdir -p "$top/deb"
        apt_for "${3:-$deb_machine}"
        apt_update "${3:-$deb_machine}" >"$log" 2>&1
        package=$(apt-cache "${apt[@]}" search --names-only "$names" 2>>"$log" | awk '{ print $1 }' |
            sort -V | tail -n 1)
        [ -z "$package" ] || (cd "$top/deb" && apt-get "${apt[@]}" -q download "$package") >>"$log" 2>&1
    fi
    compgen -G "$top/deb/$pattern" | sort -V | tail -n 1
}

# busyboxes: $busybox, which runs here, and $machines_busybox, which runs in the machine.
busyboxes() {
    local arch deb
    for arch in "$(dpkg --print-architecture)" "$deb_machine"; do
        # dpkg -x leaves it under /bin or /usr/bin.
        if ! deb=$(fetched "busybox-static_*_$arch.deb" '^busybox-static$' "$arch") || ! dpkg -x "$deb" "$top/busybox-$arch"; then
            return 1
        fi
        machines_busybox=$(find "$top/busybox-$arch" -path '*bin/busybox' -type f)
        [ -n "${busybox:-}" ] || busybox=$machines_busybox
    done
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
for m in virtio_pci virtio_blk ext4 fuse; do modprobe $m; done
# RESULTS comes from the kernel's command line.
stty -F "$RESULTS" -opost
exec >"$RESULTS" 2>&1 </dev/null
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
dmesg | grep -E 'BUG:|Oops|WARNING:|blocked for more than' | head -n 5 | sed 's/^/| the kernel complained: /'
echo "@@"
poweroff -f
I
}

# image: from busybox, the kernel's modules, the tests and the libraries that they need, $top/initrd and a disk.
image() {
    local version tree=$top/tree file dir
    rm -rf "$tree"
    mkdir -p "$tree"/{bin,proc,sys,dev,tmp,etc,root,mnt,t,lib} "$tree${loader%/*}" && chmod 1777 "$tree/tmp" || return 1
    cp "$machines_busybox" "$tree/bin/busybox" || return 1
    "$busybox" --list | while read -r file; do [ -e "$tree/bin/$file" ] || ln -s busybox "$tree/bin/$file"; done
    mkdir "$tree/sbin" && ln -s /bin/busybox "$tree/sbin/modprobe" || return 1
    echo root:x:0:0::/root:/bin/sh >"$tree/etc/passwd"
    echo root:x:0: >"$tree/etc/group"
    dir=("$top"/kernel/lib/modules "$top"/kernel/usr/lib/modules)
    for file in "${dir[@]}"; do [ ! -d "$file" ] || cp -r "$file" "$tree/lib/" || return 1; done
    dir=("$tree"/lib/modules/*)
    version=$(basename "${dir[0]}")
    # What a machine of this kind has none of takes most of the room.
    rm -rf "${dir[0]}"/kernel/{sound,drivers/{gpu,media,net,iio,staging,infiniband,scsi,usb,hid}}
    find "$tree/lib/modules" -name '*.ko.xz' -exec "$busybox" unxz {} + || return 1
    "$busybox" depmod -b "$tree" "$version" || return 1
    for file in "${programs[@]}"; do cp "$file" "$tree/t/" || return 1; done
    for file in "${tree_libs[@]}"; do cp -L "$file" "$tree/lib/" || return 1; done
    [ -e "$tree$loader" ] || mv "$tree/lib/${loader##*/}" "$tree$loader" || return 1
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
    timeout --foreground -k 10 "$1" "${qemu[@]}" -smp 2 -m 2048 -display none -monitor none -nic none -no-reboot \
        -kernel "$(compgen -G "$top/kernel/boot/vmlinuz-*")" "${@:2}" </dev/null
}

# There is KVM, and a kernel comes as far as to find no disk (on some machines that are virtual themselves it does not).
kvm_works() {
    [ "$machine" = "$(uname -m)" ] && [ -w /dev/kvm ] &&
        machine 30 -accel kvm -serial stdio -append "console=ttyS0 panic=-1" 2>&1 | grep -q 'Kernel panic'
}

# run LABEL DEB-PATTERN NAME-PATTERN: the tests under this kernel.
run() {
    local label=$1 name=${1//[^A-Za-z0-9._-]/_} kernel line test rc start end left result console ports
    result=$logs/$name.result console=$logs/$name.console
    if ! kernel=$(fetched "$2" "$3"); then
        skip "$label" "no such kernel to be had (see $logs/$machine-apt.log)"
        return
    fi
    rm -rf "$top/kernel"
    dpkg -x "$kernel" "$top/kernel"
    if [ -z "$accel" ]; then
        if kvm_works; then accel=kvm; else accel=tcg,thread=multi; fi
        [ -n "${TEST_TIMEOUT:-}" ] || case $accel in kvm) TEST_TIMEOUT=120 ;; *) TEST_TIMEOUT=300 ;; esac
    fi
    if ! image >"$logs/$name.image" 2>&1; then
        failed "$label" "no image could be made of it" "$logs/$name.image"
        return
    fi
    left=" ${programs[*]##*/} "
    # Where there is a second serial port it is for results, so that nothing the kernel says breaks a line.
    if [ "$machine" = x86_64 ]; then
        ports=(-serial "file:$console" -serial stdio -append "console=ttyS0 RESULTS=/dev/ttyS1 quiet panic=-1")
    else
        ports=(-serial stdio -append "console=ttyAMA0 RESULTS=/dev/ttyAMA0 loglevel=1 panic=-1")
        console=$result
    fi
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
        "["*) ;; # the kernel's
        *) echo "    $line" ;;
        esac
    done < <(machine "${STEP_TIMEOUT:-7200}" -accel "$accel" -initrd "$top/initrd" \
        -drive "file=$top/disk,format=raw,if=virtio,cache=unsafe" "${ports[@]}" 2>&1 | tee "$result")
    if [ "$left" != " " ]; then
        echo "FAIL  $label: the machine stopped before these had run:$left"
        tail -n 30 "$console" | tr -d '\r' | sed 's/^/    | /'
        tally fail 1 "$label: the machine stopped"
    fi
}

#!/usr/bin/env bash
# ci/debian.sh with PACKAGE...   makes a Debian 12 in a directory, target/debian, with these packages; those of another
#                                architecture (NAME:arm64) are only unpacked there.  What is there is not fetched again.
#                                Exit status 77 if that cannot be; the last line says why.
# ci/debian.sh run COMMAND...    runs it in there, as root.  The files of this repository, and target, are where they
#                                are here.
#
# For toolchains and machines that this one does not have: Debian's own Rust (rustc-web), compilers for musl and
# aarch64, qemu.  Nothing of this machine's is changed.  It takes 1 to 3 GB, and root; DEBIAN=DIRECTORY to have it
# elsewhere.
set -eu -o pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
build=${CARGO_TARGET_DIR:-$root/target}
debian=${DEBIAN:-$build/debian}
PATH=$PATH:/usr/sbin:/sbin

cannot() { echo "$*"; exit 77; }
# mirror LABEL FALLBACK: where this machine fetches Debian's archive from.
mirror() {
    local site
    site=$(apt-get indextargets --format '$(LABEL) $(SITE)' 'Created-By: Packages' 2>/dev/null | awk -v l="$1" '$1 == l { print $2; exit }')
    echo "${site:-$2}"
}
inside() { DEBIAN_FRONTEND=noninteractive chroot "$debian" "$@"; }
get() { inside apt-get -qq -o Acquire::Retries=2 -o Acquire::http::Timeout=30 "$@"; }

case ${1:-} in
with)
    shift
    [ "$(id -u)" = 0 ] || cannot "a Debian in a directory needs root"
    mkdir -p "$debian"
    exec 9>"$debian.lock"
    flock 9
    if [ ! -e "$debian/made" ]; then
        command -v debootstrap >/dev/null || cannot "debootstrap is missing: apt-get install debootstrap"
        main=$(mirror Debian http://deb.debian.org/debian)
        security=$(mirror Debian-Security http://deb.debian.org/debian-security)
        debootstrap --variant=minbase --include=ca-certificates bookworm "$debian" "$main" >"$debian.log" 2>&1 ||
            cannot "debootstrap has failed: $debian.log"
        printf 'deb %s\n' "$main bookworm main" "$main bookworm-updates main" "$security bookworm-security main" \
            >"$debian/etc/apt/sources.list"
        inside dpkg --add-architecture arm64
        : >"$debian/made"
    fi
    cp -L /etc/resolv.conf "$debian/etc/resolv.conf"
    # With authorities of this machine's own, if it has any.
    cp -L /etc/ssl/certs/ca-certificates.crt "$debian/etc/ssl/certs/ca-certificates.crt"
    own=() others=()
    for package; do
        grep -qxF "$package" "$debian/made" || case $package in *:*) others+=("$package") ;; *) own+=("$package") ;; esac
    done
    [ ${#own[@]}${#others[@]} != 00 ] || exit 0
    {
        get update
        [ ${#own[@]} = 0 ] || get install -y --no-install-recommends "${own[@]}"
        for package in "${others[@]}"; do
            rm -rf "$debian/debs"
            mkdir "$debian/debs"
            inside sh -ec 'cd /debs; apt-get -qq download "$1"; dpkg -x ./*.deb /' - "$package"
        done
    } >>"$debian.log" 2>&1 || cannot "not all is to be had of ${own[*]} ${others[*]}: $debian.log"
    cp -L /etc/ssl/certs/ca-certificates.crt "$debian/etc/ssl/certs/ca-certificates.crt"
    printf '%s\n' "${own[@]}" "${others[@]}" >>"$debian/made"
    ;;
run)
    shift
    [ -e "$debian/made" ] || { echo "ci/debian.sh: there is nothing in $debian" >&2; exit 1; }
    # shellcheck disable=SC2016 # expanded in there
    exec unshare --mount sh -ec '
        debian=$1 here=$2 root=$3 build=$4
        shift 4
        mount --make-rprivate /
        for directory in /proc /dev "$root" "$build"; do
            mkdir -p "$debian$directory"
            mount --rbind "$directory" "$debian$directory"
        done
        exec chroot "$debian" env HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            sh -c "cd \"\$1\" && shift && exec \"\$@\"" - "$here" "$@"
    ' - "$debian" "$PWD" "$root" "$(mkdir -p "$build" && cd "$build" && pwd)" "$@"
    ;;
*)
    sed -n '2,6s/^# //p' "$0" >&2
    exit 2
    ;;
esac

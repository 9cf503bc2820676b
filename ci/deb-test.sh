#!/usr/bin/env bash
# make check-deb: the packages of make deb do what they are for, on a Debian machine that has a C compiler and no Rust:
# in a root directory that debootstrap makes in target/deb-root, and that is kept.  They are installed, used by the
# programs of debian/tests/, and purged, which leaves nothing behind; and lintian has nothing to say.
#
# Needs to be root, debootstrap, 700 MB, and some minutes the first time.  SUITE: bookworm, trixie...; what this machine
# is otherwise.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
[ "$(id -u)" = 0 ] || { skip "Debian packages" "this is not root, who alone can make a root directory"; finish; }
have dpkg-deb || { skip "Debian packages" "this is no Debian"; finish; }
ci/packages.sh debootstrap:debootstrap lintian:lintian debhelper:dh dpkg-dev:dpkg-buildpackage mandoc:mandoc
for command in debootstrap dh dpkg-buildpackage mandoc; do
    have $command || { skip "Debian packages" "$command is not installed"; finish; }
done
unshare --mount --pid --fork true 2>/dev/null || { skip "Debian packages" "mount(2) is not allowed here"; finish; }
suite=${SUITE:-$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)}
architecture=$(dpkg --print-architecture)
base=$build/deb-root/$suite
export machine=$base.used

STEP_TIMEOUT=900 step "make deb" make deb || finish
cd "$build/deb" || exit 1
if have lintian; then
    step "lintian" lintian --allow-root -EL +pedantic --fail-on error,warning,info,pedantic ./*.changes
else
    skip "lintian" "not installed"
fi

# ---- a machine without Rust ----

# The archive that this machine uses itself.
mirror() {
    apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
        awk -v suite="$suite" '$2 == suite { print $1; exit }'
}
if [ ! -e "$base/made" ]; then
    rm -rf "$base"
    mkdir -p "$base" || exit 1
    STEP_TIMEOUT=1200 step "debootstrap $suite" debootstrap --variant=minbase --arch="$architecture" \
        --include=gcc,libc6-dev,make,pkgconf,cmake,man-db "$suite" "$base" "$(mirror)" || finish
    rm -rf "$base"/var/cache/apt/archives/*.deb
    touch "$base/made"
fi
! [ -e "$base/usr/bin/rustc" ] || failed "no Rust in $base" "there is"

# in_root COMMAND...: in it, with a /proc where that may be mounted.
in_root() {
    # shellcheck disable=SC2016
    unshare --mount --pid --fork -- sh -c 'mount -t proc proc "$0/proc" 2>/dev/null || mount --rbind /proc "$0/proc" 2>/dev/null
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 AUTOPKGTEST_TMP=/tmp/work chroot "$0" "$@"' "$machine" "$@"
}
export -f in_root
in_step() { step "$1" bash -c 'in_root "$@"' - "${@:2}"; }
# All files of it, but for what dpkg, the dynamic linker and man keep for themselves.
files() {
    (cd "$machine" && find . -xdev \( -path ./proc -o -path ./tmp -o -path ./var/log -o -path ./var/lib/dpkg -o \
        -path ./var/cache \) -prune -o -print | sort)
}
# What dpkg knows of our packages.
known() { in_root dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' | grep libioevent; }

rm -rf "$machine"
cp -a "$base" "$machine" && mkdir -p "$machine/tmp/work" "$machine/tmp/debs" || exit 1
cp ./*.deb "$machine/tmp/debs"
cp -r "$root/debian/tests" "$machine/tmp/tests"
files >"$logs/deb-test.before"
in_step "the packages are installed" sh -c 'dpkg -i /tmp/debs/*.deb'
packages=$(sed -n 's/^Package: //p' "$root/debian/control")
installed=$(known | sed -n 's/^ii *//p' | grep -v dbgsym)
step "all packages are there" test "$(xargs <<<"$installed")" = "$(sort <<<"$packages" | xargs)"
in_step "programs" /tmp/tests/programs
in_step "manual" /tmp/tests/manual
in_step "examples" sh -c 'make -C /usr/share/doc/libioevent-doc/examples O=/tmp/work/examples \
    CFLAGS="-O2 -Wall -Wextra -Werror"'
# The programs of before still run when the library is installed again, as an upgrade does it.
in_step "installed again" sh -c 'dpkg -i /tmp/debs/*.deb && /tmp/work/shared'
in_step "the packages are purged" sh -c 'dpkg --purge $(dpkg-query -W -f "\${Package}\n" | grep libioevent)'
step "nothing is left in dpkg" test -z "$(known)"
files >"$logs/deb-test.after"
step "nothing is left" diff "$logs/deb-test.before" "$logs/deb-test.after"
in_step "a program does not run without the library" sh -c '! /tmp/work/shared'
rm -rf "$machine"
finish

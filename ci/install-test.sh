#!/usr/bin/env bash
# make install puts down what it should, DESTDIR stays out of what is installed, and make uninstall removes all of it.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
top=$build/install-test
rm -rf "$top"
mkdir -p "$top"
complain() {
    echo "ci/install-test.sh: $*"
    exit 1
}
left() { (cd "$top" && find . -not -type d | sort); }

check() {
    local name=$1
    shift
    make -s install "$@" || complain "$name: make install failed"
    version=$(sed -n 's/^version *= *"\(.*\)"/\1/p' Cargo.toml | head -n 1)
    for file in "libioevent.so.$version" libioevent.so.0 libioevent.so libioevent.a ioevent.h ioevent_posix.h libioevent.pc ioevent.7 \
        "libioevent_posix.so.$version" libioevent_posix.so.0 libioevent_posix.so libioevent-posix.pc ioevent-config.cmake \
        ioevent-config-version.cmake ioeventpipe.3 ioevent_fcntl.3 ioevent_read.3 ioevent_readv.3; do
        [ -n "$(find -L "$top" -type f -name "$file")" ] || complain "$name: $file was not installed"
    done
    for library in libioevent libioevent_posix; do
        file=$(find "$top" -name $library.so.0)
        [ "$(readlink "$file")" = "$library.so.$version" ] ||
            complain "$name: $library.so.0 does not lead to $library.so.$version"
        [ "$(stat -Lc %a "$file")" = 755 ] || complain "$name: not everybody can read and run $library.so.0"
    done
    # It finds libioevent.so beside itself, wherever that is.
    [ "$(LD_PRELOAD=$(find "$top" -name libioevent_posix.so.0) env -u LD_LIBRARY_PATH echo works 2>&1)" = works ] ||
        complain "$name: libioevent_posix.so does not run where it was installed"
    left >"$logs/install-test.$name"
    make -s uninstall "$@" || complain "$name: make uninstall failed"
    [ -z "$(left)" ] || complain "$name: make uninstall left" "$(left)"
    [ -z "$(find "$top" -name ioevent)" ] || complain "$name: make uninstall left a directory of its own"
}

# What debian/ says of this version.
rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
for tool in cargo cargo-web rustc rustc-web; do
    grep -qE "[ |]$tool \(>= $rust\)" debian/control || complain "debian/control does not ask for $tool (>= $rust)"
done
this=$(sed -n 's/^version *= *"\(.*\)"/\1/p' Cargo.toml | head -n 1)
grep -qx "version = \"$this\"" posix/Cargo.toml || complain "posix/Cargo.toml is not of version $this"
head -n 1 debian/changelog | grep -q "^libioevent (${this/-/\~}-" || complain "debian/changelog does not begin with $this"

# As a packager does it, with a directory for each kind; and as a user does it in a home directory.
check destdir DESTDIR="$top" PREFIX=/usr LIBDIR=/usr/lib/some-linux-gnu
check prefix PREFIX="$top" DESTDIR=
check places DESTDIR="$top" PREFIX=/opt/io LIBDIR=/l INCLUDEDIR=/i MANDIR=/m PKGCONFIGDIR=/p CMAKEDIR=/c/ioevent

make -s install DESTDIR="$top" PREFIX=/opt/io LIBDIR=/opt/io/lib/some-linux-gnu >/dev/null || complain "make install failed"
pc=$(find "$top" -name libioevent.pc)
for file in "$pc" "${pc%/*}/libioevent-posix.pc"; do
    ! grep -n "$top" "$file" || complain "${file##*/} names DESTDIR"
    # shellcheck disable=SC2016
    grep -q '^libdir=${prefix}/lib/some-linux-gnu$' "$file" || complain "${file##*/}: wrong libdir"
    ! grep -n '@' "$file" || complain "${file##*/}: something was not filled in"
done
cmake=$(find "$top" -name 'ioevent-config*.cmake')
# shellcheck disable=SC2086
! grep -nE "$top|@" $cmake || complain "this names DESTDIR, or was not filled in"
# Where there is no pkg-config ours stands in, and must say the same.
if have pkg-config; then
    export PKG_CONFIG_PATH=${pc%/*}
    for what in --cflags --libs "--static --cflags --libs" --modversion --variable=libdir; do
        for package in libioevent libioevent-posix; do
            # shellcheck disable=SC2086
            [ "$(pkg-config $what $package | xargs)" = "$(ci/pkg-config.sh $what $package | xargs)" ] ||
                complain "ci/pkg-config.sh $what $package differs from pkg-config"
        done
    done
fi
rm -rf "$top"

# A second install, as another user with no cargo at hand, builds nothing.
make -n install CARGO=/nonexistent | grep cargo-built && complain "make install builds again"
exit 0

#!/usr/bin/env bash
# make deb: builds the Debian packages of debian/ in a copy of the sources, and leaves them in target/deb.  CARGO and
# RUSTC name a toolchain that is not Debian's; what debian/control asks for instead need not be installed then.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
for command in dpkg-buildpackage dh; do
    have "$command" || { echo "make deb: $command is missing: apt-get install dpkg-dev debhelper mandoc" >&2; exit 1; }
done
version=$(sed -n 's/^version *= *"\(.*\)"/\1/p' Cargo.toml | head -n 1)
packaged=$(dpkg-parsechangelog -S Version) || exit 1
if [ "${packaged%-*}" != "${version/-/\~}" ]; then
    echo "make deb: debian/changelog is of $packaged, Cargo.toml of $version" >&2
    exit 1
fi
top=$build/deb
copy=$top/libioevent-$version
rm -rf "$top"
mkdir -p "$copy" || exit 1

# Not what was built here, and not what is no part of the sources.
if [ -e .git ]; then
    git ls-files -z --cached --others --exclude-standard
else
    find . \( -path "./target" -o -path "$build" \) -prune -o -type f -print0
fi | xargs -0 cp -P --parents -t "$copy" || exit 1

# Of what is missing only the toolchain may come from elsewhere.
cd "$copy" || exit 1
flags=()
missing=$(dpkg-checkbuilddeps 2>&1 | sed 's/.*: //; s/([^)]*)//g; s/:native//g' | tr -s '| ' '\n' | sort -u)
others=$(grep -vxE '|cargo|cargo-web|rustc|rustc-web' <<<"$missing")
if [ -n "$others" ]; then
    echo "make deb: not installed:" $others >&2
    exit 1
fi
[ -z "$missing" ] || flags=(-d)
unset CARGO_TARGET_DIR MAKEFLAGS MFLAGS MAKELEVEL
env -u IOEVENT_TALLY dpkg-buildpackage -b -us -uc "${flags[@]}" >"$top/build.log" 2>&1 || {
    status=$?
    cat "$top/build.log" >&2
    exit $status
}
cd "$top" && rm -rf "$copy" && ls ./*.deb

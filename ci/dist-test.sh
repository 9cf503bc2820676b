#!/usr/bin/env bash
# The source tarball of make dist: the same commit makes the same one; make and make install of it need no git, no
# registry and no directory of cargo's, below a path with a space in it; and a program is built with what was installed.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
git rev-parse HEAD >/dev/null 2>&1 || { echo "no clone, of which a tarball could be made"; exit 77; }
top="$build/dist-test/with a space"
rm -rf "${top%/*}"
mkdir -p "$top/prefix" || exit 1
complain() {
    echo "ci/dist-test.sh: $*"
    exit 1
}

tarball=$(ci/dist.sh "$top/1") || complain "make dist failed"
again=$(umask 077; TMPDIR=/nonexistent ci/dist.sh "$top/2") || complain "make dist failed the second time"
cmp "$tarball" "$again" || complain "the same commit makes another tarball"
tar xpzf "$tarball" -C "$top" || complain "it cannot be unpacked"
source=$top/$(basename "$tarball" .tar.gz)
[ -z "$(find "$source" ! -perm -go=r -o -newermt "@$(($(git log -1 --format=%ct) + 1))")" ] ||
    complain "modes or times in it are those of this machine"

# What this build finds is the toolchain, and nothing else that cargo has for this user.
CARGO=$(ci/toolchain.sh where) || complain "no toolchain"
export CARGO CARGO_HOME=$top/cargo-home GIT_CEILING_DIRECTORIES=$top
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0
unset CARGO_TARGET_DIR CARGO_BUILD_TARGET MAKEFLAGS PKG_CONFIG_PATH
alone=()
if unshare -n true 2>/dev/null; then alone=(unshare -n); fi
cd "$source" || exit 1
"${alone[@]}" make all || complain "make failed"
"${alone[@]}" make install DESTDIR= PREFIX="$top/prefix" || complain "make install failed"
! make all | grep cargo || complain "make builds again"
printf '#include <ioevent.h>\nint main(void) { return ioeventpipe(1) < 0; }\n' >"$top/program.c"
"${CC:-cc}" -I"$top/prefix/include" "$top/program.c" -o "$top/program" -L"$top/prefix/lib" -lioevent &&
    LD_LIBRARY_PATH=$top/prefix/lib "$top/program" || complain "a program with the installed library does not run"
rm -rf "${top%/*}"
exit 0

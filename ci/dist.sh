#!/usr/bin/env bash
# ci/dist.sh [DIRECTORY]: the source tarball libioevent-VERSION.tar.gz, in target/dist-tarball unless said otherwise:
# what git knows of, and the crates that the library is made of, in vendor/, so that make and make install ask no
# registry.  To that end its Cargo.toml is without the packages and crates of the Rust tests and benchmarks; those are
# run in a clone.  The same commit makes the same tarball.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
die() {
    echo "ci/dist.sh: $*" >&2
    exit 1
}
git rev-parse --verify -q HEAD >/dev/null 2>&1 || die "a tarball is made from a clone of the repository, with git"
to=${1:-$build/dist-tarball}
name=libioevent-$(sed -n 's/^version *= *"\(.*\)"/\1/p' Cargo.toml | head -n 1)
umask 022
mkdir -p "$to" && top=$(mktemp -d "$to/making.XXXXXX") && mkdir "$top/$name" || die "cannot write into $to"
trap 'rm -rf "$top"; [ $tally_owner = no ] || rm -f "$IOEVENT_TALLY"' EXIT

git ls-files -z | tar c --null -T - | tar x -C "$top/$name" || die "cannot copy what git knows of"
cd "$top/$name" || exit 1
# Without the sections that name what is not in vendor/.
awk '
    /^\[/ { out = /dev-dependencies|cfg\(loom\)|profile\.loom|profile\.dev|^\[\[(test|example)\]\]/ }
    /^members = / { $0 = "members = [\"posix\"]" }
    !out' "$root/Cargo.toml" >Cargo.toml
# This leaves in Cargo.lock what is still needed, in the same versions.
cargo=(env -u CARGO_TARGET_DIR -u CARGO_BUILD_TARGET "$root/ci/toolchain.sh" cargo)
"${cargo[@]}" metadata -q --format-version 1 >"$top/metadata" && "${cargo[@]}" vendor -q --locked >"$top/config" ||
    die "cannot copy the crates into vendor/"
packages() { grep '^name = "\|^version = "' "$1" | paste -d ' ' - - | sort; }
others=$(comm -13 <(packages "$root/Cargo.lock") <(packages Cargo.lock))
[ -z "$others" ] || die "it would have other versions than Cargo.lock: $others"
mkdir .cargo
cat >.cargo/config.toml <<'CONFIG'
# Crates come from vendor/: nothing is downloaded.
[source.crates-io]
replace-with = "vendor"

[source.vendor]
directory = "vendor"

[net]
offline = true
CONFIG
cd "$top" || exit 1
tar c --format=ustar --sort=name --mtime="@$(git -C "$root" log -1 --format=%ct)" --owner=0 --group=0 --numeric-owner \
    --mode=u=rwX,go=rX "$name" | gzip -n9 >"$name.tar.gz" && mv "$name.tar.gz" "$to" || die "cannot write $to/$name.tar.gz"
echo "$to/$name.tar.gz"

#!/usr/bin/env bash
# What make packs is what cargo has just built, for the target that CARGO_BUILD_TARGET or a configuration file names;
# not what an earlier build has left where cargo puts it without such a target.  In a copy of all but the sources, which
# are a library of one function here: that is built quickly.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
top=$build/target-test
host=$(ci/toolchain.sh rustc -vV | sed -n 's/^host: //p')
rm -rf "$top"
mkdir -p "$top/src"
cp -r Cargo.toml Cargo.lock build.rs abi benches examples posix tests ci Makefile "$top/src"
cd "$top/src" || exit 1
mkdir src
cat >src/lib.rs <<'END'
//! One function.
/// None.
#[unsafe(no_mangle)]
pub extern "C" fn ioevent_version() -> u32 {
    0
}
END
unset CARGO_BUILD_TARGET MAKEFLAGS
export CARGO_TARGET_DIR=$top/target CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0
dist=$CARGO_TARGET_DIR/dist
complain() {
    echo "ci/target-test.sh: $*"
    exit 1
}

# packs NAME DIR [VARIABLE=VALUE]: make all packs what cargo has put into DIR.
packs() {
    local file
    env "${@:3}" make all || complain "$1: make all failed"
    for file in libioevent.a libioevent_posix.so; do
        cmp "$dist/$file" "$2/$file" || complain "$1: $file is not the one that was built"
        [ "$(wc -c <"$dist/$file")" -gt 10000 ] || complain "$1: $file is a stale one"
    done
    nm -D "$dist/libioevent.so" | grep -q ' T ioevent_version@@' || complain "$1: libioevent.so has not its function"
}
# What an earlier build has left where there is no target, and in dist.
stale() {
    mkdir -p "$CARGO_TARGET_DIR/release"
    for file in libioevent.so libioevent.a libioevent_posix.so; do
        rm -f "$CARGO_TARGET_DIR/release/$file"
        echo stale >"$CARGO_TARGET_DIR/release/$file"
        if [ -e "$dist/$file" ]; then echo stale >"$dist/$file"; fi
    done
}

stale
packs "the first build" "$CARGO_TARGET_DIR/$host/release" CARGO_BUILD_TARGET="$host"
stale
packs "no target" "$CARGO_TARGET_DIR/release"
stale
packs "CARGO_BUILD_TARGET" "$CARGO_TARGET_DIR/$host/release" CARGO_BUILD_TARGET="$host"
stale
mkdir .cargo
echo "build.target = \"$host\"" >.cargo/config.toml
packs "build.target" "$CARGO_TARGET_DIR/$host/release"
stale
rm -r .cargo
packs "no build.target any more" "$CARGO_TARGET_DIR/release"
[ -z "$(make all | grep cargo-built)" ] || complain "make all builds again"

# A target that cannot be built is an error, and nothing is left that make install could take for it.
if CARGO_BUILD_TARGET=no-such-target make all 2>"$logs/target-test.err"; then complain "no-such-target was built"; fi
[ ! -e "$dist/libioevent.so" ] || complain "no-such-target: $dist/libioevent.so is there"
rm -rf "$top"
exit 0

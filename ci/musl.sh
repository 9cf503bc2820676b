#!/usr/bin/env bash
# ci/musl.sh [NAME...]: builds libioevent.a for musl, and the C tests (all but huge; or only those named), which are
# linked to it and to musl statically, and runs them.  `make check-musl` calls it.  Debian's Rust builds its standard
# library for musl with the library: in a Debian of its own (ci/debian.sh), which is fetched first.  All of it takes ten
# minutes.
# ci/musl.sh --compiles: only whether the library compiles for musl, where this machine's Rust has musl's standard
# library.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

target=$(uname -m)-unknown-linux-musl

case ${1:-} in
--compiles)
    step "musl, compiled" "$0" --compiled
    finish
    ;;
--compiled)
    libraries=$(ci/toolchain.sh rustc --print target-libdir --target "$target") || exit 1
    compgen -G "$libraries/libstd-*" >/dev/null ||
        { echo "this Rust has no standard library for musl: rustup target add $target"; exit 77; }
    ci/toolchain.sh cargo check --quiet --locked --lib --target "$target"
    exit $?
    ;;
--library)
    here=$build/musl
    linker=CARGO_TARGET_${target^^}_LINKER
    CARGO_TARGET_DIR=$here ci/debian.sh run env CARGO_TARGET_DIR="$here" RUSTC_BOOTSTRAP=1 "${linker//-/_}=musl-gcc" \
        cargo rustc -Zbuild-std=std,panic_abort -Zbuild-std-features= --release --lib --crate-type staticlib --locked \
        --target "$target" || exit 1
    cp "$here/$target/release/libioevent.a" "$here/stage/lib/" && cp include/*.h "$here/stage/include/" || exit 1
    sed -e "s|@PREFIX@|$here/stage|" -e "s|@LIBDIR@|$here/stage/lib|" -e "s|@INCLUDEDIR@|$here/stage/include|" \
        -e "s|@VERSION@|0|" pkgconfig/libioevent.pc.in >"$here/stage/lib/pkgconfig/libioevent.pc"
    exit $?
    ;;
esac

packages=(rustc-web cargo-web rust-web-src musl-tools gcc libc6-dev)
log=$logs/musl.log
if ! ci/debian.sh with "${packages[@]}" >"$log" 2>&1; then
    skip "musl" "$(tail -n 1 "$log")"
    (finish)
    exit 77
fi
export DEBIAN=${DEBIAN:-$build/debian}
here=$build/musl
mkdir -p "$here/stage/lib/pkgconfig" "$here/stage/include" || exit 1

# What musl-gcc does not bring: the kernel's headers; and, since Debian's libgcc_eh.a is made for glibc, the function by
# which that asks glibc's loader for the tables of a frame. (There are none: Rust's code aborts rather than unwinds.)
cat >"$here/cc" <<W
#!/bin/sh
exec env DEBIAN="$DEBIAN" "$root/ci/debian.sh" run musl-gcc -static -idirafter "/usr/include/$(uname -m)-linux-gnu" -idirafter /usr/include \\
    "$here/no_tables.c" "\$@"
W
chmod +x "$here/cc"
cat >"$here/no_tables.c" <<'C'
int _dl_find_object(void *address, void *result);
int _dl_find_object(void *address, void *result) { (void)address; (void)result; return -1; }
C

STEP_TIMEOUT=1800 step "musl, the library" "$0" --library || finish

tests=("$@")
[ $# != 0 ] || for source in c-tests/*.c; do
    ! grep -q 'main *(' "$source" || [ "$source" = c-tests/huge.c ] || tests+=("$(basename "$source" .c)")
done
CC=$here/cc CARGO_TARGET_DIR=$here LABEL=musl ci/c-tests.sh plain "${tests[@]}"
finish

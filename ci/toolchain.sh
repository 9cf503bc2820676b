#!/bin/sh
# ci/toolchain.sh cargo|rustc ARGUMENTS...   runs that command of the Rust toolchain that builds the library
# ci/toolchain.sh where                      the path of its cargo
# ci/toolchain.sh has VERSION                whether its compiler is of this version or newer; says what is there if not
#
# The toolchain is the first of these that is as new as rust-version in Cargo.toml asks: CARGO and RUSTC, if they are set,
# and then no other; cargo and rustc in a directory of PATH; in CARGO_HOME or ~/.cargo, where rustup puts them; in
# /usr/bin, where Debian's packages put them.  If there is none it says what there is and what to do.  For cargo +NAME it
# is the first that knows the toolchain NAME, as rustup's cargo does.
set -u
needed=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$(dirname "$0")/../Cargo.toml" | head -n 1)

# newer VERSION THAN: the one is the other or newer.
newer() {
    awk -v a="$1" -v b="$2" 'BEGIN {
        n = split(a, x, "[.-]"); split(b, y, ".")
        for (i = 1; i <= 3; i++) if (x[i] + 0 != y[i] + 0) exit x[i] + 0 < y[i] + 0
        exit n == 0
    }'
}
# version_of COMMAND: "1.85.1".
version_of() { "$1" --version 2>/dev/null | sed -n '1s/^[a-z]* \([0-9][0-9.]*\).*/\1/p'; }

# The directories where one may be, each once.
directories() {
    home=${CARGO_HOME:-${HOME:+$HOME/.cargo}}
    printf '%s\n' "$PATH:${home:+$home/bin:}/usr/local/cargo/bin:/usr/bin" | tr ':' '\n' | awk 'NF && !seen[$0]++'
}

refused=
refuse() { refused="$refused${refused:+; }$1"; }
# suits CARGO RUSTC: both run and are new enough.
suits() {
    for one in "$1" "$2"; do
        version=$(version_of "$one")
        if [ -z "$version" ]; then
            refuse "$one does not run"
            return 1
        elif ! newer "$version" "$needed"; then
            refuse "$one is $version"
            return 1
        fi
    done
    cargo=$1 rustc=$2
}
find_toolchain() {
    if [ -n "${CARGO:-}${RUSTC:-}" ]; then
        beside=$(command -v "${CARGO:-$RUSTC}") || beside=
        beside=${beside%/*}
        for other in cargo rustc; do [ -x "$beside/$other" ] || beside=; done
        suits "${CARGO:-${beside:+$beside/}cargo}" "${RUSTC:-${beside:+$beside/}rustc}"
        return
    fi
    while IFS= read -r directory; do
        if [ -x "$directory/cargo" ] && [ -x "$directory/rustc" ] && suits "$directory/cargo" "$directory/rustc"; then
            return 0
        fi
    done <<LIST
$(directories)
LIST
    return 1
}
found() {
    find_toolchain && return
    {
        echo "Rust $needed or newer is needed: ${refused:-there is no cargo with its rustc}."
        echo "Debian 12: apt-get install rustc-web cargo-web; Debian 13: apt-get install rustc cargo; anywhere: https://rustup.rs"
    } >&2
    exit 1
}
# of_rustup COMMAND +NAME ARGUMENTS...: runs a command of the toolchain NAME.
of_rustup() {
    unset RUSTC
    command=$1
    shift
    knows=
    while [ -z "$knows" ] && IFS= read -r directory; do
        if "$directory/$command" "$1" --version >/dev/null 2>&1; then knows=$directory; fi
    done <<LIST
$(directories)
LIST
    [ -z "$knows" ] || exec "$knows/$command" "$@"
    echo "there is no toolchain ${1#+} (rustup toolchain install ${1#+})" >&2
    exit 1
}

case ${1:-} in
cargo | rustc)
    command=$1
    shift
    case ${1:-} in
    +*) of_rustup "$command" "$@" ;;
    esac
    found
    if [ "$command" = rustc ]; then exec "$rustc" "$@"; fi
    # Cargo takes the compiler that comes first in PATH, unless it is told.
    [ "$(command -v rustc)" = "$rustc" ] || export RUSTC="$rustc"
    exec "$cargo" "$@"
    ;;
where)
    found
    command -v "$cargo"
    ;;
has)
    found
    version=$(version_of "$rustc")
    newer "$version" "$2" || { echo "it needs Rust $2, and $rustc is $version"; exit 1; }
    ;;
*) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
esac

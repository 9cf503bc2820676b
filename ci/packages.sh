#!/usr/bin/env bash
# ci/packages.sh [PACKAGE:COMMAND...]: installs the Debian packages that some of the tests need (or only those named,
# each with a command or a file that it brings), where it may; where it may not, names them.  Never fails: the tests
# that miss something are skipped and say so.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

# package: a command that it brings, or the path of a file
want=(pkgconf:pkg-config curl:curl wrk:wrk strace:strace valgrind:valgrind mandoc:mandoc clang:clang g++:g++
    openssl:openssl libssl-dev:/usr/include/openssl/ssl.h
    shellcheck:shellcheck abigail-tools:abidiff cmake:cmake codespell:codespell)
[ $# = 0 ] || want=("$@")
here() {
    case $1 in /*) [ -e "$1" ] ;; *) have "$1" ;; esac
}
missing=()
for pair in "${want[@]}"; do
    here "${pair#*:}" || missing+=("${pair%%:*}")
done

# Parts of the Rust tool chain that a minimal installation lacks.
cargo=$(ci/toolchain.sh where 2>/dev/null)
rustup=${cargo%/*}/rustup
if [ -x "$rustup" ] && [ $# = 0 ]; then
    for part in clippy rustfmt; do
        case $part in clippy) probe=clippy ;; rustfmt) probe=fmt ;; esac
        ci/toolchain.sh cargo "$probe" --version >/dev/null 2>&1 ||
            timeout 300 "$rustup" component add "$part" </dev/null 2>&1 | tail -n 1
    done
fi

[ ${#missing[@]} != 0 ] || exit 0
# Where the dynamic linker is stripped, valgrind cannot do without its symbols.
case " ${missing[*]} " in *" valgrind "*) missing+=(libc6-dbg) ;; esac

sudo=()
if [ "$(id -u)" != 0 ]; then
    if have sudo && sudo -n true 2>/dev/null; then sudo=(sudo -n); else sudo=(false); fi
fi
if have apt-get && [ "${sudo[*]}" != false ] && [ -z "${IOEVENT_NO_INSTALL:-}" ]; then
    note "installing ${missing[*]}"
    log=$logs/packages.log
    export DEBIAN_FRONTEND=noninteractive
    get=(timeout -k 10 600 "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120
        -o Acquire::http::Timeout=30 -o Acquire::Retries=2)
    {
        "${get[@]}" update
        # All at once; if one of them cannot be had, each by itself.
        "${get[@]}" install --no-install-recommends "${missing[@]}" ||
            for package in "${missing[@]}"; do
                "${get[@]}" install --no-install-recommends "$package"
            done
    } </dev/null >"$log" 2>&1
    left=()
    for pair in "${want[@]}"; do
        here "${pair#*:}" || left+=("${pair%%:*}")
    done
    [ ${#left[@]} != 0 ] || exit 0
    note "could not install: ${left[*]} (see $log)"
    missing=("${left[@]}")
fi

note "not installed, so some tests will be skipped; for all of them:  apt-get install ${missing[*]}"
exit 0

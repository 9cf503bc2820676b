#!/usr/bin/env bash
# clippy, rustdoc, rustfmt, mandoc, shellcheck, codespell, and the checks of this repository's own that need no run of
# the library.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
shopt -s nullglob

# Conditions with several lets are of Rust 1.88 and of edition 2024: in an older edition the compiler complains of them,
# if of other things too. Clippy knows only what of the standard library is too new.
let_chains() {
    local crate said
    for crate in src/lib.rs posix/src/lib.rs; do
        said=$(ci/toolchain.sh rustc --edition 2021 --crate-type lib --emit metadata -o "$1" --cfg 'feature="futures"' \
            "$crate" 2>&1)
        grep -q '^error\[E0' <<<"$said" || echo "$crate: it was not compiled as far as to other crates"
        grep -A 5 'let chains are only allowed' <<<"$said"
    done
}
export -f let_chains
step "no let chains, for older compilers" bash -c '! let_chains "$0" | grep .' "$logs/let-chains.rmeta"

rust_lint() {
    if ci/toolchain.sh cargo clippy --version >/dev/null 2>&1; then
        STEP_TIMEOUT=900 step "clippy" ci/toolchain.sh cargo clippy -q -p ioevent -p ioevent-posix -p ioevent-header -p ioevent-linked -p ioevent-stress \
            --all-targets --all-features -- -D warnings
        STEP_TIMEOUT=900 step "clippy, without features" ci/toolchain.sh cargo clippy -q -p ioevent --all-targets -- -D warnings
        # What only the benchmarks depend on may be missing where the library is tested.
        if timeout 300 ci/toolchain.sh cargo fetch -q 2>/dev/null; then
            STEP_TIMEOUT=900 step "clippy, benches" ci/toolchain.sh cargo clippy -q -p ioevent-benches --all-targets -- -D warnings
            STEP_TIMEOUT=900 step "clippy, the peer in Rust" \
                ci/toolchain.sh cargo clippy -q --manifest-path benches/peers/rust/Cargo.toml --target-dir "$build" -- -D warnings
        else
            skip "clippy, benches" "what it depends on cannot be fetched"
        fi
    else
        skip "clippy" "not installed (rustup component add clippy)"
    fi
    export RUSTDOCFLAGS="-D warnings"
    step "rustdoc" ci/toolchain.sh cargo doc -q --no-deps -p ioevent --all-features
    step "rustdoc, without features" ci/toolchain.sh cargo doc -q --no-deps -p ioevent
    # shellcheck disable=SC2016
    step "cargo package has nothing to warn of" bash -c '! "$@" 2>&1 | grep -A 5 "^warning\|^error"' - \
        ci/toolchain.sh cargo package -p ioevent --no-verify --allow-dirty --exclude-lockfile --offline
    if ci/toolchain.sh cargo fmt --version >/dev/null 2>&1; then
        step "rustfmt" ci/toolchain.sh cargo fmt --all --check -- --color never
        step "rustfmt, the peer in Rust" ci/toolchain.sh cargo fmt --manifest-path benches/peers/rust/Cargo.toml --check -- --color never
    else
        skip "rustfmt" "not installed (rustup component add rustfmt)"
    fi
}
if is_clone; then rust_lint; else skip "clippy, rustdoc, rustfmt" "$no_crates"; fi

# All that mandoc says, but what depends on which other manuals this machine has: that a page is not found is a fault
# only of our own pages, and only if we have none of that name and section.
existing() { ci/man.sh names | sed 's/ .*\.\([0-9]\)$/ \1/' | sort -u; }
our_pages=$(existing)
man_lint() {
    cd man && ! mandoc -T lint -W style "${1##*/}" 2>&1 | grep -v 'outdated mandoc.db' |
        awk '
            BEGIN { n = split(ENVIRON["our_pages"], page, "\n"); for (i = 1; i <= n; i++) ours[page[i]] }
            match($0, /referenced manual not found: Xr /) {
                split(substr($0, RSTART + RLENGTH), xr, " ")
                if (xr[1] !~ /^ioevent/ || (xr[1] " " xr[2]) in ours) next
            }
            { print }' | grep .
}
export our_pages
export -f man_lint
for page in man/*.[1-9]; do
    if have mandoc; then
        step "mandoc -T lint $page" bash -c 'man_lint "$0"' "$page"
    else
        skip "mandoc -T lint $page" "mandoc is not installed"
    fi
done
# Our pages refer to pages of ours that exist.
referenced() { sed -n 's/^\.Xr \(ioevent[a-z0-9_]*\) \([37]\).*/\1 \2/p' man/*.[1-9] | sort -u; }
step "man pages refer to pages that exist" diff <(referenced) <(comm -12 <(referenced) <(existing))

# Each function of the header has a page, and no page documents what is not there.
documented() { ci/man.sh names | awk '$2 ~ /\.3$/ { print $1 }' | sort -u; }
step "each function has a man page" diff <(sort <(header_functions) <(header_inlines)) <(documented)

step "each rule of the contract has a test" ci/rules.sh

step "floors of src/" ci/floors.sh

step "lengths of files" ci/lengths.sh

step "README.md shows what the tests compile" ci/readme.sh

# Its words to ignore are in .codespellrc.
if have codespell; then step "spelling" codespell; else skip "spelling" "codespell is not installed"; fi

scripts=(ci/*.sh ci/posix/*.sh .ci/run c-tests/*.sh c-tests/*/*.sh debian/tests/programs debian/tests/manual)
for script in "${scripts[@]}"; do
    case $(head -n 1 "$script") in *bash* | *shellcheck*) shell="bash" ;; *) shell="sh" ;; esac
    $shell -n "$script" || failed "$shell -n $script" "it cannot be parsed"
done
if have shellcheck; then
    step "shellcheck" shellcheck -x -S warning -e SC2046 "${scripts[@]}"
else
    skip "shellcheck" "not installed"
fi
finish

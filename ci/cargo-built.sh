#!/bin/sh
# ci/cargo-built.sh NAME COMMAND...: runs a command that builds with cargo, and prints the path of the file NAME that
# came of it, wherever cargo puts it: CARGO_BUILD_TARGET and configuration files have a say in that.
set -u
name=$1
shift
# What comes after -- is the compiler's.
format=--message-format=json-render-diagnostics
for argument; do
    if [ "$argument" = -- ]; then
        set -- "$@" $format
        format=
    fi
    set -- "$@" "$argument"
    shift
done
said=$("$@" $format) || exit
paths=$(printf '%s\n' "$said" | sed -n 's/^{"reason":"compiler-artifact",.*"filenames":\[\([^]]*\)\].*/\1/p' | tr ',' '\n' |
    sed -n "s|^\"\(.*/$name\)\"\$|\1|p" | sort -u)
case $paths in
"") echo "ci/cargo-built.sh: cargo does not say that it has built $name" >&2; exit 1 ;;
*"
"*)
    echo "ci/cargo-built.sh: cargo has built $name for several targets, and CARGO_BUILD_TARGET does not say which is meant" >&2
    exit 1
    ;;
*) printf '%s\n' "$paths" ;;
esac

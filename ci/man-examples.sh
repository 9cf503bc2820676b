#!/usr/bin/env bash
# The programs that the man pages show compile without a warning and link with the staged install, and the short ones
# run: each block that follows a line `.\" program NAME` (or `.\" program NAME run`; or `.\" program NAME posix`: linked
# to libioevent_posix.so).
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
export PKG_CONFIG_PATH=$stage/lib/pkgconfig
export LD_LIBRARY_PATH=$stage/lib
work=$build/man-examples
rm -rf "$work"
mkdir -p "$work"

awk -v dir="$work" '
    /^\.\\" program / { file = dir "/" $3 ".c"; run[$3] = $4; names = names " " $3; next }
    file != "" && /^\.Bd / { on = 1; next }
    /^\.Ed/ { if (on) close(file); on = 0; file = ""; next }
    on { gsub(/\\e/, "\\"); gsub(/\\&/, ""); gsub(/\\-/, "-"); print > file }
    END { for (n in run) print n, run[n] > (dir "/list") }' man/*.[1-9]

[ -s "$work/list" ] || { failed "man page examples" "there is none in man/"; finish; }
while read -r name run; do
    package=libioevent
    if [ "$run" = posix ]; then package=libioevent-posix; fi
    read -r -a flags < <(pkg-config --cflags --libs "$package")
    step "man page example $name compiles" "${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror "$work/$name.c" \
        -o "$work/$name" -pthread "${flags[@]}" || continue
    if [ "$run" = run ]; then STEP_TIMEOUT=20 step "man page example $name runs" "$work/$name"; fi
done < <(sort "$work/list")
finish

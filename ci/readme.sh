#!/usr/bin/env bash
# The echo server that README.md shows is examples-c/echo.c, to the byte.  ci/readme.sh --write puts it there.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1

block() { awk '/^<!-- examples-c\/echo.c -->$/ { on = 1; next } on && /^```c$/ { in_block = 1; next }
    in_block && /^```$/ { exit } in_block' README.md; }

if [ "${1:-}" = --write ]; then
    new=$(mktemp) || exit 1
    trap 'rm -f "$new"' EXIT
    awk '/^<!-- examples-c\/echo.c -->$/ { on = 1 }
        on && /^```c$/ { print; while ((getline line < "examples-c/echo.c") > 0) print line; skip = 1; next }
        skip && /^```$/ { skip = on = 0 }
        !skip' README.md >"$new" && cat "$new" >README.md
    exit
fi
diff -u --label README.md --label examples-c/echo.c <(block) examples-c/echo.c ||
    { echo "repair with: ci/readme.sh --write"; exit 1; }

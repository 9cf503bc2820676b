#!/usr/bin/env bash
# What README.md shows is the code that the tests compile: the echo servers are examples-c/echo.c, to the byte, and that
# of doc/crate.md; each line of Rust on the first screen is in doc/crate.md, but for its comment, and the C there
# compiles. ci/readme.sh --write puts the servers there.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1

# block MARK LANGUAGE: the first block of that language after the line `<!-- MARK -->`.
block() { awk -v mark="<!-- $1 -->" -v start="\`\`\`$2" '$0 == mark { on = 1; next } on && $0 == start { inside = 1; next }
    inside && /^```$/ { exit } inside' README.md; }
# The program in doc/crate.md: a block of its own that is compiled and not run.
program() { awk '/^```no_run$/ { on = 1; next } on && /^```$/ { exit } on' doc/crate.md; }

# replaced MARK LANGUAGE COMMAND...: README.md with what the command prints in that block.
replaced() {
    local new
    new=$("${@:3}") || return
    new=$new awk -v mark="<!-- $1 -->" -v start="\`\`\`$2" '$0 == mark { on = 1 }
        on && $0 == start { print; print ENVIRON["new"]; skip = 1; next }
        skip && /^```$/ { skip = on = 0 }
        !skip' README.md
}

if [ "${1:-}" = --write ]; then
    text=$(replaced examples-c/echo.c c cat examples-c/echo.c) && printf '%s\n' "$text" >README.md &&
        text=$(replaced doc/crate.md rust program) && printf '%s\n' "$text" >README.md
    exit
fi
status=0
diff -u --label README.md --label examples-c/echo.c <(block examples-c/echo.c c) examples-c/echo.c || status=1
diff -u --label README.md --label doc/crate.md <(block doc/crate.md rust) <(program) || status=1
lines=0
while read -r line; do
    lines=$((lines + 1))
    code=${line%%//*}
    grep -qF -- "${code%"${code##*[! ]}"}" doc/crate.md || { echo "README.md: not in doc/crate.md: $code"; status=1; }
done < <(block "lines of doc/crate.md" rust)
[ $lines -gt 0 ] || { echo "README.md shows no line of doc/crate.md"; status=1; }
fragment=$(block "a fragment" c)
[ -n "$fragment" ] || { echo "README.md has no fragment of C"; status=1; }
# It stands in a function.
printf '%s\n' '#include <ioevent.h>' 'struct conn { int fd; char buffer[4096]; };' \
    'void drop(struct conn *conn);' 'void received(struct conn *conn, int result);' 'void fragment(struct conn *conn);' \
    'void fragment(struct conn *conn)' '{' "$fragment" '}' |
    "${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -Iinclude -x c - || status=1
[ $status = 0 ] || echo "repair the servers with: ci/readme.sh --write"
exit $status

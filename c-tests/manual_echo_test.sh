#!/usr/bin/env bash
# manual_echo_test.sh BIN_DIR: the echo server that ioevent(7) shows does what the page says of it. It gets its port as
# an argument here, and is otherwise as the page has it. Needs PKG_CONFIG_PATH to find libioevent.
# shellcheck source=c-tests/test_echo.sh
. "$(dirname "$0")/test_echo.sh"

page=$(dirname "$0")/../man/ioevent.7
shown() {
    awk '/^\.\\" program echo$/ { on = 1; next } on && /^\.Bd / { inside = 1; next } inside && /^\.Ed/ { exit }
        inside { gsub(/\\e/, "\\"); gsub(/\\&/, ""); gsub(/\\-/, "-"); print }' "$page"
}
shown | sed -e 's/^main(void)$/main(int argc, char **argv)/' -e 's/htons(7007)/htons(argc == 2 ? atoi(argv[1]) : 0)/' \
    >"$work/echo.c"
read -r -a flags < <("${PKG_CONFIG:-pkg-config}" --cflags --libs libioevent)
check "the echo server of ioevent(7) compiles" "${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror "$work/echo.c" \
    -o "$work/echo" "${flags[@]}"
[ $failures = 0 ] || all_passed

start_server 1024 "$work/echo"
check "it sends 1 MB back" echoes "$work/1mb.bin"
check "it serves 32 connections together" echoes_together
check "it closes what clients have closed" wait_for only_listens
kill "$pid"
wait "$pid" 2>/dev/null

start_server 24 "$work/echo"
check "it survives without descriptors" survives_no_descriptors
kill "$pid"
wait "$pid" 2>/dev/null

all_passed

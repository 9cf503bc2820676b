#!/usr/bin/env bash
# echo_test.sh BIN_DIR: the examples echo and multi as their users meet them.
# shellcheck source=c-tests/test_echo.sh
. "$(dirname "$0")/test_echo.sh"

needs_programs echo multi

for wrong in "abc" "0" "65536" "80x" "-1" "1 2"; do
    # shellcheck disable=SC2086
    check "echo $wrong: status 2" refuses echo $wrong
done
check "echo with an empty port: status 2" refuses echo ""
check "multi with an argument: status 2" refuses multi argument

sees_all_five() {
    timeout $LIMIT "$bin/multi" >"$work/stdout" || return 1
    cut -d: -f1 <"$work/stdout" | sort | paste -sd' ' - | grep -x 'child datagram posted signal timer'
}
check "multi sees a socket, a timer, a signal, a child and a posted event" sees_all_five

start_server 1024 "$bin/echo"
check "echo on a port in use: status 1, with the reason" cannot "in use" "$bin/echo" "$port"
check "echo sends 1 MB back" echoes "$work/1mb.bin"
check "echo serves 32 connections together" echoes_together
check "echo closes what clients have closed" wait_for only_listens
kill "$pid"
wait "$pid" 2>/dev/null

start_server 24 "$bin/echo"
check "echo survives without descriptors" survives_no_descriptors
kill "$pid"
wait "$pid" 2>/dev/null

all_passed

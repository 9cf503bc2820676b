#!/usr/bin/env bash
# foreign_loop_test.sh BIN_DIR: the example foreign_loop, whose pipe is polled beside standard input and signals.
# shellcheck source=c-tests/test_echo.sh
. "$(dirname "$0")/test_echo.sh"

needs_programs foreign_loop
needs_tools "${CC:-cc}" mkfifo
"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror "$(dirname "$0")/load/echo_load.c" -o "$work/echo_load" || exit 1

for wrong in "abc" "0" "65536" "80x" "1 2"; do
    # shellcheck disable=SC2086
    check "foreign_loop $wrong: status 2" refuses foreign_loop $wrong
done

# Its standard input is a FIFO that stays open: each line is answered with the number of connections.
mkfifo "$work/lines"
exec 7<>"$work/lines"
start_server 4000 bash -c 'exec "$0" "$3" <"$1" >"$2"' "$bin/foreign_loop" "$work/lines" "$work/said"
says() { [ "$(tail -n 1 "$work/said")" = "$1" ]; }
answers() {
    echo >&7
    wait_for says "$1"
}
check "foreign_loop on a port in use: status 1, with the reason" cannot "in use" "$bin/foreign_loop" "$port"
wait_for only_listens
check "a line is answered" answers "0 connections"
check "all bytes come back, whatever the clients do" timeout 120 "$work/echo_load" "$port" 600 1
exec 5<>"/dev/tcp/127.0.0.1/$port"
echo one >&5
read -r -t $LIMIT line <&5
check "the server answers between lines" [ "$line" = one ]
check "a line is answered between connections" answers "1 connections"
exec 5>&-
one_less() { echo >&7; says "0 connections"; }
check "a connection that has gone is not counted" wait_for one_less
ticks=$(cpu_ticks)
sleep 1 # not to wait for something, but to see what it costs
check "it does not spin" [ $(($(cpu_ticks) - ticks)) -lt 15 ]
kill "$pid"
check "SIGTERM ends it with status 0" ends_with 0 "$pid"
exec 7>&-

start_server 24 bash -c 'exec "$0" "$1" </dev/null' "$bin/foreign_loop"
check "foreign_loop survives without descriptors" survives_no_descriptors
kill "$pid"
check "SIGTERM ends it with status 0 after that" ends_with 0 "$pid"

all_passed

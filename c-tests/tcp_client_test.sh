#!/usr/bin/env bash
# tcp_client_test.sh BIN_DIR: the example tcp_client: it connects, in time and with patience, and copies both ways.
# shellcheck source=c-tests/test_echo.sh
. "$(dirname "$0")/test_echo.sh"

needs_programs tcp_client echo
needs_tools "${CC:-cc}" mkfifo

for wrong in "" "localhost" "localhost 1 2" "-t 0 localhost 1" "-t x localhost 1" "-r -1 localhost 1" "-x localhost 1" \
    "-t"; do
    # shellcheck disable=SC2086
    check "tcp_client $wrong: status 2" refuses tcp_client $wrong
done
check "no such service: status 1, with the reason" cannot "not supported\|unknown\|Name or service" \
    "$bin/tcp_client" localhost no-such-service

# A port that was free a moment ago.
start_server 1024 "$bin/echo"
kill "$pid"
wait "$pid" 2>/dev/null
check "a refused connection, no retry: status 1" cannot "port $port: Connection refused" "$bin/tcp_client" -r 0 127.0.0.1 "$port"

patient() {
    mkfifo "$work/input"
    "$bin/tcp_client" -r 1000 127.0.0.1 "$port" <"$work/input" >"$work/output" 2>"$work/errors" &
    local client=$!
    started+=("$client")
    exec 8>"$work/input"
    wait_for grep -q "trying again in" "$work/errors" || return 1
    "$bin/echo" "$port" 8>&- & # now there is one
    pid=$!
    started+=("$pid")
    echo late >&8
    wait_for grep -qx late "$work/output" || { cat "$work/errors"; return 1; }
    exec 8>&-
    ends_with 0 "$client"
}
check "it waits for a server that is not there yet" patient

copies() {
    timeout $LIMIT "$bin/tcp_client" "$1" "$port" <"$work/1mb.bin" >"$work/output" && cmp "$work/1mb.bin" "$work/output"
}
check "1 MB there and back, from a file to a file" copies 127.0.0.1
check "1 MB by name, at whichever address it has" copies localhost
through_pipes() { timeout $LIMIT "$bin/tcp_client" 127.0.0.1 "$port" < <(cat "$work/1mb.bin") | cmp - "$work/1mb.bin"; }
check "1 MB there and back, from a pipe to a pipe" through_pipes
nothing() { timeout $LIMIT "$bin/tcp_client" 127.0.0.1 "$port" </dev/null >"$work/output" && [ ! -s "$work/output" ]; }
check "nothing there and back" nothing
kill "$pid"
wait "$pid" 2>/dev/null

# A server that does not answer at all.
"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror "$(dirname "$0")/load/full_listener.c" -o "$work/full" || exit 1
mkfifo "$work/hold"
"$work/full" <"$work/hold" >"$work/full_port" &
full=$!
started+=("$full")
exec 9>"$work/hold"
full_or_gone() { gone $full || [ -s "$work/full_port" ]; }
wait_for full_or_gone
if [ -s "$work/full_port" ]; then
    begun=$SECONDS
    check "no answer: it gives up in time" cannot "port .*: Connection timed out" \
        "$bin/tcp_client" -t 1 -r 0 127.0.0.1 "$(<"$work/full_port")"
    check "which is sooner than the kernel does" [ $((SECONDS - begun)) -lt 20 ]
else
    echo "# no queue becomes full here: that check is left out"
fi
exec 9>&-

all_passed

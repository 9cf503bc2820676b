#!/usr/bin/env bash
# plain_test.sh BIN_DIR: the examples plain and plain-pool, linked to libioevent_posix.so and with it preloaded: all
# four do the same. What is preloaded is found as the programs' own libraries are.
# shellcheck source=c-tests/test_echo.sh
. "$(dirname "$0")/test_echo.sh"

needs_programs plain plain-pool plain-preload plain-pool-preload
needs_tools "${CC:-cc}"
"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror "$(dirname "$0")/load/echo_load.c" -o "$work/echo_load" || exit 1

for program in plain plain-pool; do
    for wrong in "abc" "0" "65536" "80x" "-1" "1 2 3"; do
        # shellcheck disable=SC2086
        check "$program $wrong: status 2" refuses "$program" $wrong
    done
    check "$program with an empty port: status 2" refuses "$program" ""
    check "$program, not linked and not preloaded, says so" \
        cannot "fcntl is libc's: link libioevent_posix, or set LD_PRELOAD" "$bin/$program-preload"
done
check "plain with a second argument: status 2" refuses plain 1 2
check "plain-pool with 0 threads: status 2" refuses plain-pool 1 0
check "plain-pool with 257 threads: status 2" refuses plain-pool 1 257

# load CONNECTIONS HELD: that many clients of all kinds, of which HELD are served at once. What it prints is the same
# for every server.
load() {
    local said="$work/load-$1"
    timeout $((LIMIT * 4)) "$work/echo_load" "$port" "$1" "$2" >"$work/load" || { cat "$work/load"; return 1; }
    [ -e "$said" ] || cp "$work/load" "$said"
    cmp "$work/load" "$said"
}

# stderr_is TEXT: what the server has said.
stderr_is() {
    cat "$work/stderr_of_server"
    [ "$(<"$work/stderr_of_server")" = "$1" ]
}

# server SERVED COMMAND...: how it stands up to its clients; SERVED of 1050 are served at once.
server() {
    local served=$1 name=${2##*/}
    shift
    if [ "$name" = env ]; then name=${3##*/}; fi

    start_server 4000 "$@"
    check "$name on a port in use: status 1, with the reason" cannot "in use" "$@" "$port"
    check "$name sends 1 MB back" echoes "$work/1mb.bin"
    check "$name sends all bytes back, whatever its clients do" load 600 1
    check "$name says nothing while all is well" stderr_is ""
    check "$name serves $served of 1050 clients at once, and the others then" load 1050 "$served"
    check "$name closes what clients have closed" wait_for only_listens
    if [ "$served" = 1050 ]; then
        check "$name needs no word for a larger pipe" stderr_is ""
    else
        check "$name says what EIOEVENTFULL is" stderr_is "plain: accept: Ioevent pipe is full"
    fi
    kill "$pid"
    check "$name ends with status 0 on SIGTERM" ends_with 0 "$pid"

    start_server 24 "$@"
    check "$name survives without descriptors" survives_no_descriptors
    kill -INT "$pid"
    check "$name ends with status 0 on SIGINT" ends_with 0 "$pid"
}
preloaded=(env LD_PRELOAD=libioevent_posix.so.0)
# plain's pipe has a thousand places, one of which its signals have.
server 999 "$bin/plain"
server 999 "${preloaded[@]}" "$bin/plain-preload"
server 1050 "$bin/plain-pool"
server 1050 "${preloaded[@]}" "$bin/plain-pool-preload"

all_passed

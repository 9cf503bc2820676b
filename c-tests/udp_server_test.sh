#!/usr/bin/env bash
# udp_server_test.sh BIN_DIR: the example udp_server as its clients meet it.
# shellcheck source=c-tests/test.sh
. "$(dirname "$0")/test.sh"

needs_programs udp_server
needs_tools "${CC:-cc}"
"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror "$(dirname "$0")/load/udp_load.c" -o "$work/udp_load" || exit 1

for wrong in "abc" "0" "65536" "1 0" "1 10001" "1 2 3"; do
    # shellcheck disable=SC2086
    check "udp_server $wrong: status 2" refuses udp_server $wrong
done

one_answer() {
    local byte
    exec 3<>"/dev/udp/127.0.0.1/$port" && printf x >&3 && read -r -N 1 -t 1 byte <&3 && [ "$byte" = x ]
}
ready() { gone "$pid" || one_answer; }
# start DATAGRAMS
start() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + RANDOM % 10000))
        "$bin/udp_server" "$port" "$1" >"$work/said" 2>"$work/stderr" &
        pid=$!
        started+=("$pid")
        wait_for ready && ! gone "$pid" && return
    done
    echo "not ok udp_server starts"
    cat "$work/stderr"
    exit 1
}

# has_said LEAST: so many answers at least.
has_said() {
    local n rest
    read -r n rest <"$work/said"
    cat "$work/said"
    [ "$rest" != "${rest#answered, }" ] && [ "$n" -ge "$1" ]
}

for datagrams in 1 256; do
    start $datagrams
    check "udp_server on a port in use: status 1, with the reason" cannot "in use" "$bin/udp_server" "$port"
    check "$datagrams at a time: 100 clients have each of 50 datagrams back" \
        timeout 120 "$work/udp_load" "$port" 100 50
    # A client that has gone before its answer comes: the kernel tells the server so, with its next call.
    for _ in {1..20}; do
        exec 3<>"/dev/udp/127.0.0.1/$port"
        echo gone >&3
        exec 3>&-
    done
    check "$datagrams at a time: clients that have gone do no harm" one_answer
    kill "$pid"
    check "$datagrams at a time: SIGTERM ends it with status 0" ends_with 0 "$pid"
    check "$datagrams at a time: it says what it has done" has_said 5000
done

all_passed

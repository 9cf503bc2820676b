#!/usr/bin/env bash
# echo_test.sh BIN_DIR: the examples echo and multi as their users meet them.
# shellcheck source=c-tests/test.sh
. "$(dirname "$0")/test.sh"

needs_programs echo multi

head -c 1000000 /dev/urandom >"$work/1mb.bin"
printf x >"$work/one.txt"

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

can_connect() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
running_on() { gone "$1" || can_connect "$2"; }

# start_echo FILES: starts echo on a port that nobody uses, with this limit of open files; sets $pid and $port.
start_echo() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + RANDOM % 10000))
        (ulimit -n "$1" && exec "$bin/echo" "$port" 2>"$work/echo.err") &
        pid=$!
        started+=("$pid")
        wait_for running_on "$pid" "$port" && ! gone "$pid" && return
    done
    echo "not ok echo starts"
    cat "$work/echo.err"
    exit 1
}

# echoes FILE: all its bytes come back.
echoes() {
    exec 4<>"/dev/tcp/127.0.0.1/$port" || return 1
    cat "$1" >&4 &
    local writer=$!
    timeout $LIMIT head -c "$(stat -c %s "$1")" <&4 | cmp - "$1"
    local status=$?
    wait $writer
    exec 4>&-
    return $status
}
echoes_together() {
    local clients=()
    for _ in {1..32}; do
        echoes "$work/1mb.bin" &
        clients+=($!)
    done
    for client in "${clients[@]}"; do
        wait "$client" || return 1
    done
}
start_echo 1024
check "echo on a port in use: status 1, with the reason" cannot "in use" "$bin/echo" "$port"
check "echo sends 1 MB back" echoes "$work/1mb.bin"
check "echo serves 32 connections together" echoes_together
check "echo closes what clients have closed" wait_for only_listens
kill "$pid"
wait "$pid" 2>/dev/null

# More clients than echo has descriptors: it must neither end nor spin, and serve them as others go.
survives_no_descriptors() {
    local clients=() fd ticks
    for _ in {1..40}; do
        exec {fd}<>"/dev/tcp/127.0.0.1/$port" && clients+=("$fd")
    done
    ticks=$(cpu_ticks)
    sleep 1 # not to wait for something, but to see what it costs
    ticks=$(($(cpu_ticks) - ticks))
    [ $ticks -lt 40 ] || { echo "it spins: $ticks ticks of 100"; return 1; }
    for fd in "${clients[@]}"; do
        echo "client $fd" >&"$fd"
    done
    for fd in "${clients[@]}"; do
        local line=
        read -r -t $LIMIT line <&"$fd"
        exec {fd}>&-
        [ -n "$line" ] || { echo "no answer on $fd"; return 1; }
    done
    echoes "$work/one.txt" && wait_for only_listens
}
start_echo 24
check "echo survives without descriptors" survives_no_descriptors
kill "$pid"
wait "$pid" 2>/dev/null

all_passed

#!/usr/bin/env bash
# workers_test.sh BIN_DIR: the example workers: they answer, several at once, and all of them stop.
# shellcheck source=c-tests/test_echo.sh
. "$(dirname "$0")/test_echo.sh"

needs_programs workers

for wrong in "abc" "0" "65536" "1 0" "1 257" "1 2 3"; do
    # shellcheck disable=SC2086
    check "workers $wrong: status 2" refuses workers $wrong
done

# asks NUMBER ANSWER [NUMBER ANSWER...]: one after the other, on one connection.
asks() {
    local fd line status=0
    exec {fd}<>"/dev/tcp/127.0.0.1/$port" || return 1
    while [ $# -ge 2 ]; do
        echo "$1" >&"$fd"
        read -r -t $LIMIT line <&"$fd"
        [ "$line" = "$2" ] || { echo "$1: $line, not $2"; status=1; }
        shift 2
    done
    exec {fd}>&-
    return $status
}
please="a number from 2 to 1000000000000000, please"
many_ask() {
    local clients=()
    for _ in {1..32}; do
        asks 91 7 2 2 97 97 1000000 2 39916801 39916801 600851475143 71 &
        clients+=($!)
    done
    for client in "${clients[@]}"; do
        wait "$client" || return 1
    done
}
threads_are() { [ "$(ls "/proc/$pid/task" | wc -l)" -ge "$1" ]; }
# reads_end FD: the server has closed that connection, without another word.
reads_end() {
    local line
    ! read -r -t $LIMIT line <&"$1" && [ -z "$line" ]
}

for threads in 1 4; do
    start_server 1024 bash -c 'exec "$0" "$2" "$1"' "$bin/workers" $threads
    check "workers on a port in use: status 1, with the reason" cannot "in use" "$bin/workers" "$port"
    check "$threads: that many threads" threads_are $threads
    check "$threads: answers" asks 91 7 2 2 13 13 1 "$please" x "$please" 12x "$please" 1000000000000001 "$please" 9 3
    check "$threads: a line that is too long" asks "$(printf '1%.0s' {1..70})" "$please"
    check "$threads: 32 clients at once" many_ask
    check "$threads: it closes what clients have closed" wait_for only_listens

    # A stop: one client waits for an answer, one has sent half a line, and some are idle.
    exec 5<>"/dev/tcp/127.0.0.1/$port" 6<>"/dev/tcp/127.0.0.1/$port"
    idle=()
    for _ in {1..20}; do
        exec {fd}<>"/dev/tcp/127.0.0.1/$port" && idle+=("$fd")
    done
    check "$threads: all are served" asks 35 5
    printf 12 >&6
    echo 999999999999989 >&5 # a prime: it takes a while
    kill -TERM "$pid"
    check "$threads: SIGTERM ends it with status 0" ends_with 0 "$pid"
    line=
    read -r -t $LIMIT line <&5
    # The number may not have been read yet when the signal came; it is answered, or the connection is closed.
    check "$threads: a whole answer, or none" [ "${line:-999999999999989}" = 999999999999989 ]
    check "$threads: half a line has no answer" reads_end 6
    check "$threads: an idle connection is closed" reads_end "${idle[0]}"
    exec 5>&- 6>&-
    for fd in "${idle[@]}"; do exec {fd}>&-; done
done

# An answer that a worker is looking for when the signal comes is sent.
start_server 1024 bash -c 'exec "$0" "$1" 2' "$bin/workers"
exec 5<>"/dev/tcp/127.0.0.1/$port"
ticks=$(cpu_ticks)
computes() { [ "$(cpu_ticks)" -gt $((ticks + 1)) ]; }
echo 999999999999989 >&5
check "it looks for an answer" wait_for computes
kill -TERM "$pid"
read -r -t $LIMIT line <&5
check "an answer under way is sent" [ "$line" = 999999999999989 ]
check "and then all workers end" ends_with 0 "$pid"
exec 5>&-

# Without descriptors it neither ends nor spins.
start_server 24 bash -c 'exec "$0" "$1" 3' "$bin/workers"
held=()
for _ in {1..40}; do
    exec {fd}<>"/dev/tcp/127.0.0.1/$port" && held+=("$fd")
done
ticks=$(cpu_ticks)
sleep 1 # not to wait for something, but to see what it costs
check "without descriptors it does not spin" [ $(($(cpu_ticks) - ticks)) -lt 15 ]
for fd in "${held[@]}"; do exec {fd}>&-; done
check "and serves again when there are some" asks 77 7
kill -INT "$pid"
check "SIGINT ends it with status 0" ends_with 0 "$pid"

all_passed

# shellcheck shell=bash
# What the tests of the echo servers share. Source this in the place of test.sh.
# shellcheck source=c-tests/test.sh
. "$(dirname "$0")/test.sh"

head -c 1000000 /dev/urandom >"$work/1mb.bin"
printf x >"$work/one.txt"

can_connect() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
running_on() { gone "$1" || can_connect "$2"; }

# start_server FILES COMMAND...: starts it, with a free port as its next argument, and this limit of open
# files; sets $pid and $port. What it says on stderr is in $work/stderr_of_server.
start_server() {
    local files=$1
    shift
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + RANDOM % 10000))
        (ulimit -n "$files" && exec "$@" "$port" 2>"$work/stderr_of_server") &
        pid=$!
        started+=("$pid")
        wait_for running_on "$pid" "$port" && ! gone "$pid" && return
    done
    echo "not ok $* starts"
    cat "$work/stderr_of_server"
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

# More clients than a server with a limit of 24 has descriptors: it must neither end nor spin, and serve them as others
# go.
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

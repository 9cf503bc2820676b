#!/usr/bin/env bash
# httpd_load_test.sh BIN_DIR: httpd under load, with clients that hang up, and with many that are idle; and its log.
# shellcheck source=c-tests/test_httpd.sh
. "$(dirname "$0")/test_httpd.sh"

serve -t 2 -l "$site"

limit_rate() { cmp <(curl -sS --limit-rate 500k "$url/1mb.bin") "$site/1mb.bin"; }
check "curl --limit-rate" limit_rate
hang_up() {
    local clients=()
    for _ in {1..20}; do
        (exec 3<>"/dev/tcp/127.0.0.1/$port" && printf 'GET /300mb.bin HTTP/1.1\r\nHost: h\r\n\r\n' >&3 &&
            head -c 100000 <&3 >/dev/null) &
        clients+=($!)
    done
    wait "${clients[@]}"
    gets 200 "$url/one.txt"
}
check "clients hang up in the middle" hang_up
if command -v wrk >/dev/null; then
    wrk -t2 -c64 -d2 "$url/one.txt" >"$work/wrk" 2>&1
    check "wrk: no errors" bash -c \
        "cat '$work/wrk'; grep -q Requests/sec '$work/wrk' && ! grep -E 'Socket errors|Non-2xx' '$work/wrk'"
else
    echo "# wrk is not installed: that check is left out"
fi

get -H 'User-Agent: x' "$url/one.txt?%22\"quoted"
get "$url/1mb.bin"
logged() { wait_for grep -aqE "$1" "$work/httpd.out"; }
check "log: a line for a request" logged "^$stamp \"GET /1mb\.bin HTTP/1\.1\" 200 1000000\$"
check "log: what clients send is escaped" logged "^$stamp \"GET /one\.txt\?%22.x22quoted HTTP/1\.1\" 200 1\$"
ends_well

# ---- many idle ----
idle=9000
hard=$(ulimit -Hn)
if [ "$hard" != unlimited ] && [ "$hard" -lt 12000 ]; then idle=$((hard / 2 - 200)); fi
if [ $idle -gt 0 ] && ulimit -Sn "$hard" 2>/dev/null; then
    serve -t 2 "$site"
    # hold COUNT: opens idle connections, says so, and closes them when its input ends.
    hold() {
        local fd
        for ((i = 0; i < $1; i++)); do
            # shellcheck disable=SC2034
            exec {fd}<>"/dev/tcp/127.0.0.1/$port" || return 1
        done
        echo ready
        read -r _
    }
    mkfifo "$work/release"
    hold $idle <"$work/release" >"$work/held" 2>&1 &
    holder=$!
    started+=("$holder")
    exec 7>"$work/release"
    check "$idle idle connections" wait_for grep -q ready "$work/held"
    check "others are served" gets 200 "$url/1mb.bin"
    check "others get the right bytes" same "$site/1mb.bin"
    kib() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"; }
    echo "# resident memory with $idle idle connections: $(kib) KiB"
    check "SIGTERM stops it with many idle connections" stop TERM
fi

all_passed

#!/usr/bin/env bash
# httpd_limits_test.sh BIN_DIR: httpd gives up slow clients, refuses more than it was allowed, and stops in an orderly
# way.
# shellcheck source=c-tests/test_httpd.sh
. "$(dirname "$0")/test_httpd.sh"

one='GET /one.txt HTTP/1.1\r\nHost: h\r\n\r\n'

# ---- timeouts ----
# So slow a reader that no write of the server is done in time. It takes a while, so the other checks go on meanwhile.
serve -t 2 -T 3 "$site"
patient=$pid
curl -sS --limit-rate 200k --max-time 13 "$url/300mb.bin" >/dev/null 2>&1 &
slow_reader=$!
started+=("$slow_reader")

serve -t 2 -T 1 "$site"
check "half a request: 408" answers "408" 'GET / HTTP/1.1\r\nHost: '
check "no request: closed without a word" answers "" ''
check "no second request: closed without a word" answers "200" "$one"
check "half a body: closed" answers "200" 'GET /empty HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n12345'
# A byte now and then does not keep a connection.
slow_loris() {
    local end=$((SECONDS + LIMIT))
    exec 5<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf 'GET / HTTP/1.1\r\n' >&5
    until read -r -t 0.2 line <&5; do
        [ $SECONDS -lt $end ] || return 1
        printf 'A: b\r\n' >&5
    done
    exec 5>&-
    [[ $line = *408* ]]
}
check "slow loris: 408" slow_loris
stalled() {
    exec 5<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf 'GET /300mb.bin HTTP/1.1\r\nHost: h\r\n\r\n' >&5
    head -c 1 <&5 >/dev/null
    wait_for descriptors_are "$settled" # the connection and its file are closed, though this client has not closed
    local status=$?
    exec 5>&-
    return $status
}
check "a client that stops reading is given up" stalled
wait_for descriptors_are "$settled"
check "no descriptor has leaked after timeouts" descriptors_are "$settled"
check "SIGINT stops it" stop INT
# 28: it was curl that ended it.
check "a slow client that goes on reading is served" ends_with 28 "$slow_reader"
pid=$patient
check "SIGTERM stops it after that" stop TERM

# ---- full ----
serve -t 2 -c 2 "$site"
exec 5<>"/dev/tcp/127.0.0.1/$port" 6<>"/dev/tcp/127.0.0.1/$port"
# Both are served, so both are counted.
printf '%b' "$one" >&5
printf '%b' "$one" >&6
read -r line5 <&5
read -r line6 <&6
check "as many connections as allowed are served" [ "${line5:9:3}${line6:9:3}" = 200200 ]
check "one more: 503" gets 503 "$url/one.txt"
check "503 has Retry-After" has_header "retry-after: [0-9]+"
check "503 closes" has_header "connection: close"
exec 5>&- 6>&-
check "when they are gone others are served" wait_for gets 200 "$url/one.txt"
check "SIGTERM stops a full server" stop TERM

# ---- clean stop ----
serve -t 3 "$site"
exec 5<>"/dev/tcp/127.0.0.1/$port" 6<>"/dev/tcp/127.0.0.1/$port"
printf 'GET /300mb.bin HTTP/1.1\r\nHost: h\r\n\r\n' >&5
head -c 1 <&5 >/dev/null
check "SIGTERM stops it with an idle client and one that does not read" stop TERM
check "it has closed the idle connection" [ -z "$(timeout $LIMIT cat <&6)" ]
exec 5>&- 6>&-
check "nobody listens after that" bash -c "! (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null"

# A response that is under way when the signal comes is sent to its end.
finishes() {
    curl -sS --limit-rate 20M -o "$work/body" -r 0-29999999 "$url/300mb.bin" &
    local client=$!
    wait_for test -s "$work/body" && kill -TERM "$pid" && wait $client && part 0 30000000 "$site/300mb.bin" &&
        ends_with 0 "$pid"
}
: >"$work/body"
serve -t 2 "$site"
check "a response under way is finished" finishes

all_passed

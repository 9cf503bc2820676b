#!/usr/bin/env bash
# proxy_test.sh BIN_DIR: the example proxy between curl and httpd, and between tcp_client and echo.
# shellcheck source=c-tests/test_httpd.sh
. "$(dirname "$0")/test_httpd.sh"

needs_programs echo proxy tcp_client

for wrong in "" "x" "0" "1 2" "-c 0 1" "-c x 1" "-s 0 1" "-s" "-x 1"; do
    # shellcheck disable=SC2086
    check "proxy $wrong: status 2" refuses proxy $wrong
done

can_connect() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
listens_or_gone() { gone "$1" || can_connect "$2"; }
# start FILES NAME ARGUMENTS...: starts an example on a free port, with this limit of open files; sets $pid and $port.
start() {
    local files=$1 name=$2
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + RANDOM % 10000))
        (ulimit -n "$files" && exec "$bin/$name" "${@:3}" "$port" 2>"$work/$name.err") &
        pid=$!
        started+=("$pid")
        wait_for listens_or_gone "$pid" "$port" && ! gone "$pid" && return
    done
    echo "not ok $name starts"
    cat "$work/$name.err"
    exit 1
}
# start_proxy FILES ARGUMENTS...: sets $pid, $port and $proxy, and $settled once what asked whether it listens has gone.
start_proxy() {
    start "$1" proxy "${@:2}"
    proxy=http://127.0.0.1:$port
    wait_for only_listens
    settled=$(descriptors)
}
# Through the proxy as it forwards requests, and through a tunnel.
forwards() { gets "$1" -x "$proxy" "${@:2}"; }
tunnels() { gets "$1" -p -x "$proxy" "${@:2}"; }
ends() {
    kill "-$1" "$pid" && ends_with 0 "$pid" && ! grep . "$work/proxy.err"
}

serve -t 2 "$site"
web=$url
start 1024 echo
at=127.0.0.1:$port # of the echo server
start_proxy 1024
check "proxy on a port in use: status 1, with the reason" cannot "in use" "$bin/proxy" "$port"

# ---- forwarding ----
check "GET: 200" forwards 200 "$web/1mb.bin"
check "GET: the right bytes" same "$site/1mb.bin"
check "GET by name, with a query: 200" forwards 200 "http://localhost:${web##*:}/one.txt?a=b"
check "GET: the server's own refusal" forwards 404 "$web/none"
check "HEAD: 200" forwards 200 -I "$web/1mb.bin"
check "GET of a part: 206" forwards 206 -r 1000-1999 "$web/1mb.bin"
check "GET of a part: the right bytes" part 1000 1000 "$site/1mb.bin"
check "POST: the server's answer" forwards 405 -d @"$site/1mb.bin" -H Expect: "$web/one.txt"
many_at_once() {
    local clients=()
    for i in {1..24}; do
        curl -sS --max-time $LIMIT -x "$proxy" $([ $((i % 2)) = 0 ] || echo -p) -o "$work/body-$i" "$web/1mb.bin" &
        clients+=($!)
    done
    for client in "${clients[@]}"; do wait "$client" || return 1; done
    for i in {1..24}; do cmp "$work/body-$i" "$site/1mb.bin" || return 1; done
}
check "24 at once, forwarded and in tunnels" many_at_once

# ---- tunnels ----
check "tunnel: 200" tunnels 200 "$web/1mb.bin"
check "tunnel: the right bytes" same "$site/1mb.bin"
check "tunnel: 300 MB" tunnels 200 "$web/300mb.bin"
check "tunnel: the right 300 MB" same "$site/300mb.bin"
# A client that goes on without waiting for the proxy's answer, and says when it has sent all: its end goes through to
# the echo server, and that server's end comes back.
half_close() {
    { printf 'CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n' "$at"; cat "$site/1mb.bin"; } >"$work/to-$1"
    timeout $LIMIT "$bin/tcp_client" 127.0.0.1 "$port" <"$work/to-$1" >"$work/from-$1" || return 1
    { printf 'HTTP/1.1 200 Connection established\r\n\r\n'; cat "$site/1mb.bin"; } | cmp - "$work/from-$1"
}
check "tunnel: a half-close goes through" half_close 0
half_closes() {
    local clients=()
    for i in {1..16}; do
        half_close "$i" &
        clients+=($!)
    done
    for client in "${clients[@]}"; do wait "$client" || return 1; done
}
check "16 tunnels at once, with half-closes" half_closes

# ---- what is refused ----
refused() {
    answers "$1" "$2" || return 1
    grep -aq "^HTTP/1.1 $1 [A-Z]" "$work/talk"
}
long=$(printf 'x%.0s' {1..9000})
check "no address: 400" refused 400 'GET / HTTP/1.1\r\nHost: h\r\n\r\n'
for wrong in 'GET\r\n\r\n' 'GET http:///x HTTP/1.1\r\n\r\n' 'GET http://h:0/ HTTP/1.1\r\n\r\n' \
    'GET http://h:65536/ HTTP/1.1\r\n\r\n' 'GET http://u@h/ HTTP/1.1\r\n\r\n' 'CONNECT h HTTP/1.1\r\n\r\n' \
    'CONNECT h: HTTP/1.1\r\n\r\n' 'CONNECT [::1:80 HTTP/1.1\r\n\r\n' 'CONNECT :80 HTTP/1.1\r\n\r\n' \
    'GET http://h/\rX: HTTP/1.1\r\n\r\n' 'GET http://h/ HTTP/1.1\r\nno colon\r\n\r\n' \
    'GET http://h/ HTTP/1.1\r\nA : b\r\n\r\n' 'GET http://h/ HTTP/1.1\r\nA: b\rc\r\n\r\n' \
    'GET http://h/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n' 'GET http://h/ HTTP/1.1\r\nContent-Length:\r\n\r\n' \
    'GET http://h/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n' 'GET http://h/ HTTP/1.1\r\nA: \0\r\n\r\n' \
    'FTP ftp://h/ HTTP/1.1\r\n\r\n'; do
    check "400: $wrong" refused 400 "$wrong"
done
check "a body of unknown length: 501" refused 501 'POST http://h/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
check "another version: 505" refused 505 'GET http://h/ HTTP/2.0\r\n\r\n'
check "a head without end: 431" refused 431 "GET http://h/ HTTP/1.1\r\nA: $long"
# A part of a name has 63 characters at most, so no server is asked.
check "no such name: 502" refused 502 "GET http://${long:0:64}.invalid/ HTTP/1.1\r\n\r\n"
check "nobody listens: 502" refused 502 'CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n'
check "nobody listens, at an address of version 6: 502" refused 502 'CONNECT [::1]:1 HTTP/1.1\r\n\r\n'

# ---- clients that go ----
hang_up() {
    local clients=()
    for i in {1..20}; do
        (exec 3<>"/dev/tcp/127.0.0.1/$port" && printf 'GET %s/300mb.bin HTTP/1.1\r\n\r\n' "$web" >&3 &&
            head -c $((i * 5000)) <&3 >/dev/null) &
        clients+=($!)
    done
    wait "${clients[@]}"
    forwards 200 "$web/one.txt"
}
check "clients hang up in the middle" hang_up
check "no descriptor has leaked" wait_for descriptors_are "$settled"
exec 5<>"/dev/tcp/127.0.0.1/$port" 6<>"/dev/tcp/127.0.0.1/$port"
printf 'CONNECT %s HTTP/1.1\r\n\r\n' "$at" >&5
read -r _ <&5
check "SIGTERM ends it, with a tunnel and an idle client" ends TERM
exec 5>&- 6>&-

# ---- time ----
start_proxy 1024 -s 1
check "half a request: 408" refused 408 'GET http://h/ HTTP/1.1\r\nA: '
check "no request: closed without a word" answers "" ''
check "a quiet tunnel is closed" answers 200 "CONNECT $at HTTP/1.1\r\n\r\n"
# The server of these stays silent behind what it has sent back.
# What the server gets, from one that sends it back.
forwarded() {
    local lines=${2//[!$'\n']/}
    exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
    # shellcheck disable=SC2059
    printf "$1" >&3
    timeout $LIMIT head -c $((${#2} + ${#lines})) <&3 >"$work/forwarded" # each line ends with CR LF
    exec 3>&-
    diff <(printf '%s' "$2") <(tr -d '\r' <"$work/forwarded")
}
check "what concerns only the client and the proxy is left out" forwarded \
    "GET http://$at/a?b HTTP/1.1\r\nHost: x\r\nConnection: close, Foo\r\nFoo: 1\r\nA: b\r\nProxy-Connection: k\r\nC:d\r\n\r\n" \
    "GET /a?b HTTP/1.1
Host: $at
A: b
C:d
Via: 1.1 proxy
Connection: close

"
check "a target without a path has one" forwarded "GET http://$at HTTP/1.0\r\n\r\n" \
    "GET / HTTP/1.0
Host: $at
"
check "a body goes with it, and what is behind it does not" forwarded \
    "POST http://$at/ HTTP/1.1\r\nContent-Length: 4\r\n\r\nbodyGET http://other/ HTTP/1.1\r\n\r\n" \
    "POST / HTTP/1.1
Host: $at
Content-Length: 4
Via: 1.1 proxy
Connection: close

body"
check "a server that stays silent is given up" wait_for descriptors_are "$settled"
check "SIGTERM ends it after that" ends TERM

# A client that reads slowly, but reads: from it nothing comes for longer than that, and to it something does. What it
# reads is more than the buffers on the way take.
slowly() {
    curl -sS -p -x "$proxy" -r 0-79999999 "$web/300mb.bin" | for _ in {1..20}; do
        head -c 4000000
        sleep 0.2
    done >"$work/body"
    part 0 80000000 "$site/300mb.bin"
}
start_proxy 1024 -s 3
check "a tunnel that is quiet in one direction only is not closed" slowly
check "SIGTERM ends it after that, too" ends TERM

# ---- names that take long ----
needs_tools "${CC:-cc}"
"${CC:-cc}" -std=gnu11 -O2 -Wall -Wextra -Werror -shared -fPIC "$(dirname "$0")/load/slow_names.c" -o "$work/slow_names.so" \
    -ldl || exit 1
export SLOW_UNTIL=$work/found
if [[ $(LD_PRELOAD=$work/slow_names.so "$bin/proxy" 2>&1) = *usage* ]]; then # not with a sanitizer, which must come first
    LD_PRELOAD=$work/slow_names.so start_proxy 1024
    curl -sS --max-time $((2 * LIMIT)) -x "$proxy" -o "$work/slow" -w '%{http_code}' http://slow.invalid/ >"$work/status" &
    slow=$!
    started+=("$slow")
    asked() { [ "$(find "/proc/$pid/fd" -lname 'socket:*' | wc -l)" = 2 ]; }
    check "a name that is being looked up" wait_for asked
    check "others are served meanwhile" forwards 200 "$web/1mb.bin"
    check "and in tunnels, by name" tunnels 200 "http://localhost:${web##*:}/one.txt"
    check "it is still being looked up" [ ! -s "$work/status" ]
    : >"$SLOW_UNTIL"
    check "when it has not been found its client is told" ends_with 0 $slow
    check "502" [ "$(<"$work/status")" = 502 ]
    check "SIGTERM ends it" ends TERM
fi

# ---- limits ----
start_proxy 1024 -c 2
exec 5<>"/dev/tcp/127.0.0.1/$port" 6<>"/dev/tcp/127.0.0.1/$port"
curl -sS --max-time $LIMIT -x "$proxy" -o "$work/third" "$web/one.txt" 5>&- 6>&- &
third=$!
started+=("$third")
four_sockets() { [ "$(find "/proc/$pid/fd" -lname 'socket:*' | wc -l)" = 3 ]; } # its own, and two
check "no more than it may: the third waits" wait_for four_sockets
exec 5>&-
check "and is served when one has gone" ends_with 0 $third
exec 6>&-
check "SIGTERM ends it then" ends TERM

start_proxy 40
held=()
for _ in {1..60}; do
    exec {fd}<>"/dev/tcp/127.0.0.1/$port" && held+=("$fd") && printf 'CONNECT %s HTTP/1.1\r\n\r\n' "$at" >&"$fd"
done
ticks=$(cpu_ticks)
sleep 1 # not to wait for something, but to see what it costs
check "without descriptors it does not spin" [ $(($(cpu_ticks) - ticks)) -lt 15 ]
for fd in "${held[@]}"; do exec {fd}>&-; done
check "and serves again when there are some" wait_for forwards 200 "$web/1mb.bin"
check "SIGTERM ends it at last" ends TERM

all_passed

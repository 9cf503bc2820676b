#!/usr/bin/env bash
# tls_echo_test.sh BIN_DIR: the example tls_echo, in both ways, with the clients of OpenSSL.
# shellcheck source=c-tests/test_echo.sh
. "$(dirname "$0")/test_echo.sh"

[ -x "$bin/tls_echo" ] || { echo "tls_echo was not built: no OpenSSL headers (Debian: libssl-dev)" >&2; exit 77; }
needs_tools openssl
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key" -out "$work/certificate" -days 2 -subj /CN=localhost \
    >"$work/openssl" 2>&1 || { cat "$work/openssl" >&2; exit 1; }

for wrong in "" "1" "1 a" "0 a b" "x a b" "-x 1 a b" "-s 0 1 a b" "1 a b c"; do
    # shellcheck disable=SC2086
    check "tls_echo $wrong: status 2" refuses tls_echo $wrong
done
check "no certificate: status 1, with the reason" cannot "no such file" "$bin/tls_echo" 1 "$work/none" "$work/key"
check "no key: status 1, with the reason" cannot "certificate" "$bin/tls_echo" 1 "$work/certificate" "$work/certificate"

# sends_back FILE ARGUMENTS...: all its bytes come back to s_client, which goes when it has them.
sends_back() {
    local got
    got=$(mktemp "$work/got.XXXXXX")
    openssl s_client -connect "127.0.0.1:$port" -CAfile "$work/certificate" -verify_return_error -quiet "${@:2}" \
        <"$1" >"$got" 2>"$got.errors" &
    local client=$!
    whole() { gone "$client" || [ "$(stat -c %s "$got")" -ge "$(stat -c %s "$1")" ]; }
    wait_for whole "$1" || cat "$got.errors"
    kill "$client" 2>/dev/null
    wait "$client" 2>/dev/null
    cmp "$got" "$1"
}
together() {
    local clients=()
    for _ in {1..16}; do
        sends_back "$work/1mb.bin" &
        clients+=($!)
    done
    for client in "${clients[@]}"; do
        wait "$client" || return 1
    done
}
trap '' PIPE # the server may close while it is still sent to
# sends BYTES: what comes back until the server closes is in $work/back.
sends() {
    exec 4<>"/dev/tcp/127.0.0.1/$port" || return 1
    # shellcheck disable=SC2059
    printf "$1" >&4
    timeout $LIMIT cat <&4 >"$work/back" 2>/dev/null
    local status=$?
    exec 4>&-
    [ $status != 124 ]
}
# A hello that is none is answered with a fatal alert.
alert() {
    sends '\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03' && cmp -n 6 "$work/back" <(printf '\x15\x03\x03\x00\x02\x02')
}
# A client that goes in the middle of the handshake.
half_a_hello() {
    local fd
    for _ in {1..20}; do
        exec {fd}<>"/dev/tcp/127.0.0.1/$port" || return 1
        printf '\x16\x03\x01\x02\x00\x01' >&"$fd"
        exec {fd}>&-
    done
}
# held DESCRIPTORS: so many connections that say nothing; in ${held[@]}.
hold() {
    local fd
    held=()
    for ((i = 0; i < $1; i++)); do
        exec {fd}<>"/dev/tcp/127.0.0.1/$port" && held+=("$fd")
    done
}
release() {
    local fd
    for fd in "${held[@]}"; do exec {fd}>&-; done
}

for memory in "" -m; do
    way=${memory:-polled}
    # shellcheck disable=SC2016
    server=(bash -c 'exec "$0" $1 -s "$2" "$5" "$3" "$4"' "$bin/tls_echo" "$memory")
    start_server 1024 "${server[@]}" 60 "$work/certificate" "$work/key"
    check "$way: on a port in use: status 1, with the reason" cannot "in use" \
        "$bin/tls_echo" "$port" "$work/certificate" "$work/key"
    check "$way: one byte comes back" sends_back "$work/one.txt"
    check "$way: 1 MB comes back" sends_back "$work/1mb.bin"
    check "$way: 1 MB comes back, TLS 1.2" sends_back "$work/1mb.bin" -tls1_2
    check "$way: 16 clients together" together
    check "$way: a client that does not speak TLS is rid of" sends 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'
    check "$way: a client that speaks it wrongly is told so" alert
    check "$way: clients that go in the middle of the handshake" half_a_hello
    check "$way: it closes what clients have closed" wait_for only_listens
    kill "$pid"
    check "$way: SIGTERM ends it with status 0" ends_with 0 "$pid"

    start_server 1024 "${server[@]}" 1 "$work/certificate" "$work/key"
    hold 5
    check "$way: idle clients are given up" wait_for only_listens
    release
    kill "$pid"
    check "$way: SIGTERM ends it after that" ends_with 0 "$pid"

    start_server 24 "${server[@]}" 60 "$work/certificate" "$work/key"
    hold 40
    ticks=$(cpu_ticks)
    sleep 1 # not to wait for something, but to see what it costs
    check "$way: without descriptors it does not spin" [ $(($(cpu_ticks) - ticks)) -lt 15 ]
    release
    check "$way: and serves again when there are some" sends_back "$work/1mb.bin"
    kill "$pid"
    check "$way: SIGTERM ends it with status 0 after that" ends_with 0 "$pid"
done

all_passed

#!/usr/bin/env bash
# httpd_protocol_test.sh BIN_DIR: httpd speaks HTTP: requests in pieces and in a row, bodies, and all that is malformed.
# shellcheck source=c-tests/test_httpd.sh
. "$(dirname "$0")/test_httpd.sh"

serve -t 2 -l "$site"

one='GET /one.txt HTTP/1.1\r\nHost: h\r\n\r\n'
last='GET /empty HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'
long=$(printf 'x%.0s' {1..9000})
check "pipelined requests are answered in order" answers "200 404 200 200" \
    "${one}GET /none HTTP/1.1\r\nHost: h\r\n\r\n$one$last"
check "a request that comes in pieces" answers "200" \
    "GE" "T /empty HTT" "P/1.1\r" "\nHost: h\r\nConnection: clo" "se\r\n\r" "\n"
check "empty lines before a request" answers "200 200" "\r\n\r\n$one\r\n$last"
check "lines that end without CR" answers "200" "GET /empty HTTP/1.1\nHost: h\nConnection: close\n\n"
check "HTTP/1.0 closes" answers "200" "GET /empty HTTP/1.0\r\n\r\n$one"
check "HTTP/1.0 keeps alive when asked to" answers "200 200" \
    "GET /empty HTTP/1.0\r\nConnection: keep-alive\r\n\r\n$last"
check "HTTP/1.0 is told so" grep -qi '^connection: keep-alive' "$work/talk"
check "Connection: close closes" answers "200" "$last$one"
check "Connection is a list, in any case" answers "200" \
    "GET /empty HTTP/1.1\r\nHost: h\r\nConnection: x, CLOSE\r\n\r\n$one"
check "a target with a host" answers "200 200" "GET http://h/one.txt HTTP/1.1\r\nHost: h\r\n\r\n$last"
check "other methods: 405" answers "405 200" "DELETE /one.txt HTTP/1.1\r\nHost: h\r\n\r\n$last"
check "405 has Allow" grep -q '^Allow: GET, HEAD' "$work/talk"
check "the body of a request is skipped" answers "405 200" \
    "POST /one.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789$last"
check "the body of a request is skipped, in pieces" answers "200 200" \
    "GET /one.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n01" "2345" "6789$last"
check "a body that looks like a request is not one" answers "200 200" \
    "GET /one.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 34\r\n\r\nGET /none HTTP/1.1\r\nHost: h\r\n\r\nabc$last"
check "a long body costs the connection" answers "405" \
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\nxxx$last"
check "who expects 100-continue gets the answer at once" answers "405" \
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
check "Transfer-Encoding: 501, and the end" answers "501" \
    "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n$one"
check "Transfer-Encoding with Content-Length: 400" answers "400" \
    "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n$one"
for wrong in 'GET\r\n\r\n' 'GET /\r\n\r\n' 'GET / HTTP/x\r\n\r\n' 'GET  / HTTP/1.0\r\n\r\n' 'GET / HTTP/1.0 x\r\n\r\n' \
    'G@T / HTTP/1.0\r\n\r\n' 'GET x HTTP/1.0\r\n\r\n' 'GET / HTTP/1.0\r\nno colon\r\n\r\n' ' GET / HTTP/1.0\r\n\r\n' \
    'GET / HTTP/1.0\r\nname : value\r\n\r\n' 'GET / HTTP/1.0\r\nA: b\r\n folded\r\n\r\n' 'GET / HTTP/1.1\r\n\r\n' \
    'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n' 'GET / HTTP/1.0\r\nContent-Length: -1\r\n\r\n' \
    'GET / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n' 'GET / HTTP/1.0\r\nA: b\rc\r\n\r\n' \
    'GET / HTTP/1.0\r\nContent-Length: 99999999999999999999\r\n\r\n' 'GET / HTTP/1.0\r\nA: \0\r\n\r\n' \
    'GET / HTTP/1.0\r\nContent-Length:\r\n\r\n' '\x16\x03\x01\x02\n\n'; do
    check "400, and the end: $wrong" answers "400" "$wrong"
done
check "HTTP/2.0: 505" answers "505" 'GET / HTTP/2.0\r\n\r\n'
check "a long target: 414" answers "414" "GET /$long HTTP/1.1\r\nHost: h\r\n\r\n"
check "a target without end: 414" answers "414" "GET /$long"
check "a head that is too large: 431" answers "431" "GET / HTTP/1.1\r\nA: $long\r\nB: $long\r\n\r\n"
check "a head without end: 431" answers "431" "GET / HTTP/1.1\r\nA: $long\r\nB: $long\r\n"
check "a large head that is not too large: 200" answers "200" \
    "GET /empty HTTP/1.1\r\nHost: h\r\nA: ${long:0:7000}\r\nB: ${long:0:7000}\r\nConnection: close\r\n\r\n"

ends_well

all_passed

#!/usr/bin/env bash
# httpd_test.sh BIN_DIR: tests the programs httpd, echo and multi in BIN_DIR as their users meet them.
# Prints a line `ok NAME` or `not ok NAME` for each check. Exit status: 0 all passed, 1 not all, 77 a tool is missing.
# It waits for conditions, not for a time to pass; what takes longer than LIMIT seconds has failed.
set -u -o pipefail
export LC_ALL=C
LIMIT=30

if [ $# -ne 1 ]; then
    echo "usage: httpd_test.sh BIN_DIR" >&2
    exit 2
fi
for program in httpd echo multi; do
    [ -x "$1/$program" ] || { echo "httpd_test.sh: there is no $1/$program: make examples builds it" >&2; exit 1; }
done
bin=$(cd "$1" && pwd)
for tool in curl cmp mkfifo mktemp timeout truncate; do
    command -v "$tool" >/dev/null || { echo "httpd_test.sh: no $tool" >&2; exit 77; }
done
work=$(mktemp -d) || exit 1
site=$work/site
started=() # processes that may still run

cleanup() {
    for pid in ${started[@]+"${started[@]}"}; do
        kill -KILL "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

failures=0

# check NAME COMMAND...: the command must succeed. What it printed is shown if it does not.
check() {
    local name=$1
    shift
    if "$@" >"$work/printed" 2>&1; then
        echo "ok $name"
    else
        echo "not ok $name"
        sed 's/^/#   /' "$work/printed" | head -n 20
        failures=$((failures + 1))
    fi
}

# wait_for COMMAND...: until it succeeds.
wait_for() {
    local end=$((SECONDS + LIMIT))
    until "$@" 2>/dev/null; do
        [ $SECONDS -lt $end ] || { echo "in vain waited for: $*"; return 1; }
        sleep 0.02
    done
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# status_of PID: waits until it ends; answers with its exit status.
status_of() {
    wait_for gone "$1" || kill -KILL "$1"
    wait "$1"
}

# ends_with STATUS PID
ends_with() {
    status_of "$2"
    local status=$?
    [ $status = "$1" ] || { echo "exit status $status, not $1"; return 1; }
}

# serve ARGUMENTS...: starts httpd on a free port; sets $pid, $port and $url.
serve() {
    : >"$work/httpd.out" # nothing of the server before
    "$bin/httpd" -p 0 "$@" >"$work/httpd.out" 2>"$work/httpd.err" &
    pid=$!
    started+=("$pid")
    if ! wait_for grep -q '^serving ' "$work/httpd.out"; then
        echo "not ok httpd $* starts"
        cat "$work/httpd.err"
        exit 1
    fi
    url=$(sed -n 's/^serving .* on \(http:.*\)\/$/\1/p' "$work/httpd.out")
    port=${url##*:}
}

# stop SIGNAL: ends the httpd started last; it must end by itself, with status 0, and say nothing on stderr.
stop() {
    kill "-$1" "$pid" && ends_with 0 "$pid" && ! grep . "$work/httpd.err"
}

# get CURL_ARGUMENTS...: sets $code; the head is in $work/head, the body in $work/body.
get() {
    : >"$work/body"
    code=$(curl -sS --max-time $LIMIT --path-as-is -D "$work/head" -o "$work/body" -w '%{http_code}' "$@")
}

# gets CODE CURL_ARGUMENTS...: the answer has this status.
gets() {
    local wanted=$1
    shift
    get "$@"
    [ "$code" = "$wanted" ] || { echo "status $code, not $wanted"; cat "$work/head"; return 1; }
}

# has_header REGEX: the last answer has such a header line.
has_header() {
    tr -d '\r' <"$work/head" | grep -qiE "^$1\$" || { echo "no header $1"; cat "$work/head"; return 1; }
}

has_no_header() {
    ! tr -d '\r' <"$work/head" | grep -iE "^$1"
}

# same FILE: the last body is the file.
same() { cmp "$work/body" "$1"; }

# part FIRST LENGTH FILE: the last body is this part of the file.
part() { [ "$(stat -c %s "$work/body")" = "$2" ] && cmp -i "0:$1" -n "$2" "$work/body" "$3"; }

# talk TEXT...: sends each text (as printf formats it) in one write; prints all that comes until the server closes.
talk() {
    local text
    exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
    for text; do
        # shellcheck disable=SC2059
        printf "$text" >&3
    done
    timeout $LIMIT cat <&3
    local status=$?
    exec 3>&-
    return $status
}

# statuses TEXT...: talks, and prints the status codes of all answers in one line. ends early if the server does not close.
statuses() {
    talk "$@" >"$work/talk" 2>&1 || { echo "the server did not close:"; cat "$work/talk"; return 1; }
    grep -ao 'HTTP/1.1 [0-9]*' "$work/talk" | cut -d' ' -f2 | paste -sd' ' -
}

# answers "CODES" TEXT...: these and no others come before the server closes.
answers() {
    local wanted=$1 got
    shift
    got=$(statuses "$@")
    [ "$got" = "$wanted" ] || { echo "answers: $got, not $wanted"; cat "$work/talk"; return 1; }
}

descriptors() {
    local all=(/proc/"$pid"/fd/*)
    echo ${#all[@]}
}

# descriptors_are COUNT: of the httpd started last.
descriptors_are() { [ "$(descriptors)" = "$1" ]; }

# only_listens: the program started last has one socket left.
only_listens() {
    local all=(/proc/"$pid"/fd/*) sockets=0 one
    for one in "${all[@]}"; do
        [[ $(readlink "$one") != socket:* ]] || sockets=$((sockets + 1))
    done
    [ $sockets = 1 ]
}

# cpu_ticks: the time that the program started last has computed, in hundredths of a second.
cpu_ticks() {
    local stat
    stat=$(<"/proc/$pid/stat")
    read -r -a stat <<<"${stat##*) }"
    echo $((stat[11] + stat[12]))
}

# ---------------------------------------------------------------------------------------------- the site that is served
mkdir -p "$site/list" "$site/sub/deep" "$site/with index" "$work/outside"
: >"$site/empty"
printf x >"$site/one.txt"
head -c 1000000 /dev/urandom >"$site/1mb.bin"
truncate -s 300M "$site/300mb.bin" # mostly zeros, which cost nothing, but not where a wrong offset would go unseen
for at in 0 1 65535 300000 104857600 299999; do
    head -c 200000 /dev/urandom | dd of="$site/300mb.bin" bs=1000 seek=$at conv=notrunc status=none
done
truncate -s 300M "$site/300mb.bin"
echo secret >"$work/outside/secret.txt"
echo secret >"$work/site-not.txt" # its name begins as the site's does
echo inside >"$site/inside.txt"
echo index >"$site/with index/index.html"
echo deep >"$site/sub/deep/file.txt"
mkfifo "$site/fifo"
ln -s "$work/outside/secret.txt" "$site/link-absolute"
ln -s ../outside/secret.txt "$site/link-relative"
ln -s ../outside "$site/link-directory"
ln -s /proc/self/root "$site/link-magic"
ln -s ../../inside.txt "$site/sub/deep/link-inside"
ln -s link-loop "$site/link-loop"
touch "$site/list/plain.txt" "$site/list/a&b <c> \"d' e.txt" "$site/list/100%25.txt" "$site/list/colon:x" \
    "$site/list/question?mark#hash" "$site/list/"$'\xc3\xbc.txt' "$site/list/.hidden"
mkdir "$site/list/dir & more"

# ------------------------------------------------------------------------------------------------------ wrong arguments

# refuses PROGRAM ARGUMENTS...: exit status 2 and one line on stderr.
refuses() {
    timeout $LIMIT "$bin/$1" "${@:2}" >"$work/stdout" 2>"$work/stderr"
    local status=$?
    [ $status = 2 ] || { echo "exit status $status"; return 1; }
    [ "$(wc -l <"$work/stderr")" = 1 ] || { cat "$work/stderr"; return 1; }
    ! grep . "$work/stdout"
}
check "httpd without a directory: status 2" refuses httpd
check "httpd with two directories: status 2" refuses httpd "$site" "$site"
check "httpd -x: status 2" refuses httpd -x "$site"
for wrong in "-p" "-p abc" "-p 70000" "-p -1" "-p 80x" "-t 0" "-t 99999" "-c 0" "-c many" "-T 0" "-a localhost"; do
    # shellcheck disable=SC2086
    check "httpd $wrong: status 2" refuses httpd $wrong
done
for wrong in "abc" "0" "65536" "80x" "-1" "1 2"; do
    # shellcheck disable=SC2086
    check "echo $wrong: status 2" refuses echo $wrong
done
check "echo with an empty port: status 2" refuses echo ""
check "multi with an argument: status 2" refuses multi argument

# cannot REGEX COMMAND...: exit status 1 and one line on stderr, with the reason.
cannot() {
    local reason=$1
    shift
    timeout $LIMIT "$@" >"$work/stdout" 2>"$work/stderr"
    local status=$?
    [ $status = 1 ] || { echo "exit status $status"; return 1; }
    cat "$work/stderr"
    [ "$(wc -l <"$work/stderr")" = 1 ] && grep -qi "$reason" "$work/stderr"
}

serve -t 1 "$site"
check "httpd on a port in use: status 1, with the reason" cannot "in use" "$bin/httpd" -p "$port" "$site"
check "echo on a port in use: status 1, with the reason" cannot "in use" "$bin/echo" "$port"
check "httpd stops" stop TERM
check "httpd without such a directory: status 1" cannot "no such file" "$bin/httpd" -p 0 "$work/nowhere"
check "httpd with a file as the directory: status 1" cannot "not a directory" "$bin/httpd" -p 0 "$site/one.txt"
check "httpd -c beyond the limit of open files: status 1" cannot "limit" bash -c 'ulimit -n 256; exec "$@"' sh "$bin/httpd" -p 0 -c 1000 "$site"

# ------------------------------------------------------------------------------------------------------- multi and echo

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
        echoes "$site/1mb.bin" &
        clients+=($!)
    done
    for client in "${clients[@]}"; do
        wait "$client" || return 1
    done
}
start_echo 1024
check "echo sends 1 MB back" echoes "$site/1mb.bin"
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
    echoes "$site/one.txt" && wait_for only_listens
}
start_echo 24
check "echo survives without descriptors" survives_no_descriptors
kill "$pid"
wait "$pid" 2>/dev/null

# ----------------------------------------------------------------------------------------------------------- whole files
serve -t 2 -l "$site"
settled=$(descriptors)

for file in empty one.txt 1mb.bin; do
    check "GET $file: 200" gets 200 "$url/$file"
    check "GET $file: the right bytes" same "$site/$file"
    check "GET $file: Content-Length" has_header "content-length: $(stat -c %s "$site/$file")"
done
check "GET of 300 MB: the right bytes" cmp <(curl -sS "$url/300mb.bin") "$site/300mb.bin"
check "HEAD: 200" gets 200 -I "$url/1mb.bin"
check "HEAD: Content-Length of the file" has_header "content-length: 1000000"
head_has_no_body() { [ "$(talk 'HEAD /1mb.bin HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n' | tail -c 2 | od -An -tx1)" = " 0d 0a" ]; }
check "HEAD: no body" head_has_no_body
get "$url/one.txt"
day='(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] [A-Z][a-z]{2} [0-9]{4} [0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT'
check "Date" has_header "date: $day"
check "Last-Modified" has_header "last-modified: $day"
check "ETag" has_header 'etag: "[^"]+"'
check "Content-Type of .txt" has_header "content-type: text/plain; charset=utf-8"
get "$url/1mb.bin"
check "Content-Type of .bin" has_header "content-type: application/octet-stream"
get "$url/with%20index/"
check "Content-Type of .html" has_header "content-type: text/html; charset=utf-8"
check "a query is no part of the name" gets 200 "$url/one.txt?x=1&y=/../.."
check "percent-encoded names" gets 200 "$url/%6fne%2Etxt"
check "no such file: 404" gets 404 "$url/nothing"
check "a file asked for as a directory: 404" gets 404 "$url/one.txt/"
check "below a file: 404" gets 404 "$url/one.txt/more"
check "a name that is too long: 404" gets 404 "$url/$(printf 'n%.0s' {1..300})"

# ---------------------------------------------------------------------------------------------------------------- ranges
bytes() { gets 206 -r "$1" "$url/1mb.bin" && has_header "content-range: bytes $2/1000000" && part "$3" "$4" "$site/1mb.bin"; }
check "range: the first byte" bytes 0-0 0-0 0 1
check "range: in the middle" bytes 1000-1999 1000-1999 1000 1000
check "range: to the end" bytes 999000- 999000-999999 999000 1000
check "range: more than there is" bytes 999999-2000000 999999-999999 999999 1
check "range: the last bytes" bytes -500 999500-999999 999500 500
check "range: the last bytes, more than there are" bytes -5000000 0-999999 0 1000000
check "range: past 64 KiB" bytes 65500-200000 65500-200000 65500 134501
check "range: none of the file" gets 416 -r 1000000- "$url/1mb.bin"
check "range: 416 tells the size" has_header "content-range: bytes \*/1000000"
check "range: the last 0 bytes" gets 416 -r -0 "$url/1mb.bin"
check "range: of an empty file" gets 416 -r 0- "$url/empty"
for wrong in bytes=x-y bytes=5-2 bytes= bytes=- lines=1-2 bytes=1 "bytes=0-1,5-6" "bytes=1-2x"; do
    check "range: $wrong is not for us: 200" gets 200 -H "Range: $wrong" "$url/1mb.bin"
done
check "range: numbers beyond all bounds" gets 416 -H "Range: bytes=99999999999999999999999-" "$url/1mb.bin"
check "range: HEAD ignores it" gets 200 -I -H "Range: bytes=0-0" "$url/1mb.bin"
get "$url/1mb.bin"
tag=$(tr -d '\r' <"$work/head" | sed -n 's/^ETag: //p')
date=$(tr -d '\r' <"$work/head" | sed -n 's/^Last-Modified: //p')
check "If-Range with the ETag: 206" gets 206 -r 0-9 -H "If-Range: $tag" "$url/1mb.bin"
check "If-Range with the date: 206" gets 206 -r 0-9 -H "If-Range: $date" "$url/1mb.bin"
check "If-Range with another ETag: 200" gets 200 -r 0-9 -H 'If-Range: "other"' "$url/1mb.bin"
check "If-Range with another date: 200" gets 200 -r 0-9 -H 'If-Range: Sun, 06 Nov 1994 08:49:37 GMT' "$url/1mb.bin"
resumes() {
    head -c 123456 "$site/1mb.bin" >"$work/partial"
    curl -sS -C - -o "$work/partial" "$url/1mb.bin" && cmp "$work/partial" "$site/1mb.bin"
}
check "curl -C - resumes a download" resumes

# ------------------------------------------------------------------------------------------------------------ conditions
check "If-Modified-Since now: 304" gets 304 -H "If-Modified-Since: $date" "$url/1mb.bin"
check "304 has no body" same "$site/empty"
check "304 has the ETag" has_header "etag: $tag"
check "304 has no Content-Length" has_no_header content-length
check "If-Modified-Since long ago: 200" gets 200 -H 'If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT' "$url/1mb.bin"
later=$(date -u -d 'next year' '+%A, %d-%b-%y %H:%M:%S GMT')
check "If-Modified-Since in the format of RFC 850: 304" gets 304 -H "If-Modified-Since: $later" "$url/1mb.bin"
later=$(date -u -d 'next year' '+%a %b %e %H:%M:%S %Y')
check "If-Modified-Since in the format of asctime: 304" gets 304 -H "If-Modified-Since: $later" "$url/1mb.bin"
check "If-Modified-Since without a date: 200" gets 200 -H "If-Modified-Since: yesterday" "$url/1mb.bin"
check "If-None-Match: 304" gets 304 -H "If-None-Match: \"a\", W/$tag" "$url/1mb.bin"
check "If-None-Match *: 304" gets 304 -H "If-None-Match: *" "$url/1mb.bin"
check "If-None-Match goes before If-Modified-Since" gets 200 -H 'If-None-Match: "a"' -H "If-Modified-Since: $date" "$url/1mb.bin"
check "If-Match: 200" gets 200 -H "If-Match: $tag" "$url/1mb.bin"
check "If-Match with another: 412" gets 412 -H 'If-Match: "a"' "$url/1mb.bin"
check "If-Unmodified-Since long ago: 412" gets 412 -H 'If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT' "$url/1mb.bin"

# ----------------------------------------------------------------------------------------------------------- directories
check "a directory without the slash: 301" gets 301 "$url/with%20index?a=b"
check "301 leads to the directory, and keeps the query" has_header "location: /with%20index/\?a=b"
check "301 never leads to another host" gets 301 "$url//sub/deep"
check "301 has one slash in front" has_header "location: /sub/deep/"
check "index.html stands for its directory" gets 200 "$url/with%20index/"
check "index.html: the right bytes" same "$site/with index/index.html"
check "a directory without index.html is listed" gets 200 "$url/list/"
cp "$work/body" "$work/listing"
shown() { grep -F "$1" "$work/listing"; }
check "listing: names are escaped as HTML" shown "a&amp;b &lt;c&gt; &quot;d&#39; e.txt"
check "listing: links are escaped as URLs" shown 'href="a%26b%20%3Cc%3E%20%22d%27%20e.txt"'
check "listing: directories end with a slash" shown 'href="dir%20%26%20more/"'
check "listing: no hidden files" bash -c "! grep hidden '$work/listing'"
all_links_work() {
    local link count=0
    while read -r link; do
        gets 200 "$url/list/$link" || { echo "$link"; return 1; }
        count=$((count + 1))
    done < <(sed -n 's/.*href="\([^"]*\)".*/\1/p' "$work/listing" | grep -v '^\.\./')
    [ $count = 7 ]
}
check "listing: every link works" all_links_work

# ------------------------------------------------------------------------------------------- nothing outside of the site
keeps_inside() {
    get "$url/$1"
    [[ $code = 40[034] ]] || { echo "status $code"; return 1; }
    ! grep -q secret "$work/body"
}
for attack in ../outside/secret.txt ../site-not.txt sub/../../outside/secret.txt %2e%2e/outside/secret.txt \
    ..%2foutside%2fsecret.txt %2e%2e%2foutside/secret.txt .%2e/outside/secret.txt //../outside/secret.txt \
    ./../outside/secret.txt sub/deep/../../../outside/secret.txt ..%5coutside%5csecret.txt %252e%252e/outside/secret.txt \
    %c0%ae%c0%ae/outside/secret.txt link-absolute link-relative link-directory/secret.txt link-directory/ link-magic/ \
    "link-magic$work/outside/secret.txt" inside.txt/../../outside/secret.txt /etc/passwd; do
    check "nothing outside: /$attack" keeps_inside "$attack"
done
check "a link that leads out: 403" gets 403 "$url/link-relative"
check "a path that leads out: 403" gets 403 "$url/../outside/secret.txt"
check "a link that stays inside: 200" gets 200 "$url/sub/deep/link-inside"
check "dots that stay inside: 200" gets 200 "$url/sub/../sub/./deep/../../inside.txt"
check "a link to itself: 403" gets 403 "$url/link-loop"
check "a FIFO: 403, at once" gets 403 "$url/fifo"
check "a NUL in the path: 400" gets 400 "$url/inside.txt%00.html"
check "a wrong percent code: 400" gets 400 "$url/%zz"
check "half a percent code: 400" gets 400 "$url/%4"

# -------------------------------------------------------------------------------------------------------------- protocol
one='GET /one.txt HTTP/1.1\r\nHost: h\r\n\r\n'
last='GET /empty HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'
long=$(printf 'x%.0s' {1..9000})
check "pipelined requests are answered in order" answers "200 404 200 200" \
    "${one}GET /none HTTP/1.1\r\nHost: h\r\n\r\n$one$last"
check "a request that comes in pieces" answers "200" "GE" "T /empty HTT" "P/1.1\r" "\nHost: h\r\nConnection: clo" "se\r\n\r" "\n"
check "empty lines before a request" answers "200 200" "\r\n\r\n$one\r\n$last"
check "lines that end without CR" answers "200" "GET /empty HTTP/1.1\nHost: h\nConnection: close\n\n"
check "HTTP/1.0 closes" answers "200" "GET /empty HTTP/1.0\r\n\r\n$one"
check "HTTP/1.0 keeps alive when asked to" answers "200 200" "GET /empty HTTP/1.0\r\nConnection: keep-alive\r\n\r\n$last"
check "HTTP/1.0 is told so" grep -qi '^connection: keep-alive' "$work/talk"
check "Connection: close closes" answers "200" "$last$one"
check "Connection is a list, in any case" answers "200" "GET /empty HTTP/1.1\r\nHost: h\r\nConnection: x, CLOSE\r\n\r\n$one"
check "a target with a host" answers "200 200" "GET http://h/one.txt HTTP/1.1\r\nHost: h\r\n\r\n$last"
check "other methods: 405" answers "405 200" "DELETE /one.txt HTTP/1.1\r\nHost: h\r\n\r\n$last"
check "405 has Allow" grep -q '^Allow: GET, HEAD' "$work/talk"
check "the body of a request is skipped" answers "405 200" \
    "POST /one.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789$last"
check "the body of a request is skipped, in pieces" answers "200 200" \
    "GET /one.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n01" "2345" "6789$last"
check "a body that looks like a request is not one" answers "200 200" \
    "GET /one.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 34\r\n\r\nGET /none HTTP/1.1\r\nHost: h\r\n\r\nabc$last"
check "a long body costs the connection" answers "405" "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\nxxx$last"
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

# ------------------------------------------------------------------------------------------------------------------ load
limit_rate() { cmp <(curl -sS --limit-rate 500k "$url/1mb.bin") "$site/1mb.bin"; }
check "curl --limit-rate" limit_rate
hang_up() {
    local clients=()
    for _ in {1..20}; do
        (exec 3<>"/dev/tcp/127.0.0.1/$port" && printf 'GET /300mb.bin HTTP/1.1\r\nHost: h\r\n\r\n' >&3 && head -c 100000 <&3 >/dev/null) &
        clients+=($!)
    done
    wait "${clients[@]}"
    gets 200 "$url/one.txt"
}
check "clients hang up in the middle" hang_up
if command -v wrk >/dev/null; then
    wrk -t2 -c64 -d2 "$url/one.txt" >"$work/wrk" 2>&1
    check "wrk: no errors" bash -c "cat '$work/wrk'; grep -q Requests/sec '$work/wrk' && ! grep -E 'Socket errors|Non-2xx' '$work/wrk'"
else
    echo "# wrk is not installed: that check is left out"
fi

wait_for descriptors_are "$settled"
check "no descriptor has leaked" descriptors_are "$settled"

get -H 'User-Agent: x' "$url/one.txt?%22\"quoted"
get "$url/1mb.bin"
logged() { wait_for grep -aqE "$1" "$work/httpd.out"; }
stamp='127\.0\.0\.1 - - \[[0-3][0-9]/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} [-+][0-9]{4}\]'
check "log: a line for a request" logged "^$stamp \"GET /1mb\.bin HTTP/1\.1\" 200 1000000\$"
check "log: what clients send is escaped" logged "^$stamp \"GET /one\.txt\?%22.x22quoted HTTP/1\.1\" 200 1\$"
check "log: nothing but such lines" bash -c "! tail -n +2 '$work/httpd.out' | grep -avE '^$stamp \"[^\"]*\" [0-9]{3} [0-9]+\$'"
check "SIGTERM stops it" stop TERM

# -------------------------------------------------------------------------------------------------------------- timeouts
# So slow a reader that no write of the server is done in time. It takes a while, so the other checks go on meanwhile.
serve -t 2 -T 3 "$site"
patient=$pid
curl -sS --limit-rate 200k --max-time 13 "$url/300mb.bin" >/dev/null 2>&1 &
slow_reader=$!
started+=("$slow_reader")

serve -t 2 -T 1 "$site"
settled=$(descriptors)
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

# ------------------------------------------------------------------------------------------------------------------ full
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

# ---------------------------------------------------------------------------------------------------------- clean stop
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
    wait_for test -s "$work/body" && kill -TERM "$pid" && wait $client && part 0 30000000 "$site/300mb.bin" && ends_with 0 "$pid"
}
: >"$work/body"
serve -t 2 "$site"
check "a response under way is finished" finishes

# ------------------------------------------------------------------------------------------------------------- many idle
idle=9000
hard=$(ulimit -Hn)
if [ "$hard" != unlimited ] && [ "$hard" -lt 12000 ]; then idle=$((hard / 2 - 200)); fi
if [ $idle -gt 0 ] && ulimit -Sn "$hard" 2>/dev/null; then
    serve -t 2 "$site"
    # hold COUNT: opens idle connections, says so, and closes them when its input ends.
    hold() {
        local fd
        for ((i = 0; i < $1; i++)); do
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

[ $failures = 0 ] || { echo "# $failures checks failed"; exit 1; }

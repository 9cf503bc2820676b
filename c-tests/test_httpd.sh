# shellcheck shell=bash
# shellcheck disable=SC2034 # used by those who source it
# What the tests of httpd share: the server is started, asked, and stopped, and has a site to serve. Source this in the
# place of test.sh.
# shellcheck source=c-tests/test.sh
. "$(dirname "$0")/test.sh"

needs_programs httpd
needs_tools curl dd mkfifo truncate
site=$work/site

# serve ARGUMENTS...: starts httpd on a free port; sets $pid, $port, $url, and $settled: how many descriptors it has
# now.
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
    settled=$(descriptors)
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

# statuses TEXT...: talks, and prints the status codes of all answers in one line. ends early if the server does not
# close.
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

# How each line of the log begins.
stamp='127\.0\.0\.1 - - \[[0-3][0-9]/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} [-+][0-9]{4}\]'

# ends_well: the server started last, with a log, has lost no descriptor, has logged nothing but requests, and stops.
ends_well() {
    wait_for descriptors_are "$settled"
    check "no descriptor has leaked" descriptors_are "$settled"
    check "log: nothing but such lines" bash -c \
        "! tail -n +2 '$work/httpd.out' | grep -avE '^$stamp \"[^\"]*\" [0-9]{3} [0-9]+\$'"
    check "SIGTERM stops it" stop TERM
}

# ---- the site that is served ----
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

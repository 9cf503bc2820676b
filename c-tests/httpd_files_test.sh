#!/usr/bin/env bash
# httpd_files_test.sh BIN_DIR: httpd sends files: whole, ranges of them, and on conditions.
# shellcheck source=c-tests/test_httpd.sh
. "$(dirname "$0")/test_httpd.sh"

# ---- whole files ----
serve -t 2 -l "$site"

for file in empty one.txt 1mb.bin; do
    check "GET $file: 200" gets 200 "$url/$file"
    check "GET $file: the right bytes" same "$site/$file"
    check "GET $file: Content-Length" has_header "content-length: $(stat -c %s "$site/$file")"
done
check "GET of 300 MB: the right bytes" cmp <(curl -sS "$url/300mb.bin") "$site/300mb.bin"
check "HEAD: 200" gets 200 -I "$url/1mb.bin"
check "HEAD: Content-Length of the file" has_header "content-length: 1000000"
head_has_no_body() {
    local end
    end=$(talk 'HEAD /1mb.bin HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n' | tail -c 2 | od -An -tx1)
    [ "$end" = " 0d 0a" ]
}
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

# ---- ranges ----
# bytes ASKED ANSWERED FIRST LENGTH: this range is answered with that one, which is this part of the file.
bytes() {
    gets 206 -r "$1" "$url/1mb.bin" && has_header "content-range: bytes $2/1000000" && part "$3" "$4" "$site/1mb.bin"
}
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

# ---- conditions ----
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
check "If-None-Match goes before If-Modified-Since" gets 200 \
    -H 'If-None-Match: "a"' -H "If-Modified-Since: $date" "$url/1mb.bin"
check "If-Match: 200" gets 200 -H "If-Match: $tag" "$url/1mb.bin"
check "If-Match with another: 412" gets 412 -H 'If-Match: "a"' "$url/1mb.bin"
check "If-Unmodified-Since long ago: 412" gets 412 \
    -H 'If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT' "$url/1mb.bin"

ends_well

all_passed

#!/usr/bin/env bash
# httpd_arguments_test.sh BIN_DIR: what httpd says when it cannot start.
# shellcheck source=c-tests/test_httpd.sh
. "$(dirname "$0")/test_httpd.sh"

check "httpd without a directory: status 2" refuses httpd
check "httpd with two directories: status 2" refuses httpd "$site" "$site"
check "httpd -x: status 2" refuses httpd -x "$site"
for wrong in "-p" "-p abc" "-p 70000" "-p -1" "-p 80x" "-t 0" "-t 99999" "-c 0" "-c many" "-T 0" "-a localhost"; do
    # shellcheck disable=SC2086
    check "httpd $wrong: status 2" refuses httpd $wrong
done

serve -t 1 "$site"
check "httpd on a port in use: status 1, with the reason" cannot "in use" "$bin/httpd" -p "$port" "$site"
check "httpd stops" stop TERM
check "httpd without such a directory: status 1" cannot "no such file" "$bin/httpd" -p 0 "$work/nowhere"
check "httpd with a file as the directory: status 1" cannot "not a directory" "$bin/httpd" -p 0 "$site/one.txt"
check "httpd -c beyond the limit of open files: status 1" cannot "limit" \
    bash -c 'ulimit -n 256; exec "$@"' sh "$bin/httpd" -p 0 -c 1000 "$site"

all_passed

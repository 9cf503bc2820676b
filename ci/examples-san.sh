#!/usr/bin/env bash
# The tests of the examples with examples that are built with the address and undefined sanitizers, and of those with
# threads with the thread sanitizer: no error, no leak.  The library itself is not built with them; it tells the thread
# sanitizer what that has to know.  make check-san runs this; make stage must have been run before.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
use_stage
[ -n "${CC:-}" ] || { ! have gcc || export CC=gcc; }

# tested WHAT FLAGS EXAMPLE...: builds all, and tests these.
tested() {
    local what=$1 bin=$build/examples-${1%% *} name
    echo 'int main(void) { return 0; }' >"$logs/examples-san.c"
    # shellcheck disable=SC2086 # several flags
    if ! "${CC:-cc}" $2 "$logs/examples-san.c" -o "$logs/examples-san" 2>/dev/null || ! "$logs/examples-san" 2>/dev/null; then
        skip "examples under the $what sanitizer" "${CC:-cc} has none that runs here"
        return
    fi
    step "examples, built for the $what sanitizer" make -C examples-c O="$bin" CFLAGS="-O1 -g -Wall -Wextra -Werror $2" ||
        return
    for name in "${@:3}"; do
        STEP_TIMEOUT=900 tap_tests "examples under the $what sanitizer: $name" "c-tests/${name}_test.sh" "$bin"
    done
}
tested "address" "-fsanitize=address,undefined -fno-sanitize-recover=all" foreign_loop udp_server workers tcp_client tls_echo \
    proxy
tested "thread" -fsanitize=thread workers proxy
finish

#!/usr/bin/env bash
# ci/deny.sh [CALL...]: has the kernel refuse each system call that src/sys makes (or only those named), one at a time,
# with EPERM and with ENOSYS, as a seccomp filter does, and runs c-tests/inject/server.c and a few C tests all the same.
# Each part of what they do works, or fails with that errno: `may_fail` says which may. None ends by a signal, hangs,
# computes while nothing happens, or moves wrong data.
#
# make stage (or make check) must have been run before.  CC chooses the compiler.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

bin=$build/inject
# C tests that use many kinds of calls, and are quick.
tests=(read_write file_read_write errno_kept fork_child fork_raw vfork)

calls() { grep -oh 'Sysno::[a-z0-9_]*' src/sys/*.rs | sed 's/.*:://' | sort -u; }

# The parts of the server that may fail when a call is refused; all others work by other means.
may_fail() {
    case $1 in
    epoll_create1 | epoll_ctl | eventfd2 | fcntl | futex | getpid | madvise | read | rt_sigprocmask | timerfd_create | \
        timerfd_settime | write) echo ioeventpipe ;;
    epoll_pwait | ppoll) [ "$(uname -m)" = x86_64 ] || echo ioeventpipe ;;
    accept4) echo accept ;;
    connect | fdatasync | fsync | recvmsg | sendfile | sendmsg | shutdown | splice | waitid) echo "$1" ;;
    recvfrom) echo timeout recv echo ;;
    sendto) echo send echo ;;
    # What a SIGPIPE could come of. Kernels before 6.18 have no RWF_NOSIGNAL.
    rt_sigpending | rt_sigtimedwait) echo sendfile splice pipe fifo writev ;;
    # No socket is attached.
    getsockopt) echo timeout sendfile datagram connect echo progress ;;
    # There is no memory.
    mmap) echo timer timeout file pipe fifo terminal eventfd sendfile datagram connect waitid echo progress ;;
    esac
}

# with CALL ERRNO PROGRAM: runs it while the call is refused.
with() {
    (cd "$bin" && DENY=$1 DENY_ERRNO=$2 LD_PRELOAD=$bin/deny.so TEST_TIMEOUT=20 timeout -k 5 30 "$c_tests/$3")
}

# server CALL ERRNO
server() {
    local out rc part allowed
    out=$(with "$1" "$2" server 2>&1)
    rc=$?
    [ $rc = 0 ] || { echo "$1 refused with $2: exit status $rc: $out"; return $rc; }
    allowed=" $(may_fail "$1") "
    for part in ${out#*:}; do
        [ "$out" != works ] || break
        case $allowed in *" $part "*) ;; *) echo "$1 refused with $2: $out"; return 1 ;; esac
    done
}

# c_tests CALL: they may fail where a part of the server may.
c_tests() {
    local name rc=0 out
    for name in "${tests[@]}"; do
        out=$(with "$1" 1 "$name" 2>&1)
        case $?:$(may_fail "$1") in
        0:* | 77:* | 1:?*) ;;
        *) echo "$1 refused, C test $name: $out"; rc=1 ;;
        esac
    done
    return $rc
}

# All of that for one call, at the same time: they mostly wait.
if [ "${1:-}" = --one ]; then
    jobs=()
    server "$2" 1 & jobs+=($!)
    server "$2" 38 & jobs+=($!)
    c_tests "$2" & jobs+=($!)
    status=0
    for job in "${jobs[@]}"; do
        wait "$job" || { rc=$?; [ $rc = 77 ] && exit 77; status=1; }
    done
    exit $status
fi

# A refusal that is not there would be passed by all.
if [ "${1:-}" = --really ]; then
    out=$(with epoll_create1 1 server) || { rc=$?; echo "$out"; exit $rc; }
    [ "$out" = "fails: ioeventpipe" ] || { echo "with epoll_create1 refused: $out"; exit 1; }
    out=$(cd "$bin" && TEST_TIMEOUT=20 "$c_tests/server" 2>&1)
    [ "$out" = works ] || { echo "with nothing refused: $out"; exit 1; }
    exit 0
fi

use_stage

compile() {
    local name
    mkdir -p "$bin" && calls | sed 's/.*/CALL(&)/' >"$bin/calls.h"
    "${CC:-cc}" -std=gnu11 -O2 -g -Wall -Wextra -Werror -shared -fPIC -I"$bin" c-tests/inject/deny.c -o "$bin/deny.so" ||
        return 1
    for name in inject/server "${tests[@]}"; do c_program "$name" -lutil || return 1; done
}
if ! compile >"$logs/deny-build.log" 2>&1; then
    failed "refused calls" "the programs do not compile" "$logs/deny-build.log"
    finish
fi

step "refusals are really in" "$0" --really || finish

if [ $# = 0 ]; then mapfile -t wanted < <(calls); else wanted=("$@"); fi
for call in "${wanted[@]}"; do
    STEP_TIMEOUT=120 step "refused: $call" "$0" --one "$call"
done
finish

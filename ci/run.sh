#!/usr/bin/env bash
# ci/run.sh [PORT]: serves examples-c/site with the httpd that `make examples` built; `make run` calls it.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

port=${1:-8080}
httpd=${IOEVENT_BUILD:-$build}/examples/httpd
export LD_LIBRARY_PATH=${IOEVENT_BUILD:-$build}/stage/lib

if [ ! -x "$httpd" ]; then
    echo "ci/run.sh: no $httpd: run make examples first" >&2
    exit 1
fi
# There is an answer: the kernel shall choose another one.
if [ "$port" != 0 ] && (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "port $port is taken: the kernel chooses another (PORT=number to choose yourself)"
    port=0
fi
# There is no tally to finish; but that of make check is not ours.
[ $tally_owner = no ] || rm -f "$IOEVENT_TALLY"

# caught PID: whether a process has a handler for SIGINT. As make has until it was interrupted.
caught() {
    local name value
    while read -r name value; do
        if [ "$name" = SigCgt: ]; then return $((~0x$value >> 1 & 1)); fi
    done 2>/dev/null <"/proc/$1/status"
    return 1
}
# Ends the server (which is this process) when make is gone, or waits for it to end: make hands SIGTERM on, but not a
# SIGINT that it alone was sent.
watch() {
    local make=$1 server=$$ none
    exec {none}<> <(:)
    while caught "$make"; do
        read -r -t 0.2 -u "$none"
        # Is it still the parent of this?
        read -r _ _ _ parent _ <"/proc/$BASHPID/stat"
        [ "$parent" = "$server" ] || exit
    done
    kill "$server"
}
if [ -n "${MAKELEVEL:-}" ] && caught $PPID; then watch $PPID </dev/null >/dev/null 2>&1 & fi
exec "$httpd" -p "$port" examples-c/site

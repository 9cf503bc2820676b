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
rm -f "$IOEVENT_TALLY"
exec "$httpd" -p "$port" examples-c/site

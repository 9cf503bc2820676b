#!/usr/bin/env bash
# make run: it serves, says where, and the server ends with make, whichever signal ends that. (make examples must have
# been run before.)
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
# A job of its own is not made to ignore SIGINT.
set -m
out=$logs/run-test.out
complain() {
    echo "ci/run-test.sh: $*"
    cat "$out"
    kill -KILL -- "-$make" 2>/dev/null
    exit 1
}
# until_true WHAT COMMAND...: waits for it, for a minute at most.
until_true() {
    local what=$1 end=$((SECONDS + 60))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || complain "$what"
        sleep 0.05
    done
}
port() { sed -n 's|.*http://[^:]*:\([0-9]*\).*|\1|p' "$out" | head -n 1; }
says_port() { [ -n "$(port)" ]; }
# begin PORT: make run in the background. What it needs is built: nothing else is to build it meanwhile.
begin() {
    : >"$out"
    make --no-print-directory -o examples run PORT="$1" >"$out" 2>&1 </dev/null &
    make=$!
    until_true "it does not say where it serves" says_port
    served=$(port)
}
is_served() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
is_free() { ! is_served "$1"; }
# The group of make has no other process: neither server nor what watches over it.
is_empty() { ! kill -0 -- "-$make" 2>/dev/null; }

for signal in TERM INT KILL; do
    begin 0
    exec 3<>"/dev/tcp/127.0.0.1/$served" || complain "nothing serves at port $served"
    printf 'GET / HTTP/1.0\r\n\r\n' >&3
    IFS= read -r -t 60 line <&3
    exec 3<&- 3>&-
    case $line in "HTTP/1."?" 200 "*) ;; *) complain "it answers: $line" ;; esac
    kill "-$signal" "$make"
    until_true "SIG$signal to make leaves a server at port $served" is_free "$served"
    until_true "SIG$signal to make leaves processes" is_empty
    wait "$make" 2>/dev/null && complain "SIG$signal: make says that all went well"
done

# A port that another has.
begin 0
first=$make taken=$served
begin "$taken"
grep -q "port $taken is taken" "$out" || complain "it does not say that port $taken is taken"
[ "$served" != "$taken" ] || complain "it serves at the port of another"
kill "$first" "$make"
until_true "they do not end" is_empty
exit 0

# shellcheck shell=bash
# shellcheck disable=SC2034 # used by those who source it
# What the tests of programs share, as test.h for the C tests; `. "$(dirname "$0")/test.sh"` with the test's own
# arguments.
#
# A test is called with a directory of programs. It prints a line `ok NAME` or `not ok NAME` for each check. Exit
# status: 0 all passed, 1 not all, 77 a tool is missing. It waits for conditions, not for a time to pass; what takes
# longer than LIMIT seconds has failed.
set -u -o pipefail
export LC_ALL=C
LIMIT=30

if [ $# -ne 1 ]; then
    echo "usage: $(basename "$0") BIN_DIR" >&2
    exit 2
fi
bin=$(cd "$1" && pwd) || exit 1

# needs_programs NAME...: they have been built.
needs_programs() {
    local program
    for program; do
        [ -x "$bin/$program" ] && continue
        echo "$(basename "$0"): there is no $bin/$program: make examples builds it" >&2
        exit 1
    done
}

# needs_tools NAME...: they are installed.
needs_tools() {
    local tool
    for tool; do
        command -v "$tool" >/dev/null || { echo "$(basename "$0"): no $tool" >&2; exit 77; }
    done
}

needs_tools cmp mktemp timeout
work=$(mktemp -d) || exit 1
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

# descriptors: how many the program started last has.
descriptors() {
    local all=(/proc/"$pid"/fd/*)
    echo ${#all[@]}
}

# descriptors_are COUNT
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

# refuses PROGRAM ARGUMENTS...: exit status 2 and one line on stderr.
refuses() {
    timeout $LIMIT "$bin/$1" "${@:2}" >"$work/stdout" 2>"$work/stderr"
    local status=$?
    [ $status = 2 ] || { echo "exit status $status"; return 1; }
    [ "$(wc -l <"$work/stderr")" = 1 ] || { cat "$work/stderr"; return 1; }
    ! grep . "$work/stdout"
}

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

# all_passed: the end of a test.
all_passed() {
    [ $failures = 0 ] || { echo "# $failures checks failed"; exit 1; }
}

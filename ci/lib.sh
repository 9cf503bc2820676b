# shellcheck shell=bash
# shellcheck disable=SC2034 # used by those who source it
# Shared by the scripts of this directory; source it after `set -u -o pipefail`.
#
# A step is one test.  `step NAME COMMAND...` runs it, says PASS, FAIL (with all that it printed) or SKIP, and puts it
# on the tally.  `finish` ends a script: run by hand, it prints the tally; run by another script of ours, it leaves that
# to the caller.  Before the last line all failures stand once more, one line each.  The last line is always `N passed,
# N failed`, with `, N skipped` after it if there were any.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
cd "$root" || exit 1
export LC_ALL=C CARGO_TERM_COLOR=never

build=${CARGO_TARGET_DIR:-target}
case $build in /*) ;; *) build=$root/$build ;; esac
stage=$build/stage
logs=$build/check
mkdir -p "$logs" || exit 1
# How many things run at once, of each kind: parts of make check, and programs within one.
side_by_side=${IOEVENT_JOBS:-$(($(nproc 2>/dev/null || echo 1) + 1))}

if [ -z "${IOEVENT_TALLY:-}" ]; then
    IOEVENT_TALLY=$logs/tally.$$
    : >"$IOEVENT_TALLY"
    export IOEVENT_TALLY
    tally_owner=yes
    trap 'rm -f "$IOEVENT_TALLY"' EXIT
else
    tally_owner=no
fi

# Without pkg-config ours stands in: under that name, for whatever calls it by that name.
if ! command -v pkg-config >/dev/null; then
    mkdir -p "$build/bin" && ln -sf "$root/ci/pkg-config.sh" "$build/bin/pkg-config"
    PATH=$PATH:$build/bin
fi

# Whether this is a clone. A source tarball has no crates for Rust tests and benchmarks (ci/dist.sh).
is_clone() { [ ! -e vendor ]; }
no_crates="a source tarball has not the crates for it; a clone of the repository has"

note() { echo "---- $*"; }
# have COMMAND: it is installed (our stand-ins do not count).
have() {
    local path
    path=$(command -v "$1" 2>/dev/null) && [ "${path#"$build"/bin/}" = "$path" ]
}

# The functions that the header declares, and those that it defines.
header_functions() { sed -n '/^static /d; s/^[a-z][a-z_ ]* \**\(ioevent[a-z0-9_]*\)(.*/\1/p' include/ioevent.h | sort -u; }
header_inlines() { sed -n 's/^static [a-z_ ]* \(ioevent[a-z0-9_]*\)(.*/\1/p' include/ioevent.h | sort -u; }

# The functions of abi/libioevent.map, or of another map, with their versions: ioevent_read@@IOEVENT_0.2.
map_symbols() {
    awk '$2 == "{" { node = $1 } $1 ~ /^[a-z][a-z0-9_]*;$/ { sub(/;/, "", $1); print $1 "@@" node }' "${1:-abi/libioevent.map}"
}

# say TEXT: in one piece, whatever else runs beside this.
say() {
    {
        flock 9
        printf '%s\n' "$*"
    } 9>"$logs/said.lock"
}

# log_of NAME: where the output of a step goes.
log_of() { printf '%s/%s.log' "$logs" "$(printf '%s' "$1" | tr -c 'A-Za-z0-9._-' _)"; }

# tally pass|fail|skip COUNT [WHAT]: WHAT failed.
tally() { printf '%s %s %s\n' "$1" "$2" "${3:-}" >>"$IOEVENT_TALLY"; }

# shown LOG: all of it; or, if it is too long to read, much of its beginning and of its end.
shown() {
    local most=1000000
    if [ "$(wc -c <"$1")" -le $most ]; then
        cat "$1"
    else
        head -c $((most / 2)) "$1"
        printf '\n(... all of it: %s)\n' "$1"
        tail -c $((most / 2)) "$1"
    fi | sed 's/^/    | /'
}

# failed NAME WHY [LOG]: a test has failed; what it printed is in LOG.
failed() {
    say "FAIL  $1 ($2)${3:+; it printed:
$(shown "$3")}"
    tally fail 1 "$1 ($2)${3:+: ${3#"$root"/}}"
}

# skip NAME WHY...
skip() {
    local name=$1
    shift
    say "SKIP  $name: $*"
    tally skip 1
}

# run_logged LOG COMMAND...: for at most STEP_TIMEOUT seconds (300).
run_logged() {
    local log=$1 rc
    shift
    timeout -k 10 "${STEP_TIMEOUT:-300}" "$@" </dev/null >"$log" 2>&1
    rc=$?
    if [ $rc = 124 ] || [ $rc = 137 ]; then echo "(killed after ${STEP_TIMEOUT:-300} s)" >>"$log"; fi
    return $rc
}

# step NAME COMMAND...: exit status 0 passes, 77 skips, all else fails.  STEP_OF: "3 of 50", if it is one of many.
step() {
    local name=$1 log rc start seconds
    shift
    log=$(log_of "$name")
    start=$EPOCHREALTIME
    run_logged "$log" "$@"
    rc=$?
    seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", b - a }')
    case $rc in
    0) say "PASS  $name ($seconds)${STEP_OF:+, $STEP_OF}"; tally pass 1 ;;
    77) skip "$name" "$(tail -n 1 "$log")" ;;
    *) failed "$name" "exit status $rc, $seconds" "$log" ;;
    esac
    return $rc
}

# counted NAME STATUS LOG PASSED FAILED: several tests that one command has run.
counted() {
    local name=$1 rc=$2 log=$3 passed=$4 failed=$5
    # It did not compile, it crashed, it was killed: no line says so, but it failed.
    if [ "$rc" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
    tally pass "$passed"
    if [ "$failed" = 0 ]; then
        say "PASS  $name: $passed passed"
        return 0
    fi
    failed "$name" "$passed passed, $failed failed, exit status $rc" "$log"
    tally fail $((failed - 1))
    return 1
}

# cargo_tests NAME COMMAND...: each test that cargo reports counts as one.
cargo_tests() {
    local name=$1 log rc passed failed ignored
    shift
    log=$(log_of "$name")
    STEP_TIMEOUT=${STEP_TIMEOUT:-1800} run_logged "$log" "$@"
    rc=$?
    read -r passed failed ignored < <(awk '
        /^test result: / { p += $4; f += $6; i += $8 }
        END { print p + 0, f + 0, i + 0 }' "$log")
    if [ $rc = 0 ] && [ "$passed" = 0 ]; then
        echo "no test ran" >>"$log"
        rc=1
    fi
    tally skip "$ignored"
    counted "$name" $rc "$log" "$passed" "$failed"
}

# tap_tests NAME COMMAND...: each line `ok ...` or `not ok ...` that the command prints counts as one.
tap_tests() {
    local name=$1 log rc passed failed
    shift
    log=$(log_of "$name")
    run_logged "$log" "$@"
    rc=$?
    if [ $rc = 77 ]; then
        skip "$name" "$(tail -n 1 "$log")"
        return 77
    fi
    passed=$(grep -c '^ok ' "$log")
    failed=$(grep -c '^not ok ' "$log")
    if [ $rc = 0 ] && [ "$passed" = 0 ]; then passed=1; fi
    counted "$name" $rc "$log" "$passed" "$failed"
}

finish() {
    [ $tally_owner = yes ] || exit 0
    awk '
        { n[$1] += $2 }
        $3 != "" { if (!said++) print "---- failed:"; print "FAIL  " substr($0, length($1 $2) + 3) }
        END {
            printf "%d passed, %d failed", n["pass"], n["fail"]
            if (n["skip"]) printf ", %d skipped", n["skip"]
            print ""
            exit !(n["pass"] > 0 && n["fail"] == 0)
        }' "$IOEVENT_TALLY"
    exit $?
}

# With these Rust builds for the thread sanitizer: in $build/tsan, whoever does it.
tsan_flags="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer"

# use_stage: programs are built with the staged install, through pkg-config (cflags, libs), and run with it. Without one
# the script fails and ends.
use_stage() {
    export PKG_CONFIG_PATH=$stage/lib/pkgconfig
    export LD_LIBRARY_PATH=$stage/lib
    if ! pkg-config --exists libioevent; then
        echo "ci/$(basename "$0"): no staged install in $stage: run make stage first" >&2
        tally fail 1 "ci/$(basename "$0"): no staged install"
        finish
    fi
    read -r -a cflags < <(pkg-config --cflags libioevent)
    read -r -a libs < <(pkg-config --libs libioevent)
}

# c_program NAME [FLAG...]: builds c-tests/NAME.c as $c_tests/NAME for the staged install (after use_stage), warnings
# being errors, unless that was done since anything in c-tests/ changed.  Several scripts use the same programs, also at
# once.
c_tests=$build/c-tests-plain
c_program() {
    local program=$c_tests/${1##*/} command
    command=("${CC:-cc}" -std=gnu11 -O2 -g -Wall -Wextra -Werror "${cflags[@]}" "c-tests/$1.c" -o "$program.new"
        "${libs[@]}" "${@:2}" -pthread)
    mkdir -p "$c_tests"
    {
        flock 9
        [ "$(cat "$program.built")" = "${command[*]}" ] &&
            [ -z "$(find c-tests include ci/lib.sh -newer "$program" -print -quit)" ] ||
            { "${command[@]}" && mv -f "$program.new" "$program" && printf '%s' "${command[*]}" >"$program.built"; }
    } 9>>"$program.built"
}

# each_side_by_side FUNCTION NAME...: calls it with each of the names, as many at once as may be ($side_by_side).
each_side_by_side() {
    local name running=0
    for name in "${@:2}"; do
        if [ $running -ge "$side_by_side" ]; then
            wait -n
            running=$((running - 1))
        fi
        "$1" "$name" &
        running=$((running + 1))
    done
    wait
}

# shellcheck shell=bash
# shellcheck disable=SC2034 # used by those who source it
# Shared by the scripts of this directory; source it after `set -u -o pipefail`.
#
# A step is one test.  `step NAME COMMAND...` runs it, says PASS, FAIL (with what it printed) or SKIP, and puts it on the
# tally.  `finish` ends a script: run by hand, it prints the tally; run by another script of ours, it leaves that to the
# caller.  The last line is always `N passed, N failed`, with `, N skipped` after it if there were any.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
cd "$root" || exit 1
export LC_ALL=C CARGO_TERM_COLOR=never

# cargo as rustup installs it, for shells (CI, sudo) that do not have it in their path.
if ! command -v cargo >/dev/null; then
    for dir in "${CARGO_HOME:-${HOME:-/root}/.cargo}/bin" /usr/local/cargo/bin; do
        if [ -x "$dir/cargo" ]; then PATH=$PATH:$dir; break; fi
    done
fi

build=${CARGO_TARGET_DIR:-target}
case $build in /*) ;; *) build=$root/$build ;; esac
stage=$build/stage
logs=$build/check
mkdir -p "$logs" || exit 1

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

note() { echo "---- $*"; }
# have COMMAND: it is installed (our stand-ins do not count).
have() {
    local path
    path=$(command -v "$1" 2>/dev/null) && [ "${path#"$build"/bin/}" = "$path" ]
}

# The functions that the header declares.
header_functions() { sed -n 's/^[a-z][a-z_ ]* \**\(ioevent[a-z0-9_]*\)(.*/\1/p' include/ioevent.h | sort -u; }

# tally pass|fail|skip COUNT
tally() { echo "$1 $2" >>"$IOEVENT_TALLY"; }

# skip NAME WHY...
skip() {
    local name=$1
    shift
    echo "SKIP  $name: $*"
    tally skip 1
}

# step NAME COMMAND...: exit status 0 passes, 77 skips, all else fails.  STEP_TIMEOUT: seconds.
step() {
    local name=$1 log rc start seconds
    shift
    log=$logs/$(echo "$name" | tr -c 'A-Za-z0-9._\n-' _).log
    start=$EPOCHREALTIME
    timeout -k 10 "${STEP_TIMEOUT:-300}" "$@" </dev/null >"$log" 2>&1
    rc=$?
    seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
    case $rc in
    0) echo "PASS  $name ($seconds s)"; tally pass 1 ;;
    77) skip "$name" "$(tail -n 1 "$log")" ;;
    *)
        if [ $rc = 124 ] || [ $rc = 137 ]; then echo "(killed after ${STEP_TIMEOUT:-300} s)" >>"$log"; fi
        echo "FAIL  $name (exit status $rc, $seconds s); it printed:"
        tail -n 200 "$log" | sed 's/^/    | /'
        tally fail 1
        ;;
    esac
    return $rc
}

# cargo_tests NAME COMMAND...: each test that cargo reports counts as one.
cargo_tests() {
    local name=$1 log rc passed failed ignored
    shift
    log=$logs/$(echo "$name" | tr -c 'A-Za-z0-9._\n-' _).log
    timeout -k 10 "${STEP_TIMEOUT:-900}" "$@" </dev/null >"$log" 2>&1
    rc=$?
    read -r passed failed ignored < <(awk '
        /^test result: / { p += $4; f += $6; i += $8 }
        END { print p + 0, f + 0, i + 0 }' "$log")
    # It did not compile, it crashed, it was killed: no line says so, but it failed.
    if [ $rc != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
    if [ $rc = 0 ] && [ "$passed" = 0 ]; then
        echo "no test ran" >>"$log"
        failed=1
    fi
    if [ "$failed" != 0 ]; then
        echo "FAIL  $name: $passed passed, $failed failed (exit status $rc); it printed:"
        tail -n 300 "$log" | sed 's/^/    | /'
    else
        echo "PASS  $name: $passed passed"
    fi
    tally pass "$passed"
    tally fail "$failed"
    tally skip "$ignored"
    [ "$failed" = 0 ]
}

# tap_tests NAME COMMAND...: each line `ok ...` or `not ok ...` that the command prints counts as one.
tap_tests() {
    local name=$1 log rc passed failed
    shift
    log=$logs/$(echo "$name" | tr -c 'A-Za-z0-9._\n-' _).log
    timeout -k 10 "${STEP_TIMEOUT:-300}" "$@" </dev/null >"$log" 2>&1
    rc=$?
    if [ $rc = 77 ]; then
        skip "$name" "$(tail -n 1 "$log")"
        return 77
    fi
    passed=$(grep -c '^ok ' "$log")
    failed=$(grep -c '^not ok ' "$log")
    if [ $rc != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
    if [ $rc = 0 ] && [ "$passed" = 0 ]; then passed=1; fi
    if [ "$failed" != 0 ]; then
        echo "FAIL  $name: $passed passed, $failed failed (exit status $rc); what went wrong (all of it: $log):"
        # The lines that failed and what belongs to them, and what came last.
        { awk '/^ok /{on=0} /^not ok /{on=1} on' "$log" | head -n 150; tail -n 10 "$log"; } | sed 's/^/    | /'
    else
        echo "PASS  $name: $passed passed"
    fi
    tally pass "$passed"
    tally fail "$failed"
    [ "$failed" = 0 ]
}

finish() {
    [ $tally_owner = yes ] || exit 0
    awk '
        { n[$1] += $2 }
        END {
            printf "%d passed, %d failed", n["pass"], n["fail"]
            if (n["skip"]) printf ", %d skipped", n["skip"]
            print ""
            exit !(n["pass"] > 0 && n["fail"] == 0)
        }' "$IOEVENT_TALLY"
    exit $?
}

# use_stage: programs are built with the staged install, through pkg-config (cflags, libs), and run with it. Without one the
# script fails and ends.
use_stage() {
    export PKG_CONFIG_PATH=$stage/lib/pkgconfig
    export LD_LIBRARY_PATH=$stage/lib
    if ! pkg-config --exists libioevent; then
        echo "ci/$(basename "$0"): no staged install in $stage: run make stage first" >&2
        tally fail 1
        finish
    fi
    read -r -a cflags < <(pkg-config --cflags libioevent)
    read -r -a libs < <(pkg-config --libs libioevent)
}

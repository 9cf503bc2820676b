#!/usr/bin/env bash
# ci/posix/compare.sh FILE FUNCTION: runs FUNCTION of FILE (ci/posix/programs-*.sh) without and with libioevent_posix.so
# preloaded, each in a fresh directory of the same name, and compares what they wrote to stdout and to stderr, and their
# exit status.  A line `note: ...` is for the caller to show.  Exit status 77: the function cannot run here, and why.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=ci/posix/find.sh
. ci/posix/find.sh
file=$1
function=$2

# Other users must get there too, and paths in it must fit into the address of a Unix socket.
top=$(mktemp -d /tmp/ioevent.XXXXXX) && chmod 755 "$top" || exit 1
trap 'rm -rf "$top"; [ $tally_owner = no ] || rm -f "$IOEVENT_TALLY"' EXIT
trap 'exit 1' INT TERM

# Where other users cannot read what was built here they use a copy.
library=$stage/lib/libioevent_posix.so
[ -e "$library" ] || { echo "no $library: run make stage first"; exit 1; }
if [ "$(id -u)" = 0 ] && ! setpriv --reuid=65534 --regid=65534 --clear-groups test -r "$library"; then
    mkdir -m 755 "$top/lib" && cp "$stage"/lib/lib*.so* "$top/lib/" || exit 1
    library=$top/lib/libioevent_posix.so
fi

# run HOW LIBRARY: its output is $top/HOW.out, HOW.err, HOW.status.  They are appended to: a program that opens
# /dev/stderr has a position of its own there.
run() {
    mkdir -p "$top/run/tmp" && chmod 1777 "$top/run/tmp" && cd "$top/run" || exit 1
    env -i PATH="$programs_path" HOME="$top/run" TMPDIR="$top/run/tmp" LC_ALL=C TZ=UTC TERM=dumb SHELL=/bin/bash USER="$(id -un)" \
        OURS="$2" NOTES="$top/notes" REPOSITORY="$root" BUILD="$build" multiarch="$multiarch" python_version="$python_version" ${2:+LD_PRELOAD="$2"} \
        bash "$root/ci/posix/one.sh" "$root/$file" "$function" </dev/null >>"$top/$1.out" 2>>"$top/$1.err"
    echo "exit status $?" >"$top/$1.status"
    cd "$root" && rm -rf "$top/run"
}

run without ""
if grep -q ' 77$' "$top/without.status"; then
    tail -n 1 "$top/without.out"
    exit 77
fi
grep -q ' 0$' "$top/without.status" ||
    echo "note: without the library it fails too, with $(cat "$top/without.status"): $(tail -n 1 "$top/without.err")"
run with "$library"

status=0
for part in status out err; do
    cmp -s "$top/without.$part" "$top/with.$part" && continue
    status=1
    echo "std$part differs; without the library (-) and with it (+):" | sed 's/^stdstatus/the exit status/'
    diff -a -u "$top/without.$part" "$top/with.$part" | tail -n +3 | cut -c 1-1000 | head -n 200
done
if [ ! -s "$top/without.out" ]; then
    echo "it prints nothing, so nothing is compared"
    status=1
fi
[ ! -e "$top/notes" ] || sed 's/^/note: /' "$top/notes"
# For a person who looks what it is that is equal.
echo "with the library: $(cat "$top/with.status")"
head -c 20000 "$top/with.out"
echo "and to stderr:"
tail -c 20000 "$top/with.err"
exit $status

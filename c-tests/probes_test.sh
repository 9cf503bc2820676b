#!/usr/bin/env bash
# probes_test.sh BIN_DIR: libioevent.so has the probes of ioevent_probes(7), and what they tell gdb is right:
# rule 7.6.
# shellcheck source=c-tests/test.sh
. "$(dirname "$0")/test.sh"

needs_programs echo
needs_tools readelf ldd "${CC:-cc}" pkg-config
library=$(ldd "$bin/echo" | awk '$1 ~ /^libioevent\.so/ { print $3 }')
readelf -n "$library" >"$work/notes"

# has PROBE ARGUMENTS: there are some with this name, and all have so many arguments.
has() {
    awk -v probe="$1" -v arguments="$2" '
        $1 == "Provider:" { ours = $2 == "ioevent" }
        $1 == "Name:" { name = $2 }
        $1 == "Arguments:" && ours && name == probe { n++; if (NF - 1 != arguments) { print; bad = 1 } }
        END { exit n == 0 || bad }' "$work/notes"
}
check "submit has 3 arguments" has submit 3
check "complete has 4" has complete 4
check "harvest has 2" has harvest 2
check "full has 2" has full 2
check "takeover has 3" has takeover 3
check "wake has 1" has wake 1

# shellcheck disable=SC2046
"${CC:-cc}" -std=gnu11 -g -Wall -Wextra -Werror "$(dirname "$0")/load/probes.c" -o "$work/probes" \
    $(pkg-config --cflags --libs libioevent) || exit 1
check "the program does what it is to do" timeout $LIMIT "$work/probes" "$work/expected"

if ! command -v gdb >/dev/null; then
    echo "# no gdb: what the probes tell is not looked at"
elif ! gdb -nx -batch -ex run --args true 2>&1 | grep -q "exited normally"; then
    echo "# gdb cannot run programs here: what the probes tell is not looked at"
else
    # at PROBE FORMAT ARGUMENTS: gdb's commands to print them there.
    at() { printf 'break -probe-stap ioevent:%s\ncommands\nsilent\nprintf "probe %s %s\\n", %s\ncontinue\nend\n' "$1" "$1" "$2" "$3"; }
    {
        echo "set debuginfod enabled off"
        echo "set language c"
        echo "start"
        at submit "%d %#lx %d" "\$_probe_arg0, \$_probe_arg1, \$_probe_arg2"
        at complete "%d %#lx %d %d" "\$_probe_arg0, \$_probe_arg1, \$_probe_arg2, (unsigned long)\$_probe_arg3 >> 32"
        at harvest "%d %d" "\$_probe_arg0, \$_probe_arg1"
        at full "%d %d" "\$_probe_arg0, \$_probe_arg1"
        at wake "%d" "\$_probe_arg0"
        echo "continue"
    } >"$work/commands"
    timeout $LIMIT gdb -nx -batch -x "$work/commands" --args "$work/probes" "$work/expected" >"$work/gdb" 2>&1 </dev/null
    # In any order, and with more wake-ups: the library's own thread does some of it while gdb has the program's
    # stopped.
    awk '/^probe / && !(/^probe wake/ && woken++)' "$work/gdb" | sort >"$work/told"
    check "gdb is told what happens" diff <(sort "$work/expected") "$work/told"
    check "gdb has seen the program to its end" grep -q "exited normally" "$work/gdb"
    [ $failures = 0 ] || cat "$work/gdb"
fi

all_passed

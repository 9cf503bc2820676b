#!/usr/bin/env bash
# ioetop_test.sh BIN_DIR: the example ioetop shows the pipes of another process, the example echo, and says in one line
# why it cannot where it cannot: rule 7.7.
# shellcheck source=c-tests/test_echo.sh
. "$(dirname "$0")/test_echo.sh"

needs_programs echo ioetop
needs_tools awk

for wrong in "" "1 2" "-x 1" "-n" "-1"; do
    # shellcheck disable=SC2086
    check "ioetop $wrong: status 2" refuses ioetop $wrong
done
for wrong in abc 0 -- -5 12x 99999999999; do
    check "ioetop with the process $wrong: status 1" cannot "no number of a process" "$bin/ioetop" -- "$wrong"
done
check "ioetop -n 0: status 1" cannot "no number of times" "$bin/ioetop" -n 0 1
true & # it ends
gone_pid=$!
wait $gone_pid
check "a process that has ended" cannot "there is no process $gone_pid" "$bin/ioetop" -1 "$gone_pid"
check "a process without pipes" cannot "publishes no statistics: .* IOEVENT_STATS=1" "$bin/ioetop" -1 $$

# fields: of the last line of the last output, by the names above it: "TAKEN=1".
fields() {
    awk '/PIPE/ { n = split($0, name); next } n && NF == n { for (i = 1; i <= n; i++) line = line name[i] "=" $i "\n" }
         END { printf "%s", line }' "$work/shown"
}
# shows REGEX...: ioetop -1 shows one pipe, with each of these fields.
shows() {
    "$bin/ioetop" -1 "$pid" >"$work/shown" || return 1
    fields >"$work/fields"
    local field
    for field; do grep -qE "^$field\$" "$work/fields" || { cat "$work/shown"; return 1; }; done
}

start_server 100 "$bin/echo"
check "a server that was started without IOEVENT_STATS" cannot "publishes no statistics" "$bin/ioetop" -1 "$pid"
kill "$pid"
wait "$pid" 2>/dev/null

start_server 100 env IOEVENT_STATS=1 "$bin/echo"
exec 5<>"/dev/tcp/127.0.0.1/$port"
echo hello >&5
read -r -t $LIMIT line <&5
check "the server answers" [ "$line" = hello ]
# (start_server has connected as well, once or more.)
check "its pipe is shown: an accept and a read wait, others are done" \
    wait_for shows TAKEN=2 "MOST=[2-9]" ATTACHED=2 "ACCEPTS=[3-9]" "READS=[3-9]" WRITES=1 "EVENTS=[4-9]" FULL=0
check "it sends 1 MB back" echoes "$work/1mb.bin"
check "that is seen as well" wait_for shows TAKEN=2 "READS=[0-9]{2,}" "WRITES=[0-9]{2,}"

# Per second, as often as is asked for.
"$bin/ioetop" -n 2 "$pid" >"$work/shown" &
top=$!
started+=("$top")
wait $top
check "ioetop -n 2 ends" [ $? = 0 ]
check "it has shown two tables" [ "$(grep -c PIPE "$work/shown")" = 2 ]
check "with a line each" [ "$(grep -cE '^ +[0-9]+ ' "$work/shown")" = 2 ]

# Another user must not look; root may. Who is neither root nor may become another user has others' processes.
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
    chmod 755 "$work" && cp "$bin/ioetop" "$work/ioetop"
    check "another user's process" cannot "Permission denied" env "LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}" \
        setpriv --reuid=65534 --regid=65534 --clear-groups "$work/ioetop" -1 "$pid"
elif [ "$(id -u)" != 0 ] && [ ! -r /proc/1/fd ]; then
    check "another user's process" cannot "Permission denied" "$bin/ioetop" -1 1
fi

# The process ends meanwhile.
"$bin/ioetop" "$pid" >"$work/shown" 2>"$work/stderr" &
top=$!
started+=("$top")
check "ioetop shows it" wait_for grep -q PIPE "$work/shown"
kill "$pid"
check "ioetop ends with the process" ends_with 1 "$top"
check "and says so" grep -q "process $pid has ended" "$work/stderr"
exec 5>&-

all_passed

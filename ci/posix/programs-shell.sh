# shellcheck shell=bash
# Shells: pipes, here-documents, jobs, coprocesses, traps.  ci/posix/one.sh runs one of these functions.

program quick bash_pipes
bash_pipes() {
    numbers 2 >big
    # From its end to its beginning, through stages that end early.
    cat big | tac | tr 0-9 a-j | sort | uniq -c | tail -n 3
    yes | head -n 3
    set +o pipefail
    false | true | (exit 7) | true
    echo "${PIPESTATUS[*]}"
    set -o pipefail
    yes | head -n 1 | wc -l
    # SIGPIPE.
    seq 100000 | head -n 1
    echo "status ${PIPESTATUS[*]}"
    for i in {1..50}; do echo "$i" | cat | cat | cat; done | sum
    seq 20000 | while read -r line; do [ "${line%000}" = "$line" ] || echo "$line"; done
    (echo one; echo two >&2) 2>&1 | cat -n
    echo lost | { read -r line; echo "got $line"; } | cat | cat
    # Longer than a pipe.
    cat <<<"$(cat big)" | sum
    text=$(head -c 300000 big)
    cat <<END | sum
$text
END
    cat <<'END' | tr a-z A-Z
a quoted $here document
END
    ls /dev/fd/ >/dev/null && echo "descriptors listed"
}

program quick bash_descriptors
bash_descriptors() {
    exec 5>five 6<>six
    echo "to five" >&5
    echo "to six" >&6
    exec 5>&- 6>&-
    cat five six
    { echo closed >&5; } 2>&1
    read -r line <&6
    echo "status $?"
    exec {number}<five
    read -r -u "$number" line
    echo "$line"
    exec {number}<&-
    set -C
    { echo again >five; } 2>&1
    set +C
    exec 7>&1 1>captured
    echo "into the file"
    ls -d /nowhere 2>&1
    exec 1>&7 7>&-
    cat captured
    cat <&- 2>&1
    echo "status $?"
    echo full >/dev/full || echo "it did not fit"
    # Some hundred, and numbers that are large.
    ulimit -n 1024
    for i in $(seq 300 340); do eval "exec $i<five"; done
    read -r line <&333
    echo "$line"
    for i in $(seq 300 340); do eval "exec $i<&-"; done
    exec 1000>thousand
    echo high >&1000
    exec 1000>&-
    cat thousand
    (ulimit -n 10 && exec {a}<five {a}<five {a}<five {a}<five) 2>&1
    echo "status $?"
}

program quick bash_substitution
bash_substitution() {
    numbers 1 >big
    diff <(sort big) <(sort -r big | tac) && echo "no difference"
    paste <(seq 5) <(seq 6 10) <(seq 11 15)
    tee >(sum >one) >(wc -c >two) <big | sum
    # tee does not wait for those two.
    await test -s one && await test -s two && cat one two
    while read -r a; do echo "[$a]"; done < <(printf '%s\n' x y z)
    mapfile -t lines < <(seq 10000)
    echo "${#lines[@]} ${lines[9999]}"
    echo "$(<big)" | sum
    echo "nested $(echo "$(echo "$(echo deep)")")"
    mkfifo fifo
    cat fifo | sum &
    cat big >fifo
    wait
    # Half of it is read by the shell, byte by byte, and the rest by its child.
    { read -r line; echo "$line"; cat | wc -l; } <big
    seq 5 | { read -r line; echo "$line"; cat; }
}

program quick bash_jobs
bash_jobs() {
    set -m
    sleep 1000 &
    # Not before it is sleep: what a child of bash does with a signal before exec is chance.
    await grep -q sleep "/proc/$!/comm"
    kill -STOP %1
    stopped() { grep -q 'T (stopped)' "/proc/$!/status"; }
    await stopped
    jobs
    bg %1 2>&1
    kill %1
    wait %1 2>/dev/null
    echo "status $?"
    # fg waits for it.
    (sleep 0.2; echo "from the job"; exit 3) &
    fg %+
    echo "status $?"
    set +m
    for i in 1 2 3; do (exit $i) & done
    wait -n; a=$?
    wait -n; b=$?
    wait -n; c=$?
    echo $((a + b + c))
    for i in $(seq 100); do (exit $((i % 7))) & children[i]=$!; done
    sum=0
    for i in $(seq 100); do wait "${children[i]}"; sum=$((sum + $?)); done
    echo "100 children, sum $sum"
    { (kill -9 $BASHPID); } 2>/dev/null
    echo "status $?"
    timeout 0.2 sleep 1000
    echo "status $?"
    setsid -w bash -c 'echo "in a session of its own"; exit 4'
    echo "status $?"
    nohup echo "despite hang-ups" 2>/dev/null
}

program quick bash_coproc
bash_coproc() {
    coproc BC { while read -r a b; do echo $((a * b)); done; }
    for i in 1 2 3 400; do
        echo "$i $i" >&"${BC[1]}"
        read -r answer <&"${BC[0]}"
        echo "$i squared: $answer"
    done
    eval "exec ${BC[1]}>&-"
    wait "$BC_PID"
    echo "status $?"
    coproc cat
    numbers 1 >&"${COPROC[1]}" &
    writer=$!
    exec 8<&"${COPROC[0]}"
    eval "exec ${COPROC[1]}>&-"
    sum <&8
    wait $writer
    exec 8<&-
}

program quick bash_traps
bash_traps() {
    trap 'echo "exit trap"' EXIT
    trap 'echo "USR1"' USR1
    kill -USR1 $$
    # A signal ends a wait, and a read with a time limit goes on or is over as in bash without the library.
    sleep 1000 &
    sleeper=$!
    await grep -q sleep "/proc/$!/comm"
    (sleep 0.3; kill -USR1 $$) &
    wait $sleeper
    echo "wait: status $?"
    end $sleeper
    wait
    mkfifo fifo
    exec 3<>fifo
    read -r -t 0.1 line <&3
    echo "read: above 128: $(($? > 128))"
    read -t 0 <&3
    echo "read -t 0, nothing there: $?"
    echo word >&3
    await read -t 0 <&3
    read -r -t 60 line <&3
    echo "$? $line"
    printf 'abcdef' >&3
    read -r -n 2 line <&3; echo "$line"
    read -r -N 3 line <&3; echo "$line"
    printf 'g:' >&3
    read -r -d : line <&3; echo "$line"
    trap 'echo "CHLD"' CHLD
    /bin/true
    trap - CHLD
    trap 'echo "an error"' ERR
    false
    trap - ERR
    bash -c 'trap "echo TERM; exit 5" TERM; kill $$; sleep 1000'
    echo "status $?"
    bash -c 'trap "" PIPE; seq 1000000 2>errors; echo "$?" >&2' | head -n 1
    { bash -c 'kill -SEGV $$'; } 2>/dev/null
    echo "status $?"
    (trap 'echo "of the subshell"' EXIT)
}

program quick bash_in_a_terminal bsdutils:script
bash_in_a_terminal() {
    # Whatever has the number of a process in it is left out.
    cat >commands <<'END'
set +o history
PS1='$ '
tty >/dev/null && echo "a terminal"
sleep 1000 &
jobs | sed 's/^/job: /'
until grep -q sleep /proc/$!/comm; do sleep 0.1; done
kill %1
wait
read -r -p "name? " name
somebody
echo "it is $name"
stty -echo
stty echo
cat <<X | tr a-z A-Z
here
X
exit 9
END
    script -qec 'bash --norc --noprofile --noediting -i' /dev/null <commands >said 2>&1
    echo "status $?"
    tr -d '\r' <said | grep -aoE '(a terminal|job: |it is|HERE).*$' | grep -v '"'
}

program quick dash_script
dash_script() {
    cat >script <<'END'
f() { printf '%s,' "$@"; echo; }
f a "b c" $(seq 3)
seq 10 | while read n; do [ $((n % 2)) = 0 ] && echo $n; done
(exit 3) || echo "status $?"
cat <<X
$(uname -s) $((6 * 7))
X
exec 4>out; echo out >&4; exec 4>&-; cat out
trap 'echo bye' EXIT
{ sleep 0.1; echo later; } & wait
sh -c 'kill -9 $$'; echo "status $?"
echo 'echo evaluated' | sh
sh -s a b <<'X'
echo "$2 $1"
X
END
    dash script 2>&1
}

program quick busybox_sh busybox-static:busybox
busybox_sh() {
    # Linked statically: nothing is preloaded, and nothing is in its way.  Its own name is a symbol of no library.
    cat >script <<'END'
grep -c libioevent_posix /proc/$$/maps
seq 100 | busybox sort -r | busybox head -n 2
cat <<X | busybox tr a-z A-Z
here
X
busybox sh -c 'exit 6'; echo "status $?"
busybox dd if=/dev/zero bs=1k count=10 2>/dev/null | busybox wc -c
END
    busybox sh script 2>&1
}

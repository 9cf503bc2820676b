#!/usr/bin/env bash
# ci/posix.sh [NAME...]: the programs of c-tests/posix/ (or only those named). Each must hold three times: with libc alone
# (but for one that includes <ioevent.h>), with libioevent_posix.so preloaded, and linked to it.
#
#   NAME.c                a program; warnings are errors
#   NAME_lib.c            a library that it is linked to: before ours, after ours, and after libioevent.so
#   NAME_interposer.c     a library that is preloaded with it: alone, before ours and after ours
#   NAME_test.sh DIR      a script that says ok and not ok; DIR has the libraries
#
# make stage (or make check) must have been run before.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
use_stage
read -r -a libs < <(pkg-config --libs libioevent-posix)
ours=$stage/lib/libioevent_posix.so
bin=$build/posix-tests
export TEST_TIMEOUT=170 POSIX_LIBRARY=$ours
mkdir -p "$bin"

# compile OUTPUT ARGUMENT...
compile() {
    local log
    log=$(log_of "plain names ${1##*/}, build")
    "${CC:-cc}" -std=gnu11 -O2 -g -Wall -Wextra -Werror "${@:2}" -o "$1" >"$log" 2>&1 && return
    failed "plain names ${1##*/}" "it does not compile" "$log"
    return 1
}
# runs HOW PROGRAM PRELOADED [ARGUMENT...]: a program of $name.
runs() {
    step "plain names $name, $1" env LD_PRELOAD="$3" "$2" "${@:4}"
}

one_test() {
    local name=$1 program=$bin/$1 source=c-tests/posix/$1 other=() interposer="" all=() knows=no
    if [ -e "${source}_test.sh" ]; then
        tap_tests "plain names $name" "${source}_test.sh" "$stage/lib"
        return
    fi
    if [ -e "${source}_lib.c" ]; then
        other=("$bin/lib$name.so")
        compile "${other[0]}" "${cflags[@]}" -fPIC -shared "${source}_lib.c" || return
    fi
    if [ -e "${source}_interposer.c" ]; then
        interposer=$bin/${name}_interposer.so
        compile "$interposer" -fPIC -shared "${source}_interposer.c" || return
    fi
    # What owner is asked for.
    [ "$name" != owner ] || mapfile -t all < <(echo libioevent_posix.so && sed '/^#/d' posix/exports.txt)
    if grep -q '<ioevent.h>' "$source.c"; then
        knows=yes
        other+=("${libs[0]}" -lioevent)
    fi
    compile "$program" "${cflags[@]}" "$source.c" "${other[@]}" -pthread &&
        compile "$program-linked" "${cflags[@]}" -Wl,--as-needed "$source.c" "${libs[@]}" "${other[@]}" -pthread || return
    [ $knows = yes ] || runs "libc alone" "$program" "$interposer"
    runs "preloaded" "$program" "$ours${interposer:+ $interposer}" "${all[@]}"
    runs "linked" "$program-linked" "$interposer" "${all[@]}"
    if [ -n "$interposer" ]; then runs "preloaded after another" "$program" "$interposer $ours"; fi
    if [ -e "${source}_lib.c" ]; then
        compile "$program-behind" "${cflags[@]}" "$source.c" "${other[@]}" "${libs[@]}" -pthread &&
            runs "linked behind another" "$program-behind" ""
        compile "$program-amid" "${cflags[@]}" "$source.c" -Wl,--no-as-needed "${libs[0]}" -lioevent "${other[@]}" "${libs[@]}" -pthread &&
            runs "linked behind libioevent.so and another" "$program-amid" ""
    fi
}

tests=()
for source in c-tests/posix/*.c c-tests/posix/*_test.sh; do
    name=$(basename "$source")
    case $name in *_lib.c | *_interposer.c) continue ;; *.c) name=${name%.c} ;; *) name=${name%_test.sh} ;; esac
    [ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
    tests+=("$name")
done
[ ${#tests[@]} != 0 ] || failed "plain names" "there is nothing to run"
each_side_by_side one_test "${tests[@]}"
finish

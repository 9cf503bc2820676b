#!/usr/bin/env bash
# ci/posix-programs.sh [quick | NAME...]: programs that know nothing of the library do the same with libioevent_posix.so
# preloaded as without: what they print, what they complain of, and their exit status.  `quick`: those that take some
# seconds and are on most machines, as part of make check.  `make check-posix` calls it for all of them.  NAME: only
# those (case_of_a_name, from ci/posix/).
#
# The programs are functions in ci/posix/*.sh; ci/posix/compare.sh runs one of them both ways.  What a program misses is
# installed with apt-get (IOEVENT_NO_INSTALL=1: is not; nor for `quick`); what cannot be installed is skipped.
# make stage and make examples (or make check) must have been run before.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=ci/posix/find.sh
. ci/posix/find.sh
use_stage

# program SPEED FUNCTION [PACKAGE:COMMAND...]: a program, as ci/posix/*.sh name them.
names=()
declare -A family_of speed_of needs_of
program() {
    names+=("$2")
    family_of[$2]=$family
    speed_of[$2]=$1
    needs_of[$2]="${*:3}"
}
for file in ci/posix/programs-*.sh; do
    family=$file
    # shellcheck source=/dev/null
    . "$file"
done

case ${1:-} in
"") wanted=("${names[@]}") ;;
quick)
    wanted=()
    for name in "${names[@]}"; do [ "${speed_of[$name]}" != quick ] || wanted+=("$name"); done
    ;;
*) wanted=("$@") ;;
esac

# A package that brings a service is only installed where services are not started for it: in a container, which has a
# policy that says so.
services=" nginx openssh-server postgresql redis-server "
want=()
for name in "${wanted[@]}"; do
    for need in ${needs_of[$name]-}; do
        case $services in *" ${need%%:*} "*) [ -x /usr/sbin/policy-rc.d ] || continue ;; esac
        case " ${want[*]-} " in *" $need "*) ;; *) want+=("$need") ;; esac
    done
done
if [ "${1:-}" != quick ] && [ ${#want[@]} != 0 ]; then PATH=$programs_path ci/packages.sh "${want[@]}"; fi

# Two seconds for most; six minutes for the longest of Python's test suites, and several times that on a busy machine.
export STEP_TIMEOUT=${STEP_TIMEOUT:-1800}
one() {
    local name=$1 title="preloaded: ${1//_/ }" need missing=""
    if [ -z "${family_of[$name]-}" ]; then
        failed "$title" "there is no such program in ci/posix/"
        return
    fi
    for need in ${needs_of[$name]}; do
        there "${need#*:}" || missing+=" ${need%%:*}"
    done
    if [ -n "$missing" ]; then
        skip "$title" "not installed:$missing"
        return
    fi
    step "$title" ci/posix/compare.sh "${family_of[$name]}" "$name"
    sed -n "s/^note: /---- $title: /p" "$(log_of "$title")"
}
for name in "${wanted[@]}"; do one "$name"; done
finish

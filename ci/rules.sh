#!/usr/bin/env bash
# ci/rules.sh          each rule of doc/CONTRACT.md is shown by a test that cites it ("rule 2.4"), no test cites one that
#                      there is not, and each function of the header is in the errno matrix
# ci/rules.sh --list   for each rule, the tests that show it
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=ci/lib.sh
. ci/lib.sh
shopt -s nullglob
status=0
complain() {
    echo "ci/rules.sh: $*"
    status=1
}

tests=(c-tests/*.[ch] c-tests/*/*.[ch] c-tests/*.sh c-tests/*/*.sh tests/*.rs tests/*/*.rs)
matrix=(c-tests/errno_matrix*.[ch])

# The numbers of the rules, as they stand at the head of their paragraphs.
rules() { sed -n 's/^\*\*\([0-9]*\.[0-9]*\)\*\* .*/\1/p' doc/CONTRACT.md; }
# Lines "2.4 file", one for each rule that a file cites.
cited() {
    grep -oE 'rule [0-9]+\.[0-9]+' "${tests[@]}" | sed 's/^\([^:]*\):.*rule \(.*\)$/\2 \1/' | sort -u
}

known=$(rules)
citations=$(cited)
case ${1:-} in
"")
    [ -n "$known" ] || complain "found no rule in doc/CONTRACT.md"
    for rule in $known; do
        grep -q "^${rule/./\\.} " <<<"$citations" || complain "rule $rule is shown by no test"
    done
    while read -r rule file; do
        grep -qxF "$rule" <<<"$known" || complain "$file cites rule $rule, which there is not"
    done <<<"$citations"
    functions=$(header_functions)
    [ -n "$functions" ] || complain "found no function in include/ioevent.h"
    [ ${#matrix[@]} != 0 ] || complain "there is no c-tests/errno_matrix*.c"
    for function in $functions; do
        grep -qw "$function" "${matrix[@]}" || complain "$function is not in c-tests/errno_matrix*.c"
    done
    ;;
--list)
    for rule in $known; do
        echo "rule $rule:" $(sed -n "s/^${rule/./\\.} //p" <<<"$citations")
    done | fold -s -w 110 | sed -e '/^rule/!s/^/    /' -e 's/ $//'
    ;;
*)
    sed -n '2,4s/^# //p' "$0" >&2
    exit 2
    ;;
esac
exit $status

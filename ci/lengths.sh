#!/usr/bin/env bash
# ci/lengths.sh: no source file has more than 450 lines, but the header, which is generated, and those of
# ci/lengths.txt. Each line there is a file and how many lines it has. It may get shorter, not longer; a file that is
# short enough has to be taken out, and none may be added.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1

git ls-files -- '*.rs' '*.c' '*.h' '*.sh' '*.awk' ':!include/' | xargs wc -l |
    awk -v most=450 -v list=ci/lengths.txt '
        BEGIN { while ((getline < list) > 0) allowed[$1] = $2 }
        $2 == "total" { next }
        { lines[$2] = $1; n++ }
        $1 > most && !($2 in allowed) { print $2 ": " $1 " lines, more than " most; status = 1 }
        $2 in allowed && $1 > allowed[$2] { print $2 ": " $1 " lines, and it had " allowed[$2]; status = 1 }
        END {
            for (file in allowed) if (lines[file] <= most) { print list ": take out " file; status = 1 } else listed++
            printf "lengths: %d files, %d longer than %d lines\n", n, listed, most
            exit status || n == 0
        }'

#!/usr/bin/env bash
# ci/lengths.sh: no source file has more than 450 lines, but the header, which is generated.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1

git ls-files -- '*.rs' '*.c' '*.h' '*.sh' '*.awk' ':!include/' | xargs wc -l |
    awk -v most=450 '
        $2 == "total" { next }
        { n++ }
        $1 > most { print $2 ": " $1 " lines, more than " most; status = 1 }
        END {
            printf "lengths: %d files\n", n
            exit status || n == 0
        }'

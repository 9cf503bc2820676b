#!/usr/bin/env bash
# ci/lengths.sh: no source file has more than 450 lines, but the header, which is generated.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1

find build.rs benches c-tests ci examples examples-c posix src tests -type f \
    \( -name '*.rs' -o -name '*.c' -o -name '*.h' -o -name '*.sh' -o -name '*.awk' \) -exec wc -l {} + |
    awk -v most=450 '
        $2 == "total" { next }
        { n++ }
        $1 > most { print $2 ": " $1 " lines, more than " most; status = 1 }
        END {
            printf "lengths: %d files\n", n
            exit status || n == 0
        }'

#!/usr/bin/env bash
# ci/torture.sh [SECONDS [SEED [THREADS]]]: builds c-tests/torture.c against the staged install and runs it (600 s, a
# seed from the clock, 4 threads).  make stage must have been run before.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

export PKG_CONFIG_PATH=$stage/lib/pkgconfig
export LD_LIBRARY_PATH=$stage/lib
bin=$build/c-tests-plain
mkdir -p "$bin"
read -r -a flags < <(pkg-config --cflags --libs libioevent) || exit 1
"${CC:-cc}" -std=gnu11 -O2 -g -Wall -Wextra -Werror c-tests/torture.c -o "$bin/torture" "${flags[@]}" -pthread || exit 1
exec "$bin/torture" -s "${1:-600}" -r "${2:-$(date +%s)}" -t "${3:-4}"

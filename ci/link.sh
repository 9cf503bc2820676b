#!/usr/bin/env bash
# ci/link.sh: the header compiles alone in each language that it promises, and a program links with the staged install
# in each way that README.md names, and runs.
set -u -o pipefail
# shellcheck source=ci/lib.sh
. "$(dirname "$0")/lib.sh"

pkg_config=${PKG_CONFIG:-$(command -v pkg-config || command -v pkgconf || echo "$root/ci/pkg-config.sh")}
export PKG_CONFIG_PATH=$stage/lib/pkgconfig
work=$build/link
rm -rf "$work"
mkdir -p "$work"
strict="-Wall -Wextra -Wpedantic -Werror"

printf '#include <ioevent.h>\n' >"$work/alone.c"
cp "$work/alone.c" "$work/alone.cc"
cat >"$work/app.c" <<'END'
#include <ioevent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Queue a read, satisfy it, and read its event: each part of the library is linked in and works. */
int main(void)
{
    int ends[2], user, events = ioeventpipe(4);
    char byte = 0;
    struct ioevent event;
    if (events == -1 || pipe(ends) == -1) return 1;
    if (ioevent_fcntl(ends[0], F_SETIOEVENTPIPE, events, &user) == -1) return 2;
    if (ioevent_read(ends[0], &byte, 1) != -1 || errno != EIOEVENTQUEUED) return 3;
    if (write(ends[1], "x", 1) != 1) return 4;
    if (ioevent_read(events, &event, sizeof event) != (ssize_t)sizeof event) return 5;
    if (event.ioe_user != &user || event.ioe_result != 1 || event.ioe_errno != 0 || byte != 'x') return 6;
    if (strlen(ioevent_strerror(EIOEVENTFULL)) == 0) return 7;
    return ioevent_close(events) == 0 ? 0 : 8;
}
END

# compiles COMPILER LANGUAGE STANDARD FILE
compiles() {
    echo 'int main(void){return 0;}' | "$1" -x "$2" -std="$3" -fsyntax-only - >/dev/null 2>&1 || {
        skip "header, $1 -std=$3" "$1 does not compile that here"
        return
    }
    # shellcheck disable=SC2046,SC2086
    step "header alone, $1 -std=$3" \
        "$1" -x "$2" -std="$3" $strict $("$pkg_config" --cflags libioevent) -fsyntax-only "$work/$4"
}
for cc in gcc clang; do
    if ! have $cc; then
        skip "header with $cc" "$cc is not installed"
        continue
    fi
    compiles $cc c c99 alone.c
    compiles $cc c c11 alone.c
    compiles $cc c++ c++17 alone.cc
done

# links NAME COMMAND: builds $work/app, runs it.
links() {
    local name=$1
    shift
    # shellcheck disable=SC2016
    step "link: $name" sh -c 'rm -f "$0/app"; '"$*"' && "$0/app"' "$work"
}
for cc in gcc clang; do
    have $cc || continue
    run="$cc $strict $work/app.c -o $work/app"
    LD_LIBRARY_PATH=$stage/lib links "$cc, shared library" \
        "$run $("$pkg_config" --cflags --libs libioevent)"
    links "$cc, libioevent.a in a program with shared libc" \
        "$run $("$pkg_config" --cflags libioevent) -Wl,-Bstatic -lioevent -Wl,-Bdynamic \
            $("$pkg_config" --static --libs libioevent | sed 's/-lioevent//')"
    links "$cc, libioevent.a by its name" \
        "$run $("$pkg_config" --cflags libioevent) $("$pkg_config" --variable=libdir libioevent)/libioevent.a"
    links "$cc, wholly static" \
        "$run -static $("$pkg_config" --cflags --static --libs libioevent)"
done
# The stand-in must say what pkg-config says.
if have pkg-config; then
    for what in --cflags --libs "--static --libs" --modversion --variable=libdir; do
        # shellcheck disable=SC2086
        [ "$(pkg-config $what libioevent | xargs)" = "$(ci/pkg-config.sh $what libioevent | xargs)" ]
        step "ci/pkg-config.sh $what" test $? = 0
    done
fi
finish

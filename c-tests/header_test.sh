#!/bin/sh
# header_test.sh BIN_DIR: what is installed can be used: the header alone in C and C++, the names that the libraries
# export, SONAME, and linking through pkg-config, shared and static. Needs PKG_CONFIG_PATH to find libioevent.
# rule 1.2, rule 1.1
#
# Exit status 0: passed, 1: failed, 77: cannot run here.
#
# Words that pkg-config prints are to be split:
# shellcheck disable=SC2086,SC2046
set -u

pkg_config=${PKG_CONFIG:-$(command -v pkg-config || command -v pkgconf || echo "$(dirname "$0")/../ci/pkg-config.sh")}
bin=${1:?usage: header_test.sh BIN_DIR}
mkdir -p "$bin" || exit 1
tmp=$(mktemp -d "$bin/header.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
failures=0

fail() {
    echo "header_test: $*" >&2
    failures=$((failures + 1))
}

"$pkg_config" --exists libioevent || { echo "header_test: pkg-config does not find libioevent" >&2; exit 1; }
prefix=$("$pkg_config" --variable=prefix libioevent)
includedir=$("$pkg_config" --variable=includedir libioevent)
libdir=$("$pkg_config" --variable=libdir libioevent)
header=$includedir/ioevent.h
shared=$libdir/libioevent.so
archive=$libdir/libioevent.a
for file in "$prefix" "$header" "$shared" "$libdir/libioevent.so.0" "$archive"; do
    [ -e "$file" ] || fail "$file is missing"
done
[ $failures = 0 ] || exit 1

# ---- the header compiles alone, twice included, without any feature macro, and without any warning ----
cat >"$tmp/alone.c" <<'END'
#include <ioevent.h>
#include <ioevent.h>
#if F_SETIOEVENTPIPE != 0x494f0001 || !defined EAGAIN || !defined O_NONBLOCK
#error "what errno.h and fcntl.h have is missing"
#endif
int header_alone(ssize_t result);
int header_alone(ssize_t result) { return ioevent_queued(result); }
END
cp "$tmp/alone.c" "$tmp/alone.cc"
warnings="-Wall -Wextra -Wundef -Wconversion -Wsign-conversion -Wcast-qual -Wshadow -Wunused -Werror -fvisibility=hidden"
warnings_c="$warnings -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wbad-function-cast"
warnings_cxx="$warnings -Wold-style-cast -Wzero-as-null-pointer-constant"
includes=$("$pkg_config" --cflags libioevent)
# compiles COMPILER STANDARD FILE FLAG...: -isystem would hide warnings, so -I, as users have it.
compiles() {
    compiler=$1 standard=$2 file=$3
    shift 3
    $compiler -std="$standard" "$@" -I"$includedir" $includes -c -o "$tmp/alone.o" "$file" 2>"$tmp/compiler.log"
}
must_compile() { compiles "$@" || { fail "$1 -std=$2 $4"; cat "$tmp/compiler.log" >&2; }; }
# knows COMPILER STANDARD LANGUAGE: an older compiler does not know the newest, or by another name.
knows() { echo "int x;" | $1 -std="$2" -x "$3" -c -o "$tmp/knows.o" - 2>/dev/null; }
tried=0
for pair in gcc:g++ clang:clang++; do
    c=${pair%:*} cxx=${pair#*:}
    if command -v "$c" >/dev/null; then
        # C89 has no long long, so without -Wpedantic.
        must_compile "$c" gnu89 "$tmp/alone.c" $warnings_c
        for std in c99 gnu99 c11 gnu11 c17 c2x c23; do
            knows "$c" $std c || continue
            tried=$((tried + 1))
            for feature in -DNO_FEATURE -D_POSIX_C_SOURCE=200809L -D_XOPEN_SOURCE=700 -D_XOPEN_SOURCE -D_GNU_SOURCE; do
                must_compile "$c" $std "$tmp/alone.c" $feature -Wpedantic $warnings_c
            done
        done
    else
        echo "header_test: no $c here, left out"
    fi
    if command -v "$cxx" >/dev/null; then
        for std in c++11 c++14 c++17 c++20 c++2b c++23; do
            knows "$cxx" $std c++ || continue
            tried=$((tried + 1))
            must_compile "$cxx" $std "$tmp/alone.cc" -Wpedantic $warnings_cxx
        done
    else
        echo "header_test: no $cxx here, left out"
    fi
done
[ $tried -gt 0 ] || exit 77

# ---- what strict ISO C has no types for is not declared there, and everything else is ----
defined=$(sed -n 's/^static [a-z_ ]* \(ioevent[a-z0-9_]*\)(.*/\1/p' "$header" | sort -u)
all=$(sed -n '/^static /d; s/^[a-z][a-z_ ]* \**\(ioevent[a-z0-9_]*\)(.*/\1/p' "$header" | sort -u)
preps=$(echo "$defined" | grep '^ioevent_prep')
[ "$(echo "$all" | wc -l)" -gt 30 ] || fail "found only these functions in $header:" $all
[ "$(echo "$preps" | wc -l)" -gt 20 ] || fail "found only these in $header:" $preps
# uses NAME...: a file that needs these to be declared.
uses() {
    echo '#include <ioevent.h>'
    for name in "$@"; do
        printf 'void f_%s(void);\nvoid f_%s(void) { void (*p)(void) = (void (*)(void))%s; (void)p; }\n' \
            "$name" "$name" "$name"
    done
}
# declared COMPILER STANDARD NOT...: all functions of the header but these are
declared() {
    for_compiler=$1 for_standard=$2
    shift 2
    for name in $all $defined; do
        case " $* " in *" $name "*) ;; *) echo "$name" ;; esac
    done >"$tmp/declared"
    uses $(cat "$tmp/declared") >"$tmp/these.c"
    must_compile "$for_compiler" "$for_standard" "$tmp/these.c" -Werror
    for name in "$@"; do
        uses "$name" >"$tmp/one.c"
        ! compiles "$for_compiler" "$for_standard" "$tmp/one.c" -Werror ||
            fail "$for_compiler -std=$for_standard: $name is declared, and its types are not"
    done
}
for c in gcc clang; do
    command -v $c >/dev/null || continue
    declared $c c99 ioevent_submit ioevent_waitid $preps
    declared $c c11 ioevent_waitid ioevent_prep_waitid
    declared $c c17 ioevent_waitid ioevent_prep_waitid
    declared $c gnu99
    declared "$c -D_POSIX_C_SOURCE=200809L" c99
    declared "$c -D_GNU_SOURCE" c99
done

# ---- each kind of operation has a function that fills it, and no function is without its kind ----
sed -n 's/^#define IOEVENT_OP_\([A-Z0-9]*\) .*/ioevent_prep_\1/p' "$header" | tr 'A-Z' 'a-z' | sort >"$tmp/kinds"
echo "$preps" | grep -vx ioevent_prep | diff "$tmp/kinds" - || fail "kinds, and functions that fill them"

# ---- exported names ----
nm -D --defined-only "$shared" | awk '$2 != "A" { sub(/@.*/, "", $NF); print $NF }' | sort -u >"$tmp/exports"
[ -s "$tmp/exports" ] || fail "$shared exports nothing"
grep -v '^ioevent' "$tmp/exports" >"$tmp/foreign"
[ -s "$tmp/foreign" ] && fail "$shared exports $(tr '\n' ' ' <"$tmp/foreign")"
for name in ioeventpipe ioeventpipe2 ioevent_fcntl ioevent_read ioevent_write ioevent_readv ioevent_writev ioevent_recv \
    ioevent_recvfrom ioevent_recvmsg ioevent_send ioevent_sendto ioevent_sendmsg ioevent_accept ioevent_accept4 \
    ioevent_connect ioevent_close ioevent_wait ioevent_cancel ioevent_cancel2 ioevent_poll ioevent_strerror \
    ioevent_submit \
    ioevent_pread ioevent_pwrite ioevent_preadv ioevent_pwritev ioevent_sendfile ioevent_splice ioevent_fsync \
    ioevent_fdatasync ioevent_waitid ioevent_shutdown ioevent_dup2 ioevent_dup3 ioevent_version ioevent_version_string; do
    grep -qx "$name" "$tmp/exports" || fail "$shared does not export $name"
    grep -q "\b$name *(" "$header" || fail "$header does not declare $name"
done
# every exported name is declared
while read -r name; do
    grep -q "\b$name *(" "$header" || fail "$name is exported and not declared"
done <"$tmp/exports"
# a function of libc's name would take over every program that links it
nm -g --defined-only "$archive" 2>/dev/null | awk 'NF == 3 { print $3 }' | sort -u >"$tmp/archive"
for name in read write close fcntl fcntl64 readv writev recv recvfrom recvmsg send sendto sendmsg accept accept4 connect \
    poll pread pread64 pwrite pwrite64 preadv preadv64 pwritev pwritev64 dup2 dup3 shutdown sendfile sendfile64 splice \
    fsync fdatasync waitid; do
    grep -qx "$name" "$tmp/archive" && fail "$archive defines $name"
done

# ---- SONAME ----
soname=$(readelf -d "$shared" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')
[ "$soname" = libioevent.so.0 ] || fail "SONAME is '$soname'"

# ---- link and run ----
cat >"$tmp/user.c" <<'END'
#include <ioevent.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    int fd[2], p = ioeventpipe(1);
    char b[4];
    struct ioevent e;

    if (p == -1 || socketpair(AF_UNIX, SOCK_STREAM, 0, fd) || ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, p, (void *)b))
        return 1;
    if (!ioevent_queued(ioevent_read(fd[0], b, sizeof b)) || write(fd[1], "abc", 3) != 3)
        return 2;
    if (ioevent_wait(p, &e, 1, NULL) != 1 || e.ioe_user != b || e.ioe_result != 3)
        return 3;
    return 0;
}
END
cp "$tmp/user.c" "$tmp/user.cc"
cc=${CC:-cc}
command -v $cc >/dev/null || cc=gcc

run() {
    # a few seconds are plenty; timeout(1) answers 124
    timeout 60 "$@"
}

if $cc -o "$tmp/shared" "$tmp/user.c" $("$pkg_config" --cflags --libs libioevent); then
    readelf -d "$tmp/shared" | grep -q 'NEEDED.*libioevent\.so\.0' || fail "the program does not need libioevent.so.0"
    LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} run "$tmp/shared" || fail "shared: status $?"
else
    fail "linking through pkg-config --libs"
fi
if command -v g++ >/dev/null; then
    if g++ -o "$tmp/cxx" "$tmp/user.cc" $("$pkg_config" --cflags --libs libioevent); then
        LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} run "$tmp/cxx" || fail "C++: status $?"
    else
        fail "linking C++ through pkg-config --libs"
    fi
fi

# the library static, libc shared
static=$("$pkg_config" --static --libs libioevent | sed 's/-lioevent/-l:libioevent.a/')
if $cc -o "$tmp/half" "$tmp/user.c" $("$pkg_config" --cflags libioevent) $static; then
    readelf -d "$tmp/half" | grep -q 'NEEDED.*libioevent' && fail "the static program needs libioevent.so"
    env -u LD_LIBRARY_PATH timeout 60 "$tmp/half" || fail "static: status $?"
else
    fail "linking libioevent.a through pkg-config --static --libs"
fi

# all static, where there is a static libc
printf 'int main(void) { return 0; }\n' >"$tmp/empty.c"
if $cc -static -o "$tmp/empty" "$tmp/empty.c" 2>/dev/null; then
    if $cc -static -o "$tmp/static" "$tmp/user.c" $("$pkg_config" --static --cflags --libs libioevent); then
        env -u LD_LIBRARY_PATH timeout 60 "$tmp/static" || fail "all static: status $?"
    else
        fail "linking with -static through pkg-config --static --libs"
    fi
else
    echo "header_test: no static libc here, left out"
fi

[ $failures = 0 ]

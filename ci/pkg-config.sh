#!/bin/sh
# Stands in for pkg-config where that is not installed, for one of libioevent.pc and libioevent-posix.pc, found in
# PKG_CONFIG_PATH.  It knows --exists, --modversion, --cflags, --libs, --static and --variable=NAME.
set -u
static=no cflags=no libs=no what='' package=libioevent
for arg; do
    case $arg in
    --static) static=yes ;;
    --cflags) cflags=yes ;;
    --libs) libs=yes ;;
    --exists | --modversion | --variable=*) what=$arg ;;
    libioevent | libioevent-posix) package=$arg ;;
    *) echo "ci/pkg-config.sh: $arg: install pkg-config for that" >&2; exit 1 ;;
    esac
done
pc=
old_ifs=$IFS
IFS=:
for dir in ${PKG_CONFIG_PATH:-}; do
    if [ -f "$dir/$package.pc" ]; then pc=$dir/$package.pc; break; fi
done
IFS=$old_ifs
if [ -z "$pc" ]; then
    echo "ci/pkg-config.sh: no $package.pc in PKG_CONFIG_PATH=${PKG_CONFIG_PATH:-}" >&2
    exit 1
fi

# field NAME: a variable (NAME=) or a field (NAME:) of the file, with its variables put in
field() {
    awk -v want="$1" '
        match($0, /^[A-Za-z_.]+[=:]/) {
            name = substr($0, 1, RLENGTH - 1)
            text = substr($0, RLENGTH + 1)
            sub(/^ */, "", text)
            while (match(text, /\$\{[a-z_]+\}/))
                text = substr(text, 1, RSTART - 1) value[substr(text, RSTART + 2, RLENGTH - 3)] \
                    substr(text, RSTART + RLENGTH)
            value[name] = text
        }
        END { print value[want] }' "$pc"
}

case $what in
--exists) exit 0 ;;
--modversion) field Version; exit 0 ;;
--variable=*) field "${what#--variable=}"; exit 0 ;;
esac
out=
[ $cflags = no ] || out="$(field Cflags)"
[ $libs = no ] || out="$out $(field Libs)"
if [ $libs = yes ] && [ $static = yes ]; then out="$out $(field Libs.private)"; fi
echo "$out"

#!/bin/sh
# ci/man.sh names             every name that a page of man/ documents, and the page: "ioevent_readv ioevent_read.3"
# ci/man.sh install DIR       puts the pages below DIR, each under all the names of its NAME section
# ci/man.sh uninstall DIR     removes them
set -u
cd "$(dirname "$0")/.." || exit 1

names() {
    for page in man/*.[1-9]; do
        awk -v page="${page##*/}" '
            /^\.Sh NAME/ { on = 1; next }
            /^\.(Nd|Sh)/ { on = 0 }
            on && /^\.Nm / { print $2, page }' "$page"
    done
}

case ${1:-} in
names) names ;;
install)
    dir=${2:?directory}
    names | while read -r name page; do
        section=${page##*.}
        install -d "$dir/man$section" || exit 1
        target=$dir/man$section/$name.$section
        rm -f "$target"
        if [ "$name.$section" = "$page" ]; then cat "man/$page"; else echo ".so man$section/$page"; fi >"$target" &&
            chmod 644 "$target" || exit 1
    done
    ;;
uninstall)
    dir=${2:?directory}
    names | while read -r name page; do
        section=${page##*.}
        rm -f "$dir/man$section/$name.$section" || exit 1
    done
    ;;
*) sed -n '2,4s/^# //p' "$0" >&2; exit 2 ;;
esac

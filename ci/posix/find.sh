# shellcheck shell=bash
# shellcheck disable=SC2034 # used by those who source it
# Where the programs of ci/posix/ are looked for: what Debian installs goes before what lies in /usr/local.

programs_path=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin
for dir in /usr/lib/postgresql/*/bin; do
    if [ -d "$dir" ]; then programs_path=$programs_path:$dir; fi
done

# there COMMAND|/FILE: it is installed.
there() {
    case $1 in
    /*) [ -e "$1" ] ;;
    *) PATH=$programs_path command -v "$1" >/dev/null ;;
    esac
}

multiarch=$(uname -m)-linux-gnu

# Debian's Python: the one that the test suite in Debian's package belongs to.
python_version=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
    python_version=3.11

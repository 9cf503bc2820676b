#!/usr/bin/env bash
# ci/posix/one.sh FILE FUNCTION: runs FUNCTION of FILE in the current directory, which is empty but for tmp/.  OURS is
# the library that must be preloaded, or empty; NOTES is a file for what need not be equal and is worth a line.
# ci/posix/compare.sh calls it.
set -u -o pipefail

# loaded PID: that process has the library, or has it not, as this run is meant.
loaded() {
    if [ -n "$OURS" ]; then
        grep -q libioevent_posix "/proc/$1/maps" || { echo "process $1 runs without the library" >&2; return 1; }
    else
        ! grep -q libioevent_posix "/proc/$1/maps" || { echo "process $1 runs with the library" >&2; return 1; }
    fi
}

# cannot WHY...: nothing to compare here.
cannot() {
    echo "$*"
    exit 77
}

# free_port: a number that was free when it was asked for, and that no outgoing connection is given.
free_port() {
    perl -MIO::Socket::INET -e '
        for (1 .. 1000) {
            my $port = 10000 + int rand 20000;
            IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1", LocalPort => $port) or next;
            print $port;
            exit 0;
        }
        exit 1'
}

# await COMMAND...: until it succeeds, for at most two minutes.
await() {
    local tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 1200 ] || { echo "waited in vain: $*" >&2; return 1; }
        sleep 0.1
    done
}
# listening PORT: somebody listens there.  Without a connection, which some servers would take for their only client.
listening() { grep -qi "$(printf ':%04X 00000000:0000 0A' "$1")" /proc/net/tcp; }

# serve PORT COMMAND...: a server in the background, which is awaited there; its process is $server.
servers=()
serve() {
    "${@:2}" >>server.log 2>&1 </dev/null &
    server=$!
    servers+=("$server")
    await listening "$1" && loaded "$server" || tail -n 50 server.log >&2
}
# end PID...: ends what this script has started, without bash's report of it, which has the number of the process.
end() { { kill "$@" && wait "$@"; } 2>/dev/null || true; }
trap 'kill "${servers[@]}" 2>/dev/null' EXIT
trap 'exit 1' INT TERM

# unprivileged COMMAND...: as nobody, if we are root.
unprivileged() {
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        "$@"
    fi
}

# numbers MEGABYTES: so much text, always the same.
numbers() { seq 1000000000 2000000000 2>/dev/null | head -c "${1}M" || true; }
# sum: of what it reads.
sum() { sha256sum | cut -c 1-16; }
# others LIBRARY COMMAND...: with another library preloaded, before ours and after it.
others() {
    LD_PRELOAD="$1${OURS:+ $OURS}" "${@:2}"
    LD_PRELOAD="${OURS:+$OURS }$1" "${@:2}"
}

program() { :; }
loaded $$ || exit 99
# shellcheck source=/dev/null
. "$1"
"$2"

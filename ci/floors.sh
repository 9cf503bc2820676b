#!/usr/bin/env bash
# ci/floors.sh: there is no circle among the files of src/, and no file uses a folder above its own.
#
# Which file uses which is what ci/uses.awk says. The folders from top to bottom; a file uses its own folder and those
# under it. Files right in src/ are the Rust API, and so are those in `net`: beside ffi; `future` stands on it. `data`
# is the event, the statistics and the constants.
floors="future ffi calls engine/epoll engine state queue sync sys data"

set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C

find src -name '*.rs' ! -path src/lib.rs | sort | xargs awk -f ci/uses.awk src/lib.rs |
    awk -v floors="$floors" '
        function floor(file) {
            if (file == "src/event.rs" || file == "src/stats.rs" || file == "src/ffi/constants.rs") return rank["data"]
            gsub(/^src\/|\.rs$/, "", file)
            if (file !~ /\//) return file in rank ? rank[file] : rank["ffi"]
            while (!(file in rank)) if (!sub(/\/[^\/]*$/, "", file)) {
                wrong["no floor: src/" file] = "ci/floors.sh: it has no floor for src/" file
                return 0
            }
            return rank[file]
        }
        BEGIN {
            n = split(floors, folder, " ")
            for (i = 1; i <= n; i++) rank[folder[i]] = i
            rank["net"] = rank["ffi"]
        }
        { line[$1 " " $2] = $3; reaches[$1, $2]; files[$1]; files[$2] }
        END {
            if (NR == 0) { print "ci/floors.sh: found no file that uses another"; exit 1 }
            for (k in files) for (i in files) if ((i, k) in reaches)
                for (j in files) if ((k, j) in reaches) reaches[i, j]
            for (i in files) if ((i, i) in reaches && !(i in counted)) {
                circles++
                for (j in files) if ((i, j) in reaches && (j, i) in reaches) counted[j]
            }
            for (pair in line) {
                split(pair, file, " ")
                where = file[1] ":" line[pair] ": uses " file[2]
                if ((file[2], file[1]) in reaches) wrong["circle " pair] = where ", which uses it in turn"
                if (floor(file[2]) < floor(file[1])) wrong["upward " pair] = where ", which is on a floor above"
            }
            for (breach in wrong) { print wrong[breach] | "sort"; status = 1 }
            close("sort")
            printf "floors: %d circles\n", circles
            exit status
        }'

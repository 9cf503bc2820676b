# shellcheck shell=bash
# shellcheck disable=SC2154 # python_version, of find.sh
# Interpreters: Perl, Python with parts of its own test suite, Node, Java.  ci/posix/one.sh runs one of these functions.

scripts=${REPOSITORY-}/ci/posix/scripts

program quick perl_script perl:perl
perl_script() { perl "$scripts/everyday.pl"; }

program quick python_script python3:/usr/bin/python3
python_script() { /usr/bin/python3 "$scripts/everyday.py"; }

program slow node_script nodejs:node
node_script() { node "$scripts/everyday.js"; }

program slow java_program default-jdk-headless:javac
java_program() {
    cp "$scripts/Everyday.java" . && javac -d . Everyday.java 2>&1 && java -cp . Everyday
    echo "status $?"
    java -Xint -cp . Everyday | sum
    # A server's settings, and the garbage collectors' threads.
    java -XX:+UseParallelGC -Xmx256m -cp . Everyday | sum
    java -cp . Nothing 2>&1
    echo "status $?"
}

# suite MODULE: each test's outcome.  Some depend on time: those whose outcome is not the same with the library are run
# again, without the others, and the second outcome counts.  The run without the library leaves its outcomes beside
# NOTES.
suite() {
    local first=$NOTES.$1 ids
    # Python's own settings for its tests.
    export PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0
    /usr/bin/python3 "$scripts/python_suite.py" outcomes "$1" >said 2>&1
    echo "status $?" >>outcomes
    if [ -z "$OURS" ]; then
        cp outcomes "$first"
    elif ! cmp -s outcomes "$first"; then
        mapfile -t ids < <(diff "$first" outcomes | sed -n 's/^[<>] \(test\.[^ ]*\) .*/\1/p' | sort -u)
        diff "$first" outcomes | sed "s/^/$1, first run: /" >>"$NOTES"
        if [ ${#ids[@]} != 0 ] && [ ${#ids[@]} -le 20 ]; then
            /usr/bin/python3 "$scripts/python_suite.py" again "$1" "${ids[@]}" >again.said 2>&1
            awk 'FNR == NR { if (/^test\./) again[$1] = $0; next } $1 in again { $0 = again[$1] } { print }' again outcomes >merged
            # The status is that of the outcomes as they are now.
            grep -E -q '^test\.[^ ]* (failed|error|unexpected)' merged || sed -i 's/^status .*/status 0/' merged
            mv merged outcomes
        fi
        cmp -s outcomes "$first" || { tail -c 3000 said; cat again.said; } >&2
    fi
    cat outcomes
    rm -f outcomes again said again.said
}

suites=libpython$python_version-testsuite:/usr/lib/python$python_version/test/test_socket.py
for module in subprocess selectors epoll select asyncio signal threading socket; do
    program slow "python_test_$module" python3:/usr/bin/python3 "$suites"
    eval "python_test_$module() { suite test_$module; }"
done
# All in one process they take three times as long.
python_test_asyncio() {
    for module in /usr/lib/python"$python_version"/test/test_asyncio/test_*.py; do
        suite "test_asyncio.$(basename "$module" .py)"
    done
}

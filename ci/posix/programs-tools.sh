# shellcheck shell=bash
# Tools of programmers: git, gcc, make, strace, gdb.  ci/posix/one.sh runs one of these functions.

program quick git_repository git:git perl:perl
git_repository() {
    local i
    export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=C GIT_COMMITTER_EMAIL=c@example.org
    export GIT_CONFIG_NOSYSTEM=1 GIT_PAGER=cat GIT_MERGE_AUTOEDIT=no
    export GIT_AUTHOR_DATE="1000000000 +0000" GIT_COMMITTER_DATE="1000000000 +0000"
    git init -q -b main work && cd work || return
    numbers 1 >big
    for i in $(seq 8); do
        mkdir -p "dir$i" && seq "$i" $((i * 100)) >"dir$i/file" && echo "line $i" >>log
        git add . && git commit -q -m "Commit $i"
    done
    git log --format='%H %s' --stat | sum
    git rev-parse HEAD
    git checkout -q -b side HEAD~3 && echo side >side && git add side && git commit -q -m Side
    git merge -q -m Merged main && git rev-parse HEAD
    git rebase -q main 2>&1 && git log --oneline | head -n 2
    git tag -a -m tagged v1 && git describe
    echo changed >>log && git diff && git stash -q && git stash list && git stash pop -q && git status --short
    git checkout -q . && git grep -c 99 | sed -n 1,3p && git blame -s log | head -n 2
    cd ..
    # Over a pipe and as a bundle; with hooks; packed again.
    git clone -q "file://$PWD/work" clone && git -C clone rev-parse HEAD
    git init -q --bare hub && git -C clone push -q "file://$PWD/hub" HEAD:refs/heads/x 2>&1
    printf '#!/bin/sh\ncat >&2\n' >hub/hooks/pre-receive && chmod +x hub/hooks/pre-receive
    git -C clone push "file://$PWD/hub" HEAD~1:refs/heads/y 2>&1 | grep refs/heads/y | sed 's/ *$//'
    git -C work bundle create -q ../bundle main && git clone -q -b main bundle bundled && git -C bundled log --oneline | sum
    git -C work gc -q --aggressive --prune=now && git -C work fsck --full --strict 2>&1
    git -C work count-objects -v | grep -E 'count|in-pack|packs|garbage'
    git -C work archive main | sum
    git -C work fast-export main | git -C hub fast-import --quiet --force && git -C hub rev-parse main
    git -C clone fetch -q --all && git -C clone branch -r
    git -C nowhere log 2>&1
    echo "status $?"
}

program quick gcc_compiles gcc:gcc
gcc_compiles() {
    cat >program.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int square(int n);
static int compare(const void *a, const void *b) { return strcmp(a, b); }
int main(int argc, char **argv) {
    char lines[100][16], buffer[64];
    for (int i = 0; i < 100; i++) snprintf(lines[i], sizeof lines[i], "%d", square(i * 7 % 100));
    qsort(lines, 100, sizeof lines[0], compare);
    printf("%s %s %d\n", lines[0], lines[99], argc > 1 ? atoi(argv[1]) : 0);
    fflush(stdout);
    ssize_t n = read(0, buffer, sizeof buffer);
    if (n < 0 || write(1, buffer, (size_t)n) != n) return 2;
    return write(99, buffer, 1) == -1 ? 3 : 4;
}
END
    echo 'int square(int n) { return n * n; }' >square.c
    for flags in -O0 -O2 "-O2 -g" "-O2 -pipe -D_FORTIFY_SOURCE=2" "-O2 -flto -ffat-lto-objects -frandom-seed=1"; do
        # shellcheck disable=SC2086 # several
        gcc $flags -c program.c -o program.o && gcc $flags -c square.c -o square.o && gcc $flags program.o square.o -o program &&
            sum <program.o && sum <program && echo input | ./program 42
        echo "status $?"
    done
    gcc -S -O2 -o - program.c | sum
    gcc -E program.c | sum
    gcc -O2 -shared -fPIC square.c -o libsquare.so && gcc -O2 program.c -L. -lsquare -Wl,-rpath,"$PWD" -o program && ./program 1 </dev/null
    echo "status $?"
    ar rcsD libsquare.a square.o && gcc -static program.c libsquare.a -o static && ./static 2 <<<"static"
    echo "status $?"
    nm program.o | sum
    objdump -d program.o | sum
    gcc -c -x c - -o x.o <<<'int broken(' 2>&1
    echo "status $?"
}

program quick make_j gcc:gcc make:make
make_j() {
    local i
    for i in $(seq 24); do echo "int f$i(void) { return $i; }" >"f$i.c"; done
    {
        echo '#include <stdio.h>'
        for i in $(seq 24); do echo "int f$i(void);"; done
        echo 'int main(void) { printf("%d\n", 0'
        for i in $(seq 24); do echo "+ f$i()"; done
        echo '); return 0; }'
    } >main.c
    mkdir sub && printf 'all: $(addprefix x,1 2 3 4 5 6)\nx%%:\n\t@echo $* >$@\n' >sub/Makefile
    cat >Makefile <<'END'
program: main.o $(patsubst %,f%.o,$(shell seq 24)) | below
	$(CC) -o $@ $^
below:
	+$(MAKE) -C sub all
fails:
	false
.PHONY: below fails
END
    # What runs side by side prints in any order.
    make -j4 2>&1 | sort
    ./program && cat sub/x*
    make -j4 2>&1 | sort
    touch f3.c && make -j4 -Oline 2>&1 | grep -v sub | grep -v Nothing
    make -k -j2 fails program 2>&1 | grep -v -e sub -e Nothing | sort
    echo "status ${PIPESTATUS[0]}"
    rm f3.o && make -j4 --jobserver-style=pipe program >/dev/null 2>&1
    echo "status $?"
}

program quick strace_follows strace:strace
strace_follows() {
    local command
    strace -qq -o /dev/null true 2>/dev/null || cannot "strace may not trace here"
    echo "some text" >marker
    # Once it is loaded, not one system call more and none fewer.  Only where memory is mapped is chance.
    for command in "cat marker" "wc marker" "head -c 3 marker" "dd if=marker of=out status=none" "sort marker" "od marker" \
        "cp marker out" "perl -e open(F,q(marker));print(<F>)" "bash -c read<marker;echo;cat</dev/null|cat"; do
        echo "--- $command"
        # shellcheck disable=SC2086 # several
        strace -qq -o log -e trace='!mmap,munmap,mprotect,brk,mremap' -e signal=none -s 0 $command >said
        echo "status $?"
        # sysinfo tells how much memory is free; addresses and the numbers of processes are others each time.
        sed -n '/openat.*"marker"/,$p' log | grep -v sysinfo |
            sed -E 's/0x[0-9a-f]{6,}/ADDRESS/g; s/\<(clone|wait4|getpid)\(.*/\1/; s/si_[a-z]*=[0-9]+//g; s/[0-9]{4,7}/N/g'
    done
    seq 3000 >numbers
    strace -f -qq -o log sh -c 'cat numbers | sort -r | head -n 2' 2>&1
    grep -c '^[0-9]* *execve(' log
    sleep 1000 &
    await grep -q sleep "/proc/$!/comm"
    sleeper=$!
    strace -qq -o attached -p $sleeper 2>/dev/null &
    await grep -q 'TracerPid:.[1-9]' "/proc/$sleeper/status"
    kill $sleeper
    wait $!
    echo "status $?"
    end $sleeper
    tail -n 1 attached
}

program slow gdb_attaches gdb:gdb gcc:gcc
gdb_attaches() {
    cat >program.c <<'END'
#include <stdio.h>
#include <unistd.h>
int number = 1;
int doubled(int n) { return 2 * n; }
int main(void) {
    char byte;
    FILE *ready = fopen("ready", "w");
    fclose(ready);
    while (read(0, &byte, 1) == 1) number = doubled(number);
    printf("%d\n", number);
    return number;
}
END
    gcc -g -O0 program.c -o program
    mkfifo input
    exec 3<>input
    ./program <input 3>&- &
    program=$!
    await test -e ready
    loaded $program
    gdb -nx -q -batch -p $program -ex 'set var number = 21' -ex 'print doubled(number)' -ex 'frame function main' -ex 'print byte' \
        -ex detach </dev/null >attached 2>&1
    grep -q '^\$1 = 42' attached || cannot "gdb cannot attach here: $(tail -n 1 attached)"
    grep -E '^(\$1|[0-9]+ )' attached | tr -s '\t ' ' '
    printf xx >&3
    exec 3>&-
    exec 3<>/dev/null
    # The fifo has no writer any more.
    wait $program
    echo "status $?"
    # From its start: a breakpoint, a step over read, a watchpoint.
    printf 'abc' >bytes
    gdb -nx -q -batch -ex 'set confirm off' -ex 'set breakpoint pending on' -ex 'break doubled' -ex 'run <bytes' -ex 'print n' \
        -ex 'continue' -ex 'finish' -ex 'watch number' -ex 'continue' -ex 'print number' -ex 'delete' -ex 'continue' ./program \
        </dev/null 2>/dev/null | grep -E '^(\$|Value|Old|New|\[Inferior)' | sed 's/process [0-9]*/process N/'
    # A breakpoint at the name that the library takes over stops there too, and is called by the program.
    gdb -nx -q -batch -ex 'break main' -ex 'run <bytes' -ex 'tbreak read' -ex 'continue' -ex bt -ex 'kill' ./program </dev/null 2>/dev/null |
        sed -nE 's/^(#[01]) +(0x[0-9a-f]+ in )?(__GI___libc_)?(read|main) .*/\1 \4/p'
}

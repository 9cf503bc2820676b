# shellcheck shell=bash
# shellcheck disable=SC2154 # server, of serve; multiarch, of find.sh
# Programs that work on files: coreutils, archives, rsync, SQLite.  ci/posix/one.sh runs one of these functions.

# What both coreutils_streams and coreutils_large do, with so many megabytes.
streams() {
    numbers "$1" >big
    cat big | sum
    cat big - big </dev/null | wc
    tac big | sum
    sort -S 1M -T tmp -r big | sum
    shuf --random-source=big big | sum
    tee one two <big | sum
    cmp one two && cmp big one && echo "tee: equal"
    rm one two
    split -n 7 big part. && cat part.* | cmp - big && wc -c part.* && rm part.*
    split -l 100000 --filter='sha256sum | cut -c 1-8' big
    csplit -s -f cut. big 1000 '{3}' && wc -l cut.* && rm cut.*
    head -c 1000001 big | tail -c 999 | sum
    head -n -5 big | tail -n +7 | sum
    tail -n 3 big
    sha256sum big
    md5sum <big
    cksum big
    cut -c 3-7 big | uniq -c | head -n 100 | sum
    od -An -tx4 -w64 big | sum
    base64 big | base64 -d | cmp - big && echo "base64: equal"
    tr 0-9 5-90-4 <big | rev | fold -w 7 | sum
    # A file with holes, whose holes are found again.
    truncate -s "$1M" holes && printf 'data in the middle' | dd of=holes bs=1M seek=$(($1 / 2)) conv=notrunc status=none
    cp --sparse=always holes sparse && cmp holes sparse && stat -c '%s %b' sparse
    cp --sparse=never holes full && cmp holes full && stat -c %s full
    cp --reflink=auto big copy && cmp big copy && echo "cp: equal"
    cat big >>copy
    stat -c %s copy
    cat copy >>copy
    truncate -s 12345 copy && sum <copy
}

program quick coreutils_streams
coreutils_streams() { streams 4; }

program slow coreutils_large
coreutils_large() { streams 200; }

program quick coreutils_dd
coreutils_dd() {
    numbers 3 >big
    for conv in lcase ucase swab sync noerror,sync notrunc fdatasync fsync sparse ebcdic ascii ibm; do
        echo "conv=$conv"
        dd if=big of="out" bs=5000 conv=$conv status=noxfer 2>&1
        sum <out
    done
    printf 'a line\na longer line\nx\n' >lines
    dd if=lines cbs=10 conv=block status=noxfer 2>&1
    dd if=lines cbs=10 conv=block status=none | dd cbs=10 conv=unblock status=noxfer 2>&1
    dd if=big of=out conv=excl 2>&1
    dd if=big of=nowhere conv=nocreat 2>&1
    dd if=big of=out ibs=333 obs=4096 status=noxfer 2>&1
    cmp big out
    cat big | dd bs=100000 iflag=fullblock status=noxfer 2>&1 | sum
    dd if=big of=out bs=4096 count=100 iflag=direct oflag=direct status=noxfer 2>&1
    dd if=big bs=4096 count=100000 skip=7777 iflag=skip_bytes,count_bytes status=none | sum
    dd if=big of=out bs=1000 seek=12345 oflag=seek_bytes conv=notrunc status=none
    dd if=lines of=out oflag=append conv=notrunc status=noxfer 2>&1
    sum <out
    dd if=big of=out bs=64k count=3 oflag=dsync status=noxfer 2>&1
    dd if=big of=out bs=64k count=3 oflag=sync,nonblock iflag=nonblock,noatime status=noxfer 2>&1
    dd if=/dev/zero of=/dev/full bs=1k count=1 status=noxfer 2>&1
    dd if=/dev/zero bs=1M count=20 status=none | wc -c
    dd if=tmp of=out status=noxfer 2>&1
    dd if=/proc/self/mem bs=1 count=1 status=noxfer 2>&1
    echo "status $?"
}

program quick coreutils_others
coreutils_others() {
    mkdir tree tree/{a,b,c} && seq 1000 >tree/a/numbers && ln tree/a/numbers tree/b/hard && ln -s ../a/numbers tree/c/soft
    chmod 640 tree/a/numbers
    touch -d 2001-02-03T04:05:06 tree/a/numbers tree/b tree/a
    cp -a tree copy && find copy -printf '%p %y %m %n\n' | sort
    stat -c '%n %s %Y' copy/a/numbers
    mv copy moved && rm -r moved/b && ls -R moved
    install -D -m 711 tree/a/numbers deep/down/here && stat -c %a deep/down/here
    mkfifo fifo && (cat fifo >taken &) && cat tree/a/numbers >fifo && await cmp -s taken tree/a/numbers && echo "through a fifo"
    # What is appended is seen until the writer is gone.
    touch grows
    (for i in $(seq 20); do echo "line $i"; sleep 0.02; done >>grows) &
    tail -n +1 -f --pid=$! -s 0.05 grows
    wait
    tail -f tree/a/numbers | head -n 2
    join <(seq 1 10) <(seq 5 15 | sort) 2>/dev/null | tr '\n' ' '
    comm -12 <(seq 1 10 | sort) <(seq 5 15 | sort) | tr '\n' ' '
    echo
    seq 3 | tee /dev/full four 2>&1
    echo "status ${PIPESTATUS[*]}"
    cat four
    cat tree nowhere 2>&1
    sync tree/a/numbers && echo synced
    truncate -s 10 tree/a/numbers && cat tree/a/numbers
    shred -n 1 -u tree/a/numbers && ls tree/a
    seq 100 | xargs -P 4 -n 10 echo | sort | sum
    seq 10 | nl | expand | paste -s -d+
    printf 'b\na\n' | sort -o both - && cat both
    env -i printenv
    { yes | timeout -s KILL 0.2 cat >/dev/null; } 2>/dev/null
    echo "status ${PIPESTATUS[*]}"
}

program quick stdbuf_other
stdbuf_other() {
    # It preloads a library itself, behind the one that is there.
    seq 5 | stdbuf -oL tr 0-9 a-j
    seq 5 | stdbuf -i0 -o0 head -n 2
    { echo first; await test -e seen; echo second; } | stdbuf -oL cut -c 1-3 | { read -r line; touch seen; echo "$line"; cat; }
    others "$(find /usr/lib* -name libstdbuf.so | head -n 1)" env _STDBUF_O=L tr a-z A-Z <<<"in both orders"
}

program quick fakeroot_other fakeroot:fakeroot
fakeroot_other() {
    local library
    fakeroot bash -c 'touch file && chown 0:12 file && mknod device c 1 3 && stat -c "%n %u %g %F" file device && id -u &&
        tar cf - file device | tar tvf - | cut -c 1-20'
    library=$(find /usr/lib* -name libfakeroot-sysv.so | head -n 1)
    # In an order of its own, fakeroot preloads before ours.
    OTHER=$library fakeroot bash -c 'LD_PRELOAD="${OURS:+$OURS }$OTHER" bash -c "chown 7:8 file && stat -c %u:%g file && cat file"'
    fakeroot bash -c 'seq 100000 | sort -r | tail -n 1; exit 3'
    echo "status $?"
}

program slow faketime_other faketime:faketime
faketime_other() {
    faketime '2001-02-03 04:05:06' date +%Y-%m-%d
    faketime '2001-02-03 04:05:06' bash -c 'touch file; date -r file +%Y; echo "$(date +%Y)" | cat; read -t 0.1 < <(sleep 1); echo $?'
    others "$(find /usr/lib* -name libfaketime.so.1 | head -n 1)" env FAKETIME='@2001-02-03 04:05:06' bash -c 'date +%Y | cat'
    others "$(find /usr/lib* -name libfaketimeMT.so.1 | head -n 1)" env FAKETIME='@2001-02-03 04:05:06' perl -e 'print 1900 + (localtime)[5], "\n"'
}

program slow jemalloc_other "libjemalloc2:/usr/lib/$multiarch/libjemalloc.so.2"
jemalloc_other() {
    local library=/usr/lib/$multiarch/libjemalloc.so.2
    others "$library" bash -c 'seq 100000 | sort | sha256sum'
    others "$library" perl -e 'my %h; $h{$_} = "x" x $_ for 1 .. 5000; print scalar(keys %h), "\n"; print `echo from a child`'
    others "$library" env MALLOC_CONF=background_thread:true /usr/bin/env bash -c 'echo a | cat'
    others "$library" git --version
    others "$library" bash -c 'for i in {1..50}; do (echo $i); done | tail -n 1'
}

program quick archives xz-utils:xz
archives() {
    mkdir -p tree/{a,b,c/d}
    numbers 1 >tree/a/big
    seq 1000 >tree/c/d/seq
    ln -s ../a/big tree/b/link
    truncate -s 1M tree/b/sparse
    tar=(tar --sort=name --mtime=@1000000000 --owner=0 --group=0 --numeric-owner)
    "${tar[@]}" -cf plain.tar tree && sum <plain.tar
    "${tar[@]}" -cSf sparse.tar tree && sum <sparse.tar
    "${tar[@]}" -czf packed.tar.gz tree && gzip -dc packed.tar.gz | cmp - plain.tar && echo "gzip: equal"
    "${tar[@]}" -cJf packed.tar.xz tree && xz -dc packed.tar.xz | cmp - plain.tar && echo "xz: equal"
    "${tar[@]}" -cf - tree | xz -1 -T 2 | xz -d | (mkdir out && tar -xf - -C out) && diff -r tree out/tree && echo "unpacked: equal"
    gzip -1 <plain.tar | tee one.gz | gzip -d | sum
    gzip -t one.gz && gzip -l one.gz | wc -l
    xz -k -0 plain.tar && xz -t plain.tar.xz && ls plain.tar.xz
    tar tf packed.tar.gz
    tar -xOf packed.tar.xz tree/c/d/seq | tail -n 1
    echo more >tree/more && tar rf plain.tar tree/more && tar df plain.tar -C . && tar tf plain.tar | tail -n 1
    head -c 5000 packed.tar.gz | gzip -dc 2>&1 | tail -c 50 | sum
    tar xf one.gz -O tree/nothing 2>&1
    zcat one.gz | zgrep -c 1000000 -
}

program slow rsync_copies rsync:rsync
rsync_copies() {
    mkdir -p from/{a,b} && numbers 20 >from/a/big && seq 1000 >from/b/seq && ln -s ../a/big from/b/link
    rsync -a --out-format=%n from/ to/ && diff -r from to && echo "equal"
    printf x | dd of=from/a/big bs=1 seek=5000000 conv=notrunc status=none && rm from/b/link
    # Without -c it might take a file for the same, if it was changed within a second.
    rsync -ac --delete --no-whole-file --out-format='%o %n' from/ to/ && diff -r from to && echo "equal again"
    # By its own protocol, over pipes and over a socket.
    printf '#!/bin/sh\nshift\nexec "$@"\n' >remote && chmod +x remote
    rsync -az -e ./remote from/ host:"$PWD/piped/" && diff -r from piped && echo "piped: equal"
    printf 'use chroot = no\nuid = %s\ngid = %s\n[files]\npath = %s\nread only = no\n' "$(id -u)" "$(id -g)" "$PWD/from" >conf
    port=$(free_port)
    serve "$port" rsync --daemon --no-detach --config=conf --address=127.0.0.1 --port="$port"
    rsync -a "rsync://127.0.0.1:$port/files/" taken/ && diff -r from taken && echo "taken: equal"
    echo new >taken/new
    rsync -a taken/ "rsync://127.0.0.1:$port/files/" && cat from/new
    rsync "rsync://127.0.0.1:$port/nothing/" . >/dev/null 2>&1
    echo "status $?"
    end "$server"
}

program slow sqlite sqlite3:sqlite3
sqlite() {
    local i
    sqlite3 db 2>&1 <<'END'
create table t(a integer primary key, b text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000) insert into t select i, hex(i) from n;
create index t_b on t(b);
select count(*), sum(a), max(b) from t;
begin; update t set b = b || 'x' where a % 3 = 0; rollback;
pragma integrity_check;
vacuum;
pragma journal_mode = wal;
delete from t where a > 50000;
select count(*) from t;
.backup copy
select broken;
END
    # Writers that wait for each other.
    for i in 1 2 3 4; do
        (for j in $(seq 20); do sqlite3 -cmd '.timeout 100000' db "insert into t(b) values('w$i $j')"; done) &
    done
    wait
    sqlite3 db "select count(*) from t where b like 'w%'; pragma wal_checkpoint(truncate); pragma integrity_check;"
    sqlite3 copy .dump | sum
    sqlite3 db '.dump' | sqlite3 again && sqlite3 again 'select count(*) from t'
}

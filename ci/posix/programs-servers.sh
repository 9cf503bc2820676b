# shellcheck shell=bash
# shellcheck disable=SC2154 # server, of serve
# Servers, on loopback only, and their clients.  ci/posix/one.sh runs one of these functions.

# An httpd of ours, which uses the library by its own names, under the plain ones.
our_httpd() {
    port=$(free_port)
    mkdir -p site
    numbers 1 >site/big
    cp -r "$REPOSITORY"/examples-c/site/. site/
    serve "$port" env LD_LIBRARY_PATH="$BUILD/stage/lib" "$BUILD/examples/httpd" -p "$port" -c 500 "$@" site
    url=http://127.0.0.1:$port
}

# load URL: wrk for two seconds; how much it gets depends on time, that it gets something without an error does not.
load() {
    wrk -t 2 -c 50 -d 2 "$1" >wrk.log 2>&1
    echo "wrk: status $?"
    grep -E 'Socket errors|Non-2xx|unable|[^0-9]0 requests in' wrk.log || echo "wrk: no error"
}

program slow curl_httpd curl:curl perl:perl
curl_httpd() {
    local i
    our_httpd
    curl -sS "$url/" | sum
    curl -sS "$url/big" | sum
    curl -sS -r 1000-1999 "$url/big" | sum
    curl -sS -o /dev/null -w '%{http_code} %{size_download}\n' "$url/nothing" -o /dev/null "$url/big"
    for i in $(seq 8); do echo "url = $url/big"; echo "output = got$i"; done >list
    curl -sS --no-progress-meter -Z --parallel-max 8 -K list
    sum <got8
    cmp got1 site/big && echo equal
    curl -sS -X POST -d x -o /dev/null -w '%{http_code}\n' "$url/"
    printf 'GET / HTTP/1.0\r\n\r\n' | curl -sS "telnet://127.0.0.1:$port" 2>&1 | head -n 1 | tr -d '\r'
    curl -sS --limit-rate 4M "$url/big" | sum
    curl -sS "file://$PWD/site/big" | sum
    loaded "$server"
    end "$server"
    curl -s "$url/"
    echo "status $?"
}

program slow wrk_httpd wrk:wrk curl:curl perl:perl
wrk_httpd() {
    our_httpd -t 2
    load "$url/"
    load "$url/big"
    curl -sS "$url/big" | sum
    end "$server"
}

program slow nginx_server nginx:nginx wrk:wrk curl:curl perl:perl
nginx_server() {
    local port other site=$PWD/site i
    port=$(free_port)
    other=$(free_port)
    mkdir site logs temp && numbers 3 >site/big && echo hello >site/index.html && chmod -R a+rwX site logs temp
    {
        [ "$(id -u)" != 0 ] || echo "user nobody nogroup;"
        cat <<END
worker_processes 2;
daemon off;
pid $PWD/nginx.pid;
error_log $PWD/logs/error notice;
events { worker_connections 500; multi_accept on; }
http {
    log_format short '\$request \$status \$body_bytes_sent';
    access_log $PWD/logs/access short;
    client_body_temp_path temp/body; proxy_temp_path temp/proxy; fastcgi_temp_path temp/f; uwsgi_temp_path temp/u; scgi_temp_path temp/s;
    proxy_buffers 4 4k; client_max_body_size 20m; client_body_buffer_size 8k;
    upstream other { server 127.0.0.1:$other; keepalive 4; }
    server {
        listen 127.0.0.1:$port reuseport;
        root $site;
        location / { sendfile on; tcp_nopush on; }
        location /read/ { alias $site/; sendfile off; gzip on; gzip_types *; }
        location /pool/ { alias $site/; aio threads; directio 512k; }
        location /proxy/ { proxy_pass http://other/; proxy_http_version 1.1; proxy_set_header Connection ""; }
        location /quiet/ { access_log off; alias $site/; }
        location /quiet/read/ { access_log off; alias $site/; sendfile off; }
        location /quiet/proxy/ { access_log off; proxy_pass http://other/; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }
    server {
        listen 127.0.0.1:$other;
        access_log off;
        root $site;
        dav_methods PUT;
        location /post { return 200 "\$content_length\n"; }
    }
}
END
    } >conf
    serve "$port" nginx -p "$PWD" -c "$PWD/conf" -e "$PWD/logs/error"
    for i in / /big /read/big /pool/big /proxy/big /nothing; do curl -sS "http://127.0.0.1:$port$i" | sum; done
    curl -sS --compressed "http://127.0.0.1:$port/read/big" | sum
    curl -sS -r 5-500000 "http://127.0.0.1:$port/big" | sum
    curl -sS --data-binary @site/big "http://127.0.0.1:$port/proxy/post"
    curl -sS -T site/big "http://127.0.0.1:$port/proxy/put" -o /dev/null -w '%{http_code}\n' && cmp site/big site/put
    # A new configuration takes new workers; those before them end.
    kill -HUP "$server"
    await grep -q 'exited with code 0' logs/error
    for i in $(seq 20); do curl -sS "http://127.0.0.1:$port/index.html"; done | sum
    kill -USR1 "$server"
    for i in / /big /read/big /proxy/big; do load "http://127.0.0.1:$port/quiet$i" && curl -sS "http://127.0.0.1:$port$i" | sum; done
    loaded "$server"
    kill -QUIT "$server" && wait "$server"
    echo "status $?"
    # What two workers write at once comes in any order.
    sort logs/access | uniq -c
    grep -E '\[(alert|crit|emerg|error)\]' logs/error | sed 's/^.*\] [0-9#]*: //; s/^\*[0-9]* //; s/, client.*//'
}

program slow redis_server redis-server:redis-server redis-tools:redis-benchmark perl:perl
redis_server() {
    local port other digest settings
    port=$(free_port)
    other=$(free_port)
    mkdir one two
    settings=(--bind 127.0.0.1 --enable-debug-command yes --io-threads 2 --io-threads-do-reads yes)
    serve "$port" redis-server "${settings[@]}" --port "$port" --dir "$PWD/one" --appendonly yes --save 3600 1
    first=$server
    cli=(redis-cli -p "$port")
    "${cli[@]}" set key value && "${cli[@]}" get key && "${cli[@]}" incrby number 42
    "${cli[@]}" rpush list a b c && "${cli[@]}" lrange list 0 -1
    "${cli[@]}" eval 'for i = 1, 1000 do redis.call("zadd", "scores", i, i * 7) end return redis.call("zcard", "scores")' 0
    printf 'multi\nincr number\nincr number\nexec\n' | "${cli[@]}"
    seq 20000 | awk '{ print "set k" $1 " v" $1 }' | "${cli[@]}" --pipe | tail -n 1
    numbers 2 | "${cli[@]}" -x set big && "${cli[@]}" get big | sum
    "${cli[@]}" subscribe news >heard &
    await grep -q subscribe heard
    "${cli[@]}" publish news "something new"
    await grep -q new$ heard && end $! && cat heard
    "${cli[@]}" blpop nothing 0.1
    redis-benchmark -p "$port" -q -n 5000 -c 20 -P 3 -e --csv -t set,get,incr,lpush,rpop,sadd,hset,mset </dev/null | cut -d, -f 1
    redis-benchmark -p "$port" -q -n 5000 -c 20 --threads 2 --csv -t ping,get -d 20000 | cut -d, -f 1
    "${cli[@]}" llen mylist
    # A child writes what there is, and the other server is sent it.
    "${cli[@]}" save
    "${cli[@]}" bgrewriteaof
    digest=$("${cli[@]}" debug digest)
    serve "$other" redis-server "${settings[@]}" --port "$other" --dir "$PWD/two" --save "" --replicaof "127.0.0.1 $port"
    in_step() { redis-cli -p "$other" info replication | grep -q master_link_status:up && [ "$(redis-cli -p "$other" debug digest)" = "$digest" ]; }
    await in_step && echo "the replica is equal"
    loaded "$first" && loaded "$server"
    end "$server"
    await grep -q 'Background AOF rewrite finished successfully' server.log
    "${cli[@]}" shutdown
    wait "$first"
    echo "status $?"
    redis-check-rdb one/dump.rdb | tail -n 1
    serve "$port" redis-server "${settings[@]}" --port "$port" --dir "$PWD/one" --appendonly yes
    await eval '"${cli[@]}" ping | grep PONG'
    [ "$("${cli[@]}" debug digest)" = "$digest" ] && echo "all is there again"
    "${cli[@]}" dbsize
    # Where it was asked before it had loaded all there is one of LOADING.
    "${cli[@]}" info errorstats | grep errorstat | grep -vc LOADING
    end "$server"
}

program slow postgresql_server postgresql:initdb postgresql:pgbench perl:perl
postgresql_server() {
    local port i
    port=$(free_port)
    mkdir pg && chmod 755 . && { [ "$(id -u)" != 0 ] || chown 65534:65534 pg; }
    cd pg || return
    unprivileged initdb -D data -U pg -A trust -E UTF8 --locale=C --no-sync >initdb.log 2>&1 || { tail initdb.log; return; }
    cat >>data/postgresql.conf <<END
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$PWD'
fsync = on
max_parallel_workers_per_gather = 2
min_parallel_table_scan_size = 0
parallel_setup_cost = 0
parallel_tuple_cost = 0
log_min_messages = warning
autovacuum_naptime = 1
END
    start() {
        # As nobody, who writes his own log.
        unprivileged pg_ctl -D data -l pg.log -w -t 120 start >/dev/null || tail -n 20 pg.log
        postmaster=$(head -n 1 data/postmaster.pid)
        servers+=("$postmaster")
        loaded "$postmaster"
    }
    start
    query=(psql -X -q -A -t -h 127.0.0.1 -p "$port" -U pg)
    "${query[@]}" -d postgres 2>&1 <<'END'
create table t(a int primary key, b text);
insert into t select i, md5(i::text) from generate_series(1, 50000) i;
select count(*), sum(a), max(b) from t where b like '%a%';
begin; delete from t; rollback;
select count(*) from t;
\copy t to 'copied'
create table u(like t);
\copy u from 'copied'
select count(*) from u join t using (a);
select a from u order by b limit 3;
create index on u(b);
explain (costs off) select sum(a) from t;
set work_mem = '64kB';
select md5(string_agg(b, '' order by b desc)) from u;
listen news;
select pg_sleep(0.05);
set statement_timeout = 100;
select pg_sleep(100);
reset statement_timeout;
copy (select 'by a program') to program 'cat';
select 1 / 0;
create database bench;
END
    sum <copied
    "${query[@]}" -h "$PWD" -d postgres -c 'select count(*) from u'
    pgbench -h 127.0.0.1 -p "$port" -U pg -i -q -s 2 bench >/dev/null 2>&1
    echo "pgbench -i: status $?"
    for i in simple extended prepared; do
        pgbench -h 127.0.0.1 -p "$port" -U pg -n -c 8 -j 2 -t 50 -M $i bench 2>&1 | grep -E 'actually processed|failed'
    done
    pgbench -h "$PWD" -p "$port" -U pg -n -S -C -c 4 -j 2 -t 30 bench 2>&1 | grep -E 'actually processed|failed'
    # What is on the accounts is what the history says.
    "${query[@]}" -d bench -c 'select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history),
        (select sum(bbalance) from pgbench_branches) = (select sum(delta) from pgbench_history), count(*) from pgbench_history'
    # Each dump has a key of its own, by chance.
    pg_dump -h 127.0.0.1 -p "$port" -U pg postgres | grep -v restrict | sum
    pg_dump -h 127.0.0.1 -p "$port" -U pg -Fc -f dump postgres && "${query[@]}" -d postgres -c 'create database again' &&
        pg_restore -h 127.0.0.1 -p "$port" -U pg -j 2 -d again dump && "${query[@]}" -d again -c 'select count(*), sum(a) from t'
    # It dies, and recovers.
    unprivileged pg_ctl -D data -m immediate -w stop >/dev/null
    start
    "${query[@]}" -d bench -c 'select count(*) from pgbench_history' -c vacuum -c checkpoint
    grep -cE 'PANIC|FATAL' pg.log
    unprivileged pg_ctl -D data -m fast -w stop >/dev/null
    echo "status $?"
}

program slow ssh_server openssh-server:sshd openssh-client:ssh perl:perl
ssh_server() {
    local port forwarded echo
    port=$(free_port)
    forwarded=$(free_port)
    echo=$(free_port)
    ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f user && cp user.pub authorized
    # Where a service would have made it.
    [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
    cat >conf <<END
ListenAddress 127.0.0.1
Port $port
HostKey $PWD/host
AuthorizedKeysFile $PWD/authorized
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
LogLevel VERBOSE
END
    # Its child that speaks to a client nobody knows yet is killed for a system call that is not on its list.
    serve "$port" /usr/sbin/sshd -D -e -f "$PWD/conf"
    options=(-F none -i user -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile="$PWD/known" -o LogLevel=ERROR)
    remote=("$(id -un)@127.0.0.1")
    numbers 5 >big
    ssh "${options[@]}" -p "$port" "${remote[@]}" 'echo by ssh; echo error >&2; exit 5'
    echo "status $?"
    ssh "${options[@]}" -p "$port" "${remote[@]}" 'cat' <big | sum
    ssh "${options[@]}" -C -c aes128-ctr -p "$port" "${remote[@]}" 'sha256sum' <big | cut -c 1-16
    ssh "${options[@]}" -tt -p "$port" "${remote[@]}" 'test -t 0 && echo a terminal' </dev/null | tr -d '\r'
    ssh "${options[@]}" -p "$port" "${remote[@]}" 'kill -9 $$' 2>/dev/null
    echo "status $?"
    for i in $(seq 10); do ssh "${options[@]}" -p "$port" "${remote[@]}" "echo $i" & done | sort -n | tr '\n' ' '
    echo
    scp -q "${options[@]}" -P "$port" big "${remote[0]}:$PWD/by_scp" && cmp big by_scp && echo "scp: equal"
    printf 'put big by_sftp\nget by_sftp back\nrename by_sftp renamed\nls -1 renamed\n' >orders
    # sftp begins in the home directory.
    sed -i "s|by_sftp|$PWD/by_sftp|g; s|renamed|$PWD/renamed|g" orders
    sftp -q -b orders "${options[@]}" -P "$port" "${remote[0]}" >/dev/null && cmp back renamed && echo "sftp: equal"
    # Through a tunnel to itself.
    ssh "${options[@]}" -N -L "127.0.0.1:$forwarded:127.0.0.1:$port" -p "$port" "${remote[@]}" &
    tunnel=$!
    servers+=("$tunnel")
    await listening "$forwarded"
    ssh "${options[@]}" -p "$forwarded" "${remote[@]}" 'cat' <big | sum
    end $tunnel
    mv authorized no_longer
    ssh "${options[@]}" -p "$port" "${remote[@]}" true 2>&1 | sed 's/.*: //'
    loaded "$server"
    end "$server"
    grep -ciE 'fatal|sandbox|segmentation' server.log
    grep -c 'Accepted publickey' server.log
}

program slow openssl_tls openssl:openssl curl:curl perl:perl
openssl_tls() {
    local port
    openssl req -x509 -newkey rsa:2048 -nodes -keyout key -out cert -days 2 -subj /CN=localhost >/dev/null 2>&1
    numbers 2 >big
    port=$(free_port)
    serve "$port" openssl s_server -accept "127.0.0.1:$port" -cert cert -key key -WWW
    for i in 1 2 3; do curl -sS -k "https://127.0.0.1:$port/big" | sum; done
    curl -sS --cacert cert --resolve "localhost:$port:127.0.0.1" "https://localhost:$port/big" -o got -w '%{http_code} %{ssl_verify_result}\n'
    curl -sS "https://127.0.0.1:$port/big" 2>&1 | head -n 1
    printf 'GET /big HTTP/1.0\r\n\r\n' | openssl s_client -quiet -connect "127.0.0.1:$port" 2>/dev/null | sum
    end "$server"
    port=$(free_port)
    serve "$port" openssl s_server -accept "127.0.0.1:$port" -cert cert -key key -rev
    printf 'hello\nCLOSE\n' | openssl s_client -quiet -tls1_3 -connect "127.0.0.1:$port" 2>/dev/null
    printf 'again\nCLOSE\n' | openssl s_client -quiet -tls1_2 -connect "127.0.0.1:$port" 2>/dev/null
    end "$server"
    openssl enc -aes-256-cbc -pbkdf2 -nosalt -k word -in big | tee packed | sum
    openssl enc -d -aes-256-cbc -pbkdf2 -nosalt -k word <packed | cmp - big && echo "decrypted: equal"
    openssl dgst -sha256 big
    openssl rand 100000 | wc -c
}

program slow socat_relays socat:socat perl:perl
socat_relays() {
    local port other i
    port=$(free_port)
    other=$(free_port)
    numbers 3 >big
    serve "$port" socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork" EXEC:cat
    echo=$server
    serve "$other" socat "TCP-LISTEN:$other,bind=127.0.0.1,reuseaddr,fork" "TCP:127.0.0.1:$port"
    for i in $(seq 5); do socat -t 60 - "TCP:127.0.0.1:$other" <big | sum; done
    socat -u FILE:big UNIX-LISTEN:local &
    await test -S local
    socat -u UNIX-CONNECT:local - | sum
    wait $!
    socat -u FILE:big PIPE:named &
    await test -p named
    sum <named
    wait $!
    echo "to a shell" | socat -t 60 - SYSTEM:'tr a-z A-Z'
    socat -t 60 - EXEC:'echo in a terminal',pty,rawer </dev/null | tr -d '\r'
    end "$server" "$echo"
    socat -u "TCP:127.0.0.1:$port" - 2>&1 | sed 's/.*: //'
    echo "status ${PIPESTATUS[0]}"
}

program slow nc_talks netcat-openbsd:nc.openbsd perl:perl
nc_talks() {
    local port
    numbers 3 >big
    port=$(free_port)
    # One direction at a time: it need not wait for the other when one is at its end.
    nc.openbsd -l 127.0.0.1 "$port" >came &
    await listening "$port"
    loaded $!
    seq 100000 | nc.openbsd -N 127.0.0.1 "$port"
    wait $!
    echo "status $?"
    sum <came
    nc.openbsd -lN 127.0.0.1 "$port" <big >/dev/null &
    await listening "$port"
    nc.openbsd -d 127.0.0.1 "$port" | sum
    wait $!
    echo "status $?"
    nc.openbsd -lU local >came &
    await test -S local
    nc.openbsd -NU local <big
    wait $!
    cmp came big && echo equal
    nc.openbsd -z 127.0.0.1 "$port"
    echo "status $?"
}

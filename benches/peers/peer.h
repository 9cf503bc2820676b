/* What the peers share, and what no figure includes: options, the listening socket, the line "ready", the end on
 * SIGTERM; and for the chains their ring of socket pairs. To be included first. */
#ifndef PEER_H
#define PEER_H

#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- echo_NAME [-t THREADS] [-s BUFFER_BYTES] PORT ---- */

/* Where a connection has a time limit, it is so many seconds. None expires while it is measured. */
enum { PEER_LIMIT = 30 };

struct peer_options { int port, threads; size_t buffer; };

static inline int peer_number(const char *text, int least, int most)
{
    char *rest;
    long number = strtol(text, &rest, 10);
    if (*text == '\0' || *rest != '\0' || number < least || number > most)
        errx(2, "%s: not a number from %d to %d", text, least, most);
    return number;
}

static inline void peer_end(int signal)
{
    (void)signal;
    _exit(0);
}

/* As many descriptors as we may have; SIGTERM ends us at once; a peer that is gone is an error of send, no signal. */
static inline void peer_settle(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    signal(SIGTERM, peer_end);
    signal(SIGPIPE, SIG_IGN);
}

enum peer_threads { PEER_ONE_THREAD, PEER_THREADS };

static inline struct peer_options peer_options(int argc, char **argv, enum peer_threads threads)
{
    struct peer_options o = {.threads = 1, .buffer = 64};
    for (int letter; (letter = getopt(argc, argv, threads == PEER_THREADS ? "t:s:" : "s:")) != -1;) {
        if (letter == 't')
            o.threads = peer_number(optarg, 1, 1024);
        else if (letter == 's')
            o.buffer = peer_number(optarg, 1, 1 << 30);
        else
            exit(2); /* getopt has said why */
    }
    if (optind != argc - 1)
        errx(2, "usage: %s %s[-s BUFFER_BYTES] PORT", argv[0], threads == PEER_THREADS ? "[-t THREADS] " : "");
    o.port = peer_number(argv[optind], 1, 65535);
    peer_settle();
    return o;
}

/* A listening socket. What is accepted from it inherits TCP_NODELAY. */
static inline int peer_listen(int port)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    if (listener == -1 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == -1 ||
        setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes) == -1 ||
        bind(listener, (struct sockaddr *)&here, sizeof here) == -1 || listen(listener, 4096) == -1)
        err(1, "port %d", port);
    return listener;
}

static inline void peer_ready(void)
{
    puts("ready");
    fflush(stdout);
}

/* ---- chain_NAME -n PAIRS -a ACTIVE -w WRITES -r ROUNDS ---- */

/* The chain that libevent and libev were compared with. A round puts a byte into ACTIVE of the pairs, evenly spread;
 * who reads a byte writes one into the next pair, WRITES times in all; the round is over when each byte was read. */
struct chain {
    int pairs, active, writes, rounds;
    int (*pair)[2];        /* read from [0], written to [1] */
    int to_write, to_read; /* in this round, still */
    struct timespec begin;
};

static inline struct chain chain_options(int argc, char **argv)
{
    struct chain c = {.pairs = 0};
    for (int letter; (letter = getopt(argc, argv, "n:a:w:r:")) != -1;) {
        if (letter == '?')
            exit(2);
        int *number = letter == 'n' ? &c.pairs : letter == 'a' ? &c.active : letter == 'w' ? &c.writes : &c.rounds;
        *number = peer_number(optarg, letter == 'w' ? 0 : 1, 1 << 30);
    }
    if (optind != argc || c.active < 1 || c.active > c.pairs || c.rounds < 1)
        errx(2, "usage: %s -n PAIRS -a ACTIVE -w WRITES -r ROUNDS; ACTIVE is at most PAIRS", argv[0]);
    peer_settle();
    c.pair = calloc(c.pairs, sizeof *c.pair);
    for (int i = 0; i < c.pairs; i++)
        if (c.pair == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, c.pair[i]) == -1)
            err(1, "%d socket pairs", c.pairs);
    return c;
}

static inline void chain_write(struct chain *c, int index)
{
    if (send(c->pair[index][1], "e", 1, MSG_NOSIGNAL) != 1)
        err(1, "write");
}

/* Begins a round. The clock starts after the first ACTIVE writes, as it always did in this benchmark. */
static inline void chain_begin(struct chain *c)
{
    for (int i = 0; i < c->active; i++)
        chain_write(c, i * (c->pairs / c->active));
    c->to_write = c->writes;
    c->to_read = c->active + c->writes;
    clock_gettime(CLOCK_MONOTONIC, &c->begin);
}

/* A byte was read from a pair: hands it on. The round is over when to_read is 0. */
static inline void chain_pass(struct chain *c, int index)
{
    c->to_read--;
    if (c->to_write > 0) {
        c->to_write--;
        chain_write(c, index + 1 == c->pairs ? 0 : index + 1);
    }
}

static inline void chain_end(const struct chain *c)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%lld %d\n", (end.tv_sec - c->begin.tv_sec) * 1000000000LL + end.tv_nsec - c->begin.tv_nsec,
           c->active + c->writes);
}

#endif

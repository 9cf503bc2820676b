/* httpd: an HTTP/1.1 server for the files below a directory.
 *
 * Shows a whole server on one ioevent pipe: several worker threads harvest it, connections have one operation
 * outstanding at a time and need no lock, timeouts come from a timerfd and SIGINT and SIGTERM from a signalfd that are
 * attached to the same pipe, and threads are ended by a posted event. This file reads the arguments and runs the
 * threads. httpd/server.c accepts, sweeps and stops; httpd/connection.c is the life of a connection: all calls of
 * libioevent are in these two. The other files know HTTP, and nothing of libioevent. */
#define _GNU_SOURCE 1
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "httpd/server.h"

enum { WRONG_ARGUMENTS = 2, THREADS_MAX = 256, CONNECTIONS = 10000 };

static const char usage[] =
    "usage: httpd [-l] [-a address] [-p port] [-t threads] [-c connections] [-T seconds] DIRECTORY";

static const char help[] =
    "Serves the files below DIRECTORY over HTTP/1.1.\n"
    "  -a address      listen on this numeric address (127.0.0.1)\n"
    "  -p port         listen on this port, 0 for any free one (8080)\n"
    "  -t threads      number of worker threads (one for each processor)\n"
    "  -c connections  serve so many at a time, answer others 503 (10000, or what the limit of open files allows)\n"
    "  -T seconds      for all timeouts (20 to send a request, 75 between requests, 75 for a response that stalls)\n"
    "  -l              write a line for each request to standard output, in the Common Log Format\n"
    "  -h              print this\n";

struct options {
    int threads;
    struct settings settings;
};

static int parse_number(char option, const char *text, int least, int most)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || number < least || number > most)
        errx(WRONG_ARGUMENTS, "-%c takes a number from %d to %d, not \"%s\"", option, least, most, text);
    return (int)number;
}

static void parse_address(struct settings *settings)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (getaddrinfo(settings->host, settings->port, &hints, &found) != 0)
        errx(WRONG_ARGUMENTS, "-a takes a numeric address, not \"%s\"", settings->host);
    memcpy(&settings->address, found->ai_addr, found->ai_addrlen);
    settings->address_length = found->ai_addrlen;
    freeaddrinfo(found);
}

static int processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > THREADS_MAX ? THREADS_MAX : (int)count;
}

static struct options parse_options(int argc, char **argv)
{
    struct options options = {
        .threads = processors(),
        .settings = {
            .host = "127.0.0.1",
            .port = "8080",
            .request_seconds = 20,
            .idle_seconds = 75,
            .stall_seconds = 75,
        },
    };
    struct settings *settings = &options.settings;
    int option;
    while ((option = getopt(argc, argv, ":a:p:t:c:T:lh")) != -1) {
        switch (option) {
        case 'a': settings->host = optarg; break;
        case 'p':
            parse_number('p', optarg, 0, 65535);
            settings->port = optarg;
            break;
        case 't': options.threads = parse_number('t', optarg, 1, THREADS_MAX); break;
        case 'c': settings->connections = parse_number('c', optarg, 1, 1000000); break;
        case 'T':
            settings->request_seconds = settings->idle_seconds = settings->stall_seconds =
                parse_number('T', optarg, 1, 86400);
            break;
        case 'l': settings->log = true; break;
        case 'h': printf("%s\n%s", usage, help); exit(0);
        case ':': errx(WRONG_ARGUMENTS, "-%c needs an argument; %s", optopt, usage);
        default: errx(WRONG_ARGUMENTS, "there is no option -%c; %s", optopt, usage);
        }
    }
    if (argc - optind != 1)
        errx(WRONG_ARGUMENTS, "%s", usage);
    settings->directory = argv[optind];
    parse_address(settings);
    return options;
}

/* Raises the limit of open files to what the connections need. Most of them are idle, so that one file in four is
 * enough; a request that finds no descriptor left is answered 503. */
static void provide_descriptors(struct settings *settings)
{
    const rlim_t others = 200; /* our own, and those that are being turned away */
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        err(1, "getrlimit");
    rlim_t allowed = limit.rlim_max > others ? (limit.rlim_max - others) / 5 * 4 : 0;
    int wanted = settings->connections > 0 ? settings->connections : CONNECTIONS;
    if (allowed < (rlim_t)wanted) {
        if (settings->connections > 0 || allowed == 0)
            errx(1, "the limit of %llu open files is too low for %d connections",
                 (unsigned long long)limit.rlim_max, wanted);
        wanted = (int)allowed;
    }
    settings->connections = wanted;
    rlim_t needed = (rlim_t)wanted + (rlim_t)wanted / 4 + others;
    if (limit.rlim_cur < needed) {
        limit.rlim_cur = needed < limit.rlim_max ? needed : limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
            err(1, "cannot raise the limit of open files");
    }
}

static void *work(void *server)
{
    server_work(server);
    return NULL;
}

/* Runs the workers, of which this thread is one, until they have stopped. */
static void run(struct server *server, int threads)
{
    pthread_t others[THREADS_MAX];
    for (int i = 1; i < threads; i++) {
        int problem = pthread_create(&others[i], NULL, work, server);
        if (problem != 0) {
            errno = problem;
            err(1, "cannot start a thread");
        }
    }
    server_work(server);
    for (int i = 1; i < threads; i++)
        pthread_join(others[i], NULL);
}

int main(int argc, char **argv)
{
    struct options options = parse_options(argc, argv);
    provide_descriptors(&options.settings);

    struct server server;
    if (!server_open(&server, &options.settings)) {
        server_close(&server);
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* who reads the log through a pipe sees each line at once */
    bool ipv6 = options.settings.address.ss_family == AF_INET6;
    printf("serving %s on http://%s%s%s:%d/\n", options.settings.directory, ipv6 ? "[" : "", options.settings.host,
           ipv6 ? "]" : "", server_port(&server));

    run(&server, options.threads);
    server_close(&server);
    return 0;
}

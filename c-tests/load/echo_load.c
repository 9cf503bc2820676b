/*
 * echo_load PORT CONNECTIONS HELD: clients of an echo server, all at once, which compare every byte that comes back.
 *
 * Each first sends one byte. When HELD of them have it back, all go on, each in the way of its number: small pieces and
 * large ones, with a half-close at the end; a half-close at once; slow readers; connections that are reset. Prints how
 * many bytes came back to those that are not reset, which is the same in every run. Exit status 1: something was wrong.
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT = 60, PIECE = 65536, SLOW_PIECE = 3000 };

/* What a connection does after its first byte. */
enum way { SMALL, LARGE, HALF_CLOSE, SLOW, RESET, WAYS };
static const long total_of[WAYS] = { 1500, 400000, 1, 150000, 100000 };

struct client {
    int number, fd;
    enum way way;
    long sent, received; /* bytes */
    int shut;
};

static struct client *clients;
static int count, held, first_back; /* first_back: how many have their first byte */
static long long came_back;

__attribute__((noreturn, format(printf, 2, 3)))
static void fail(const struct client *c, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "echo_load: client %d, way %d, sent %ld, received %ld: ", c->number, c->way, c->sent, c->received);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    _exit(1);
}

/* The byte at a place of the stream of one client: no two streams, and no two parts of one, are alike. */
static unsigned char byte_at(const struct client *c, long place)
{
    unsigned long x = (unsigned long)c->number * 0x9e3779b97f4a7c15 + (unsigned long)place * 0xd1342543de82ef95;

    return (unsigned char)((x ^ x >> 29) * 0xbf58476d1ce4e5b9 >> 56);
}

static void open_client(struct client *c, int number, int port)
{
    struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    *c = (struct client){ .number = number, .way = number % WAYS };
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd == -1 || (connect(c->fd, (struct sockaddr *)&there, sizeof there) == -1 && errno != EINPROGRESS))
        fail(c, "connect: %s", strerror(errno));
}

/* How many bytes it may have sent by now. */
static long may_have_sent(const struct client *c)
{
    if (first_back < held)
        return 1;
    if (c->way == SMALL && c->received < c->sent)
        return c->sent; /* it waits for its last piece */
    return total_of[c->way];
}

/* Whether it is time for its half-close. */
static int must_shut(const struct client *c)
{
    return c->sent == total_of[c->way] && !c->shut && first_back >= held && c->way != RESET;
}

static void send_some(struct client *c)
{
    static unsigned char piece[PIECE];
    long most = c->way == SMALL ? 1 + c->sent % 97 : PIECE, left = may_have_sent(c) - c->sent;
    long size = left < most ? left : most;

    for (long i = 0; i < size; i++)
        piece[i] = byte_at(c, c->sent + i);
    if (size > 0) {
        ssize_t n = send(c->fd, piece, (size_t)size, MSG_NOSIGNAL);

        if (n == -1 && errno != EAGAIN)
            fail(c, "send: %s", strerror(errno));
        c->sent += n > 0 ? n : 0;
    }
    if (must_shut(c)) {
        if (shutdown(c->fd, SHUT_WR) == -1)
            fail(c, "shutdown: %s", strerror(errno));
        c->shut = 1;
    }
}

static void end_client(struct client *c)
{
    const struct linger at_once = { .l_onoff = 1 };

    if (c->way == RESET && c->number % 2) /* the others are reset because there are bytes that they have not read */
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (c->way != RESET)
        came_back += c->received;
    close(c->fd);
    c->fd = -1;
}

static void receive_some(struct client *c)
{
    static unsigned char piece[PIECE];
    size_t most = c->received == 0 ? 1 : c->way == SLOW ? SLOW_PIECE : PIECE;
    ssize_t n = recv(c->fd, piece, most, 0);

    if (n == -1 && errno == EAGAIN)
        return;
    if (n == -1)
        fail(c, "recv: %s", strerror(errno));
    if (n == 0 && (!c->shut || c->received != c->sent))
        fail(c, "end of file too early");
    for (ssize_t i = 0; i < n; i++)
        if (piece[i] != byte_at(c, c->received + i))
            fail(c, "byte %ld came back changed", c->received + i);
    if (c->received == 0)
        first_back++;
    c->received += n;
    if (n == 0 || (c->way == RESET && c->sent > total_of[RESET] / 2 && c->received > total_of[RESET] / 4))
        end_client(c);
}

static int number(const char *text, int most)
{
    char *rest;
    long n = strtol(text, &rest, 10);

    if (*rest != '\0' || n < 1 || n > most) {
        fprintf(stderr, "echo_load: %s: not a number from 1 to %d\n", text, most);
        exit(2);
    }
    return (int)n;
}

int main(int argc, char **argv)
{
    struct rlimit files;

    if (argc != 4) {
        fputs("usage: echo_load PORT CONNECTIONS HELD\n", stderr);
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    count = number(argv[2], 100000);
    held = number(argv[3], count);
    clients = calloc((size_t)count, sizeof *clients);
    struct pollfd *polled = calloc((size_t)count, sizeof *polled);
    if (clients == NULL || polled == NULL)
        return 1;
    alarm(LIMIT);
    for (int i = 0; i < count; i++)
        open_client(&clients[i], i, number(argv[1], 65535));

    for (int open = count; open > 0;) {
        for (int i = 0; i < count; i++) {
            const struct client *c = &clients[i];
            int wants = c->sent < may_have_sent(c) || must_shut(c);

            polled[i] = (struct pollfd){ .fd = c->fd, .events = (short)(POLLIN | (wants ? POLLOUT : 0)) };
        }
        if (poll(polled, (nfds_t)count, -1) == -1)
            return 1;
        for (int i = 0; i < count; i++) {
            struct client *c = &clients[i];

            if (polled[i].revents & POLLOUT)
                send_some(c);
            if (polled[i].revents & ~POLLOUT)
                receive_some(c);
            open -= polled[i].fd != -1 && c->fd == -1;
        }
    }
    printf("%d connections, %lld bytes\n", count, came_back);
    return 0;
}

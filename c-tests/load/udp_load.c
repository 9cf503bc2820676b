/*
 * udp_load PORT CLIENTS DATAGRAMS: clients of a server that sends each datagram back. So many sockets send so many
 * each, a few at a time; every answer must be one that this client sent and has not had back yet. What is lost is sent
 * again. Some datagrams are too long to be answered, and none may be. Exit status 1: something was wrong.
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LIMIT = 60, WINDOW = 8, LONGEST = 1400, TOO_LONG = 5000 };

struct client {
    int fd, base;         /* of the window: all before it have come back */
    unsigned back;        /* which of the window have */
    unsigned sent;        /* and which are on their way */
};

static int count;

__attribute__((noreturn)) static void fail(const char *what, int client)
{
    fprintf(stderr, "udp_load: client %d: %s (%s)\n", client, what, strerror(errno));
    exit(1);
}

/* The datagram of this number: its sender, its number, and bytes that follow from these. */
static size_t make(unsigned char *bytes, int client, int n)
{
    size_t length = 8 + (size_t)(client * 31 + n * 97) % (LONGEST - 8);

    memcpy(bytes, &client, 4);
    memcpy(bytes + 4, &n, 4);
    for (size_t i = 8; i < length; i++)
        bytes[i] = (unsigned char)(client * 7 + n * 13 + (int)i);
    return length;
}

static void send_window(struct client *c, int number)
{
    static unsigned char bytes[TOO_LONG];

    for (int i = 0; i < WINDOW && c->base + i < count; i++) {
        if ((c->back | c->sent) >> i & 1)
            continue;
        size_t length = make(bytes, number, c->base + i);
        if (send(c->fd, bytes, length, 0) == -1 && errno != ECONNREFUSED && errno != EAGAIN && errno != ENOBUFS)
            fail("send", number);
        c->sent |= 1u << i;
    }
    if (number % 10 == 0)
        send(c->fd, bytes, TOO_LONG, 0);
}

static void take(struct client *c, int number)
{
    unsigned char got[TOO_LONG], wanted[LONGEST];
    ssize_t length;
    int of, n;

    while ((length = recv(c->fd, got, sizeof got, MSG_DONTWAIT)) >= 0) {
        if (length < 8 || length > LONGEST)
            fail("an answer of this length was never asked for", number);
        memcpy(&of, got, 4);
        memcpy(&n, got + 4, 4);
        if (of != number || n < 0 || n >= count || make(wanted, of, n) != (size_t)length ||
            memcmp(got, wanted, (size_t)length) != 0)
            fail("a wrong answer", number);
        if (n >= c->base && n < c->base + WINDOW)
            c->back |= 1u << (n - c->base);
    }
    for (; c->back & 1; c->back >>= 1, c->sent >>= 1)
        c->base++;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return fprintf(stderr, "usage: udp_load PORT CLIENTS DATAGRAMS\n"), 2;
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1])),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int clients = atoi(argv[2]);
    struct client *client = calloc((size_t)clients, sizeof *client);
    struct pollfd *fds = calloc((size_t)clients, sizeof *fds);
    time_t end = time(NULL) + LIMIT;

    count = atoi(argv[3]);
    for (int i = 0; i < clients; i++) {
        client[i].fd = fds[i].fd = socket(AF_INET, SOCK_DGRAM, 0);
        fds[i].events = POLLIN;
        if (client[i].fd == -1 || connect(client[i].fd, (struct sockaddr *)&to, sizeof to) == -1)
            fail("socket", i);
    }
    for (int done = 0; done < clients;) {
        done = 0;
        for (int i = 0; i < clients; i++) {
            send_window(&client[i], i);
            done += client[i].base == count;
        }
        int ready = poll(fds, (nfds_t)clients, 100);
        for (int i = 0; i < clients; i++) {
            if (ready == 0)
                client[i].sent = 0; /* lost: they are sent again */
            take(&client[i], i);
        }
        if (time(NULL) > end)
            fail("time is over", -1);
    }
    return 0;
}

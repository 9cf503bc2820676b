/*
 * A descriptor that is polled again and again, with plain reads and writes between: each poll tells once, of what is
 * there by then; what is not polled any more is not told, and keeps no harvest busy; and any other operation may
 * come in between: rules 2.10, 2.11, 3.2.
 */
#include "test_spin.h"

enum { N = 40, ROUNDS = 20 };

static void of_descriptor(int p, int fd[2], long user)
{
    char b[16];

    /* again and again, with a look in between or none, and with something left unread */
    for (int i = 0; i < ROUNDS; i++) {
        QUEUED(ioevent_poll(fd[0], POLLIN));
        if (i % 2)
            QUIET(p);
        GIVES(write(fd[1], "abc", 3), 3);
        EXPECT(p, user, POLLIN, 0);
        GIVES(read(fd[0], b, i % 3 ? 3 : 2), i % 3 ? 3 : 2);
        if (i % 3 == 0) {
            QUEUED(ioevent_poll(fd[0], POLLIN));
            EXPECT(p, user, POLLIN, 0);
            GIVES(read(fd[0], b, 3), 1);
        }
    }

    /* no poll waits, and something is there: no harvest sees it, nor is kept by it */
    QUEUED(ioevent_poll(fd[0], POLLIN));
    GIVES(write(fd[1], "abc", 3), 3);
    EXPECT(p, user, POLLIN, 0);
    for (int i = 0; i < 3; i++)
        STAYS_QUIET(p);
    QUEUED(ioevent_poll(fd[0], POLLIN));
    EXPECT(p, user, POLLIN, 0);

    /* with a user pointer and a time limit of its own; two at once; for what is not there */
    struct ioevent_op op = { .ioo_kind = IOEVENT_OP_POLL, .ioo_fd = fd[0], .ioo_user = USER(1000), .ioo_arg = POLLIN };
    GIVES(ioevent_submit(&op, 1), 1);
    EXPECT(p, 1000, POLLIN, 0);
    GIVES(read(fd[0], b, 3), 3);
    QUEUED(ioevent_poll(fd[0], POLLIN));
    GIVES(ioevent_submit(&op, 1), 1);
    GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_POLL | IOEVENT_CANCEL_USER, USER(1000)), 1);
    EXPECT(p, 1000, -1, ECANCELED);
    QUIET(p);
    GIVES(write(fd[1], "abc", 3), 3);
    EXPECT(p, user, POLLIN, 0);
    GIVES(read(fd[0], b, 3), 3);
    op.ioo_timeout.tv_nsec = 20000000;
    GIVES(ioevent_submit(&op, 1), 1);
    EXPECT(p, 1000, -1, ETIMEDOUT);

    /* the other side goes */
    QUEUED(ioevent_poll(fd[0], POLLIN));
    QUIET(p);
    OK(close(fd[1]));
    CHECK(HARVEST(p).ioe_result & (POLLIN | POLLHUP));
    QUEUED(ioevent_poll(fd[0], POLLIN));
    CHECK(HARVEST(p).ioe_result & (POLLIN | POLLHUP));
    STAYS_QUIET(p);
    DETACH(fd[0]);
    OK(close(fd[0]));
}

/* Polls, and operations of the library's on the same descriptor. */
static void with_others(int p)
{
    int fd[2];
    char b[16], big[1 << 16] = { 0 };

    unix_pair(fd);
    ATTACH(fd[0], p, 5);
    for (int i = 0; i < ROUNDS; i++) {
        QUEUED(ioevent_poll(fd[0], POLLIN));
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        GIVES(ioevent_cancel2(fd[0], IOEVENT_CANCEL_POLL, NULL), 1);
        EXPECT(p, 5, -1, ECANCELED);
        GIVES(write(fd[1], "abcd", 4), 4);
        EXPECT(p, 5, 4, 0);
        QUEUED(ioevent_poll(fd[0], POLLIN));
        QUIET(p);
        QUEUED(ioevent_write(fd[0], "ef", 2));
        EXPECT(p, 5, 2, 0);
        GIVES(read(fd[1], b, 2), 2);
        GIVES(write(fd[1], "g", 1), 1);
        EXPECT(p, 5, POLLIN, 0);
        GIVES(read(fd[0], b, 2), 1);
    }
    /* a write that has to wait, after polls */
    QUEUED(ioevent_poll(fd[0], POLLIN));
    for (int i = 0; i < 64; i++)
        QUEUED(ioevent_write(fd[0], big, sizeof big));
    long sum = 0;
    while (sum < 64L * (long)sizeof big)
        sum += OK(read(fd[1], big, sizeof big));
    for (int i = 0; i < 64; i++)
        EXPECT(p, 5, sizeof big, 0);
    GIVES(write(fd[1], "h", 1), 1);
    EXPECT(p, 5, POLLIN, 0);
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
}

/* The descriptor goes to another pipe while a poll waits on it, and back. */
static void to_another(int p)
{
    int q = OK(ioeventpipe(8)), fd[2];
    char b[4];

    unix_pair(fd);
    for (int round = 0; round < 4; round++) {
        int here = round % 2 ? q : p, there = round % 2 ? p : q;

        ATTACH(fd[0], here, 6);
        QUEUED(ioevent_poll(fd[0], POLLIN));
        ATTACH(fd[0], there, 7);
        GIVES(write(fd[1], "a", 1), 1);
        EXPECT(here, 6, POLLIN, 0);
        QUEUED(ioevent_poll(fd[0], POLLIN));
        EXPECT(there, 7, POLLIN, 0);
        IDLE(here, 100);
        IDLE(there, 100);
        GIVES(read(fd[0], b, sizeof b), 1);
    }
    GIVES(ioevent_close(q), 0);
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
}

int main(void)
{
    int p = OK(ioeventpipe(4 * N)), fd[2], all[N][2];

    for (int flags = 0; flags <= IOEVENT_POLLONLY; flags += IOEVENT_POLLONLY) {
        for (int kind = 0; kind < 4; kind++) {
            if (kind == 0)
                CHECK(tcp_pair(AF_INET, fd));
            else if (kind == 1)
                unix_pair(fd);
            else if (kind == 2)
                OK(pipe(fd));
            else {
                unix_pair(fd);
                OK(fcntl(fd[0], F_SETFL, O_NONBLOCK));
            }
            ATTACH(fd[0], p, kind + 1);
            GIVES(ioevent_fcntl(fd[0], F_SETIOEVENTFLAGS, flags), 0);
            of_descriptor(p, fd, kind + 1);
        }
    }
    with_others(p);
    to_another(p);

    /* many, of which one harvest takes a few: each tells once a poll */
    for (int i = 0; i < N; i++) {
        unix_pair(all[i]);
        ATTACH(all[i][0], p, i);
    }
    for (int round = 0; round < ROUNDS; round++) {
        int seen[N] = { 0 };

        for (int i = 0; i < N; i++) {
            QUEUED(ioevent_poll(all[i][0], POLLIN));
            OK(write(all[i][1], "x", 1));
        }
        for (int i = 0; i < N; i++)
            seen[(uintptr_t)HARVEST(p).ioe_user]++;
        QUIET(p);
        for (int i = 0; i < N; i++) {
            char c;

            SAME(seen[i], 1);
            GIVES(read(all[i][0], &c, 1), 1);
        }
    }
    GIVES(ioevent_close(p), 0);
    return 0;
}

/*
 * The parent notices nothing of a fork, whatever the child does: closes everything, with close and ioevent_close,
 * detaches, cancels, uses pipes of its own, or just lives on with the descriptors: rule 5.2.
 */
#include "test.h"

enum { PAIRS = 6 };

static int p, fd[PAIRS][2];

static void in_child(int how)
{
    struct ioevent e;

    switch (how) {
    case 0:
        for (int i = 0; i < 1024; i++)
            if (i != 2)
                close(i);
        break;
    case 1:
        for (int i = 0; i < 1024; i++)
            if (i != 2)
                ioevent_close(i);
        break;
    case 2:
        for (int i = 0; i < PAIRS; i++) {
            ioevent_cancel(fd[i][0]);
            ioevent_fcntl(fd[i][0], F_SETIOEVENTPIPE, -1, (void *)NULL);
        }
        ioevent_wait(p, &e, 1, &no_wait);
        break;
    case 3: {
        int q = OK(ioeventpipe(PAIRS));
        char b[4];

        for (int i = 0; i < PAIRS; i++) {
            ATTACH(fd[i][0], q, i);
            QUEUED(ioevent_read(fd[i][0], b, 4));
        }
        QUIET(q);
        for (int i = 0; i < PAIRS; i++)
            GIVES(ioevent_cancel(fd[i][0]), 1);
        GIVES(ioevent_close(q), 0);
        break;
    }
    case 4:
        break; /* exits at once */
    }
    _exit(0);
}

int main(void)
{
    char b[PAIRS][8];
    pid_t pid;

    p = OK(ioeventpipe(2 * PAIRS));
    for (int i = 0; i < PAIRS; i++) {
        if (i % 3 == 0)
            unix_pair(fd[i]);
        else if (i % 3 == 1)
            OK(pipe2(fd[i], O_CLOEXEC));
        else
            CHECK(tcp_pair(AF_INET, fd[i]));
        ATTACH(fd[i][0], p, i);
    }
    for (int how = 0; how < 5; how++) {
        unsigned seen = 0;

        for (int i = 0; i < PAIRS; i++)
            QUEUED(ioevent_read(fd[i][0], b[i], 8));
        QUIET(p);
        if (child(&pid))
            in_child(how);
        CHILD_PASSED(pid);
        QUIET(p);
        for (int i = 0; i < PAIRS; i++)
            ATTACHED(fd[i][0], p, i);
        for (int i = 0; i < PAIRS; i++)
            OK(write(fd[i][1], "abc", 3));
        for (int i = 0; i < PAIRS; i++) {
            struct ioevent e = HARVEST(p);

            SAME(e.ioe_result, 3);
            seen |= 1u << (uintptr_t)e.ioe_user;
        }
        SAME(seen, (1u << PAIRS) - 1);
        /* and attaching goes on working */
        DETACH(fd[0][0]);
        ATTACH(fd[0][0], p, 0);
        STAYS_QUIET(p);
    }

    /* the parent closes, a child that lives keeps the open files: their events do not come here any more */
    {
        int pipes[2], x[2];

        OK(pipe(pipes));
        for (int i = 0; i < PAIRS; i++)
            QUEUED(ioevent_read(fd[i][0], b[i], 8));
        if (child(&pid)) {
            char c;

            OK(close(pipes[1]));
            GIVES(read(pipes[0], &c, 1), 0);
            _exit(0);
        }
        for (int i = 0; i < PAIRS; i++)
            GIVES(ioevent_close(fd[i][0]), 0);
        for (int i = 0; i < PAIRS; i++)
            SAME(HARVEST(p).ioe_errno, ECANCELED);
        unix_pair(x); /* at numbers that are out of the way */
        for (int i = 0; i < 2; i++) {
            int high = OK(fcntl(x[i], F_DUPFD_CLOEXEC, 200));

            OK(close(x[i]));
            x[i] = high;
        }
        for (int i = 0; i < PAIRS; i++) {
            OK(dup2(x[0], fd[i][0]));
            ATTACH(fd[i][0], p, 50 + i);
            QUEUED(ioevent_poll(fd[i][0], POLLIN));
            OK(write(fd[i][1], "old", 3));
        }
        STAYS_QUIET(p);
        OK(write(x[1], "new", 3));
        for (int i = 0; i < PAIRS; i++)
            CHECK((uintptr_t)HARVEST(p).ioe_user >= 50);
        OK(close(pipes[1]));
        CHILD_PASSED(pid);
    }
    return 0;
}

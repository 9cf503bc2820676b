/*
 * A reset is told once, to the first that asks, and is not lost between the operations of one descriptor: a read
 * beside a write that was taken in part, a poll before a read, a descriptor that is attached late or elsewhere,
 * sendfile. On AF_UNIX sockets (which forget it after a part) a whole operation is told: rule 2.4.
 */
#include "test_file.h"
#include "test_reset.h"

enum { SIZE = 16 << 20 };

static char big[SIZE], b[100];

/* The part is given to the write, so the error is the read's. */
static void read_beside_write(bool read_first)
{
    int p = OK(ioeventpipe(8)), fd[2];
    bool seen[3] = { false };

    reset_pair(fd);
    ATTACH(fd[1], p, 1);
    if (read_first)
        QUEUED(ioevent_read(fd[1], b, sizeof b));
    ATTACH(fd[1], p, 2);
    QUEUED(ioevent_write(fd[1], big, SIZE));
    ATTACH(fd[1], p, 1);
    if (!read_first)
        QUEUED(ioevent_read(fd[1], b, sizeof b));
    STAYS_QUIET(p);
    OK(close(fd[0]));
    for (int i = 0; i < 2; i++) {
        struct ioevent e = HARVEST(p);
        uintptr_t user = (uintptr_t)e.ioe_user;

        CHECK((user == 1 || user == 2) && !seen[user]);
        seen[user] = true;
        if (user == 1) {
            SAME(e.ioe_result, -1);
            SAME(e.ioe_errno, ECONNRESET);
        } else {
            CHECK(e.ioe_result > 0 && e.ioe_result < SIZE);
            SAME(e.ioe_errno, 0);
        }
    }
    SAME(OUTCOME(p, 1, ioevent_read(fd[1], b, sizeof b)), 0);
    SAME(OUTCOME(p, 1, ioevent_write(fd[1], b, sizeof b)), -EPIPE);
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(p), 0);
}

/* A poll takes nothing away. */
static void poll_first(bool outstanding, bool wr)
{
    int p = OK(ioeventpipe(8)), fd[2];
    struct ioevent e;

    reset_pair(fd);
    ATTACH(fd[1], p, 1);
    if (outstanding)
        QUEUED(ioevent_poll(fd[1], POLLIN));
    reset_by_peer(fd);
    if (!outstanding)
        QUEUED(ioevent_poll(fd[1], POLLIN));
    e = HARVEST(p);
    CHECK(e.ioe_result & (POLLERR | POLLHUP));
    SAME(OUTCOME(p, 1, wr ? ioevent_write(fd[1], b, 5) : ioevent_read(fd[1], b, 5)), -ECONNRESET);
    SAME(OUTCOME(p, 1, wr ? ioevent_write(fd[1], b, 5) : ioevent_read(fd[1], b, 5)), wr ? -EPIPE : 0);
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(p), 0);
}

/* Attached after the reset; attached to another pipe after a part was read; ended by cancel before the reset. */
static void late(int how)
{
    int p = OK(ioeventpipe(8)), q = OK(ioeventpipe(8)), fd[2];

    reset_pair(fd);
    if (how == 1) {
        ATTACH(fd[1], p, 1);
        OK(write(fd[0], "abc", 3));
        QUEUED(ioevent_recv(fd[1], b, sizeof b, MSG_WAITALL));
        STAYS_QUIET(p);
    } else if (how == 2) {
        ATTACH(fd[1], p, 1);
        QUEUED(ioevent_write(fd[1], big, SIZE));
        STAYS_QUIET(p);
        GIVES(ioevent_cancel(fd[1]), 1);
        SAME(HARVEST(p).ioe_errno, ECANCELED);
    }
    reset_by_peer(fd);
    if (how == 1)
        EXPECT(p, 1, 3, 0);
    ATTACH(fd[1], q, 2);
    SAME(OUTCOME(q, 2, ioevent_read(fd[1], b, sizeof b)), -ECONNRESET);
    SAME(OUTCOME(q, 2, ioevent_read(fd[1], b, sizeof b)), 0);
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(p), 0);
    GIVES(ioevent_close(q), 0);
}

/* sendfile(2) itself may eat the reset, and then says EPIPE; it does not say that all went well. */
static void sendfile_part(void)
{
    int p = OK(ioeventpipe(8)), fd[2], file = make_file(FILE_MEMORY);
    struct pollfd begun = { .events = POLLIN };
    struct ioevent e;
    long r;

    fill_file(file, SIZE);
    reset_pair(fd);
    ATTACH(fd[1], p, 1);
    QUEUED(ioevent_sendfile(fd[1], file, NULL, SIZE));
    begun.fd = fd[0]; /* a worker may move the first part, and take its time */
    GIVES(poll(&begun, 1, test_timeout() * 500), 1);
    STAYS_QUIET(p);
    OK(close(fd[0]));
    e = HARVEST(p);
    CHECK(e.ioe_result > 0 && e.ioe_result < SIZE);
    SAME(e.ioe_errno, 0);
    r = OUTCOME(p, 1, ioevent_write(fd[1], b, 5));
    CHECK(r == -ECONNRESET || r == -EPIPE);
    SAME(OUTCOME(p, 1, ioevent_write(fd[1], b, 5)), -EPIPE);
    OK(close(file));
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(p), 0);
}

/* An AF_UNIX peer that closes with bytes unread resets. A write says EPIPE there, and leaves the reset to a read. */
static void unix_reset(bool outstanding, bool wr)
{
    int p = OK(ioeventpipe(8)), fd[2];

    unix_pair(fd);
    OK(write(fd[1], "unread", 6));
    ATTACH(fd[1], p, 1);
    if (outstanding)
        QUEUED(ioevent_read(fd[1], b, 5));
    STAYS_QUIET(p);
    OK(close(fd[0]));
    if (wr && !outstanding)
        SAME(OUTCOME(p, 1, ioevent_write(fd[1], b, 5)), -EPIPE);
    if (outstanding)
        EXPECT(p, 1, -1, ECONNRESET);
    else
        SAME(OUTCOME(p, 1, ioevent_read(fd[1], b, 5)), -ECONNRESET);
    SAME(OUTCOME(p, 1, ioevent_read(fd[1], b, 5)), 0);
    SAME(OUTCOME(p, 1, ioevent_write(fd[1], b, 5)), -EPIPE);
    GIVES(ioevent_close(fd[1]), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            poll_first(i, k);
            unix_reset(i, k);
        }
    for (int how = 0; how < 3; how++)
        late(how);
    sendfile_part();
    read_beside_write(true);
    read_beside_write(false);
    return 0;
}

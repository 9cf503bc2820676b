/*
 * Files that tell each poller of an event once (mountinfo and mounts): ioevent_poll has one event for each that poll(2)
 * gives on a descriptor of its own, however many events there are, whether polls wait already or come later, one or two
 * of them, harvested or not, looked for by poll(2) of the pipe or not: rule 2.10, rule 2.2, rule 3.6. Needs root.
 */
#include "test_mounts.h"

enum { ROUNDS = 5 };

static int mounted;

static void change(void)
{
    if (mounted)
        OK(umount(MOUNT_POINT));
    else
        OK(mount("t", MOUNT_POINT, "tmpfs", 0, NULL));
    mounted = !mounted;
}

static bool plain_poll(int fd)
{
    struct pollfd ready = { .fd = fd, .events = POLLPRI };

    return OK(poll(&ready, 1, 0)) == 1 && (ready.revents & POLLPRI);
}

static ssize_t queue(int fd, bool by_struct)
{
    if (!by_struct)
        return ioevent_poll(fd, POLLPRI);
    GIVES(ioevent_submit(&(struct ioevent_op){ .ioo_kind = IOEVENT_OP_POLL, .ioo_fd = fd, .ioo_user = USER(1),
                                               .ioo_arg = POLLPRI }, 1), 1);
    errno = EIOEVENTQUEUED;
    return -1;
}

static void expect_ready(int p)
{
    struct ioevent e = HARVEST(p);

    CHECK(e.ioe_user == USER(1));
    SAME(e.ioe_errno, 0);
    CHECK(e.ioe_result > 0 && (e.ioe_result & POLLPRI));
}

/* The poll waits, then something is mounted. */
static void waiting(const char *path, bool by_struct, bool alone, bool nonblock_pipe)
{
    int p = OK(ioeventpipe2(8, nonblock_pipe ? O_NONBLOCK : 0)), fd = OK(open(path, O_RDONLY | O_CLOEXEC));
    int plain = OK(open(path, O_RDONLY | O_CLOEXEC));

    ATTACH(fd, p, 1);
    for (int i = 0; i < ROUNDS; i++) {
        QUEUED(queue(fd, by_struct));
        STAYS_QUIET(p);
        CHECK(!plain_poll(plain));
        change();
        if (alone)
            for (int ms = 0; ms < 40; ms++)
                breathe(); /* the library's own thread finds it */
        CHECK(plain_poll(plain));
        CHECK(!plain_poll(plain));
        if (nonblock_pipe) { /* to look whether the pipe has an event takes none either */
            struct pollfd ready = { .fd = p, .events = POLLIN };

            CHECK(poll(&ready, 1, test_timeout() * 500) == 1);
            CHECK(poll(&ready, 1, test_timeout() * 500) == 1);
        }
        expect_ready(p);
        STAYS_QUIET(p);
    }
    GIVES(ioevent_close(fd), 0);
    OK(close(plain));
    GIVES(ioevent_close(p), 0);
}

/* Something is mounted while no poll is queued: the next one has it, and the one after that has not. */
static void later(const char *path, bool by_struct, bool looked)
{
    int p = OK(ioeventpipe(8)), fd = OK(open(path, O_RDONLY | O_CLOEXEC)), plain = OK(open(path, O_RDONLY | O_CLOEXEC));

    ATTACH(fd, p, 1);
    for (int i = 0; i < ROUNDS; i++) {
        change();
        if (looked)
            STAYS_QUIET(p);
        CHECK(plain_poll(plain));
        QUEUED(queue(fd, by_struct));
        expect_ready(p);
        QUEUED(queue(fd, by_struct));
        STAYS_QUIET(p);
        CHECK(!plain_poll(plain));
        change();
        CHECK(plain_poll(plain));
        expect_ready(p);
    }

    /* a cancelled one takes nothing that it does not tell */
    QUEUED(queue(fd, by_struct));
    STAYS_QUIET(p);
    GIVES(ioevent_cancel(fd), 1);
    EXPECT(p, 1, -1, ECANCELED);
    change();
    QUEUED(queue(fd, by_struct));
    expect_ready(p);
    STAYS_QUIET(p);
    GIVES(ioevent_close(fd), 0);
    OK(close(plain));
    GIVES(ioevent_close(p), 0);
}

/* Detached and attached to another pipe with the event untold. */
static void moved(const char *path)
{
    int p = OK(ioeventpipe(8)), q = OK(ioeventpipe(8)), fd = OK(open(path, O_RDONLY | O_CLOEXEC));

    ATTACH(fd, p, 1);
    change();
    ATTACH(fd, q, 1);
    QUEUED(queue(fd, false));
    expect_ready(q);
    QUEUED(queue(fd, false));
    STAYS_QUIET(q);
    GIVES(ioevent_close(p), 0);
    change();
    expect_ready(q);
    GIVES(ioevent_close(fd), 0);
    GIVES(ioevent_close(q), 0);
}

/* Two descriptors, each told. */
static void two(const char *path)
{
    int p = OK(ioeventpipe(8)), fd[2];
    bool seen[2] = { false };

    for (int i = 0; i < 2; i++) {
        fd[i] = OK(open(path, O_RDONLY | O_CLOEXEC));
        ATTACH(fd[i], p, i);
        QUEUED(ioevent_poll(fd[i], POLLPRI));
    }
    STAYS_QUIET(p);
    change();
    for (int i = 0; i < 2; i++) {
        struct ioevent e = HARVEST(p);
        uintptr_t user = (uintptr_t)e.ioe_user;

        CHECK(user < 2 && !seen[user] && e.ioe_result > 0);
        seen[user] = true;
    }
    STAYS_QUIET(p);
    for (int i = 0; i < 2; i++)
        GIVES(ioevent_close(fd[i]), 0);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    static const char *const paths[] = { "/proc/self/mountinfo", "/proc/self/mounts" };

    NEEDS_PROC();
    if (!own_mounts() || mount("t", MOUNT_POINT, "tmpfs", 0, NULL) == -1)
        SKIP("no mount namespace");
    mounted = 1;
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 8; k++)
            waiting(paths[i], k & 1, k & 2, k & 4);
        for (int k = 0; k < 4; k++)
            later(paths[i], k & 1, k & 2);
        moved(paths[i]);
        two(paths[i]);
    }
    return 0;
}

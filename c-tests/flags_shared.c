/*
 * Attaching, and operations that wait, change no flag that others who share the open file can see: rule 4.5. Seen by
 * a dup while reads and writes are outstanding, for every kind of descriptor.
 */
#include "test.h"
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <termios.h>

static int p;
static char large[64 << 20]; /* more than the kernel takes for a peer that does not read */

/* With one read (and one write if there is data for it) outstanding the flags are what they were. */
static void unchanged(int fd, int read_size, const void *data, size_t size)
{
    static char b[64];
    static int user;
    int sharer = OK(dup(fd));

    for (int i = 0; i < 2; i++) {
        int flags;

        set_nonblock(sharer, i);
        flags = OK(fcntl(sharer, F_GETFL));
        ATTACH(fd, p, ++user);
        SAME(fcntl(sharer, F_GETFL), flags);
        if (read_size)
            QUEUED(ioevent_read(fd, b, (size_t)read_size));
        if (size)
            QUEUED(ioevent_write(fd, data, size));
        SAME(fcntl(sharer, F_GETFL), flags);
        QUIET(p);
        SAME(fcntl(sharer, F_GETFL), flags);
        QUEUED(ioevent_poll(fd, 0));
        SAME(fcntl(sharer, F_GETFL), flags);
        GIVES(ioevent_cancel(fd), (read_size != 0) + (size != 0) + 1);
        for (int n = (read_size != 0) + (size != 0) + 1; n; n--) {
            struct ioevent e = HARVEST(p);

            CHECK(e.ioe_errno == ECANCELED || (e.ioe_result > 0 && (size_t)e.ioe_result < size));
        }
        SAME(fcntl(sharer, F_GETFL), flags);
        DETACH(fd);
        SAME(fcntl(sharer, F_GETFL), flags);
    }
    OK(close(sharer));
}

int main(void)
{
    struct address a;
    char dir[] = "/tmp/ioevent-test-XXXXXX", path[64];
    int fd[2], s;
    uint64_t one = 1, big = UINT64_MAX - 1;
    sigset_t set;

    p = OK(ioeventpipe(8));
    unix_pair(fd);
    fill_up(fd[0]);
    unchanged(fd[0], 8, "x", 1);
    CHECK(tcp_pair(AF_INET, fd));
    unchanged(fd[0], 8, large, sizeof large);
    OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd));
    unchanged(fd[0], 8, NULL, 0);
    s = bound_socket(AF_INET, SOCK_DGRAM, &a);
    unchanged(s, 8, NULL, 0);
    OK(pipe(fd));
    unchanged(fd[0], 8, NULL, 0);
    fill_up(fd[1]);
    unchanged(fd[1], 0, "x", 1);

    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/fifo", dir);
    OK(mkfifo(path, 0600));
    fd[0] = OK(open(path, O_RDWR));
    unchanged(fd[0], 8, NULL, 0);
    fd[1] = OK(open(path, O_WRONLY));
    fill_up(fd[1]);
    unchanged(fd[1], 0, "x", 1);

    fd[0] = posix_openpt(O_RDWR | O_NOCTTY);
    if (fd[0] >= 0 && grantpt(fd[0]) == 0 && unlockpt(fd[0]) == 0
        && (fd[1] = open(ptsname(fd[0]), O_RDWR | O_NOCTTY)) >= 0) {
        unchanged(fd[1], 8, NULL, 0);
        unchanged(fd[0], 8, NULL, 0);
    }

    s = OK(eventfd(0, 0));
    unchanged(s, 8, NULL, 0);
    OK(write(s, &big, 8));
    unchanged(s, 0, &one, 8);
    unchanged(OK(timerfd_create(CLOCK_MONOTONIC, 0)), 8, NULL, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    unchanged(OK(signalfd(-1, &set, 0)), 200, NULL, 0);
    s = OK(inotify_init1(0));
    OK(inotify_add_watch(s, dir, IN_CREATE));
    unchanged(s, 64, NULL, 0);

    /* accept and connect may set it for the length of one call, but not while they wait */
    s = listener(AF_INET, 1, &a);
    ATTACH(s, p, 1);
    QUEUED(ioevent_accept(s, NULL, NULL));
    QUIET(p);
    SAME(fcntl(s, F_GETFL) & O_NONBLOCK, 0);
    fd[0] = OK(socket(AF_INET, SOCK_STREAM, 0));
    ATTACH(fd[0], p, 2);
    QUEUED(ioevent_connect(fd[0], SOCKADDR(&a), a.length));
    HARVEST(p);
    HARVEST(p);
    SAME(fcntl(s, F_GETFL) & O_NONBLOCK, 0);
    SAME(fcntl(fd[0], F_GETFL) & O_NONBLOCK, 0);
    OK(unlink(path));
    OK(rmdir(dir));
    return 0;
}

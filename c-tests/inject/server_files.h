/*
 * Files, and what is read and written like one: pipes, FIFOs, terminals, eventfds.
 */
#ifndef SERVER_FILES_H
#define SERVER_FILES_H

#include "server_io.h"

#include <pty.h>
#include <sys/eventfd.h>

static void file(void)
{
    static char big[BIG], back[BIG];
    struct io io = { 0 };
    int fd = OK(open(".", O_TMPFILE | O_RDWR, 0600)), sealed;
    bool written;

    fill(big, BIG, 3);
    if (attached("file", fd, &io)) {
        written = RUN("write", &io, ioevent_write(fd, big, BIG));
        if (written)
            SAME(io.result, BIG);
        if (RUN("fsync", &io, ioevent_fsync(fd)))
            SAME(io.result, 0);
        if (RUN("fdatasync", &io, ioevent_fdatasync(fd)))
            SAME(io.result, 0);
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
        OK(lseek(fd, 1000, SEEK_SET));
        if (RUN("read", &io, ioevent_read(fd, back, BIG)) && written) {
            SAME(io.result, BIG - 1000);
            CHECK(memcmp(back, big + 1000, BIG - 1000) == 0);
        }
        if (RUN("pwrite", &io, ioevent_pwrite(fd, "changed", 7, 5000)))
            SAME(io.result, 7);
        if (RUN("pread", &io, ioevent_pread(fd, back, 100, 5000)) && written) {
            SAME(io.result, 100);
            CHECK(memcmp(back, "changed", 7) == 0 && memcmp(back + 7, big + 5007, 93) == 0);
        }
        if (RUN("pread", &io, ioevent_pread(fd, back, 100, BIG)))
            SAME(io.result, 0);
    }
    GIVES(ioevent_close(fd), 0);

    /* EPERM that is the file's own answer is that, whatever is refused. */
    sealed = OK(memfd_create("sealed", MFD_ALLOW_SEALING));
    OK(fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE));
    if (attached("file", sealed, &io)) {
        QUEUED(ioevent_write(sealed, big, 10));
        wait_for_event("file", &io);
        SAME(io.result, -1);
        SAME(io.err, EPERM);
    }
    GIVES(ioevent_close(sealed), 0);
}

/* Two ends of something with a way in and a way out. Both are closed. */
static void both_ways(const char *part, int in, int out)
{
    static char big[200000], back[200000];
    struct io reads = { 0 }, writes = { 0 };
    char few[16];

    fill(big, sizeof big, 5);
    if (attached(part, out, &reads) && queued(part, ioevent_read(out, few, sizeof few))) {
        OK(write(in, "abc", 3));
        if (wait_for(part, &reads)) {
            SAME(reads.result, 3);
            CHECK(memcmp(few, "abc", 3) == 0);
        }
    }
    ioevent_fcntl(out, F_SETIOEVENTPIPE, -1, (void *)NULL);
    fcntl(out, F_SETFL, 0);
    if (strstr(failing, part)) /* it may not have been read */
        while (ioctl(out, FIONREAD, &few) == 0 && *(int *)(void *)few > 0)
            OK(read(out, few, 1));
    if (attached(part, in, &writes) && queued(part, ioevent_write(in, big, sizeof big))) {
        struct pollfd there = { out, POLLIN, 0 };
        size_t done = 0;

        while (done < sizeof big) {
            ssize_t n;

            if (poll(&there, 1, 100) == 0) {
                CHECK(writes.done); /* it failed */
                break;
            }
            n = read(out, back + done, sizeof back - done);
            CHECK(n > 0);
            done += (size_t)n;
        }
        CHECK(memcmp(big, back, done) == 0);
        if (wait_for(part, &writes))
            SAME(writes.result, sizeof big);
    }
    close(out);
    /* nobody reads: no SIGPIPE, which would end this process */
    if (!strstr(failing, part) && RUN(part, &writes, ioevent_write(in, big, 100))) {
        SAME(writes.result, -1);
        SAME(writes.err, EPIPE);
    }
    GIVES(ioevent_close(in), 0);
}

static void pipes(void)
{
    char name[32];
    int ends[2], in, out;

    OK(pipe(ends));
    both_ways("pipe", ends[1], ends[0]);

    snprintf(name, sizeof name, "fifo.%d", getpid());
    SAME(mkfifo(name, 0600), 0);
    out = OK(open(name, O_RDONLY | O_NONBLOCK));
    in = OK(open(name, O_WRONLY));
    unlink(name);
    both_ways("fifo", in, out);
}

static void terminal(void)
{
    struct io io = { 0 };
    char line[16];
    int master, slave;

    if (openpty(&master, &slave, NULL, NULL, NULL) != 0)
        return;
    if (attached("terminal", slave, &io) && queued("terminal", ioevent_read(slave, line, sizeof line))) {
        OK(write(master, "line\n", 5));
        if (wait_for("terminal", &io)) {
            SAME(io.result, 5);
            CHECK(memcmp(line, "line\n", 5) == 0);
        }
    }
    while (!strstr(failing, "terminal") && read(master, line, 1) == 1 && line[0] != '\n')
        ; /* its echo */
    if (attached("terminal", master, &io) && queued("terminal", ioevent_read(master, line, sizeof line))) {
        OK(write(slave, "answer", 6));
        if (wait_for("terminal", &io)) {
            SAME(io.result, 6);
            CHECK(memcmp(line, "answer", 6) == 0);
        }
    }
    GIVES(ioevent_close(slave), 0);
    GIVES(ioevent_close(master), 0);
}

static void counter(void)
{
    struct io io = { 0 };
    int fd = OK(eventfd(0, 0));
    uint64_t n = 5, m = 0;

    if (attached("eventfd", fd, &io)) {
        if (RUN("eventfd", &io, ioevent_write(fd, &n, 8)))
            SAME(io.result, 8);
        else
            OK(write(fd, &n, 8));
        if (RUN("eventfd", &io, ioevent_read(fd, &m, 8)))
            SAME(m, 5);
    }
    GIVES(ioevent_close(fd), 0);
}

#endif

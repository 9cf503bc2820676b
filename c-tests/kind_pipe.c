/*
 * Pipes and FIFOs can be attached, blocking or not, at either end: rule 4.1. A FIFO's read gives the end of file when
 * the last writer closes, and works again when a new one comes.
 */
#include "test.h"

static void transfer(int in, int out)
{
    static char sink[1 << 20];
    int p = OK(ioeventpipe(4));
    char b[16];
    size_t full;

    ATTACH(in, p, 1);
    ATTACH(out, p, 2);
    QUEUED(ioevent_read(in, b, sizeof b));
    QUIET(p);
    OK(write(out, "abc", 3));
    EXPECT(p, 1, 3, 0);
    CHECK(memcmp(b, "abc", 3) == 0);
    QUEUED(ioevent_write(out, "defg", 4));
    EXPECT(p, 2, 4, 0);
    QUEUED(ioevent_poll(in, POLLIN));
    EXPECT(p, 1, POLLIN, 0);
    QUEUED(ioevent_read(in, b, sizeof b));
    EXPECT(p, 1, 4, 0);
    CHECK(memcmp(b, "defg", 4) == 0);

    /* a full pipe: the write waits */
    full = fill_up(out);
    CHECK(full <= sizeof sink);
    QUEUED(ioevent_write(out, "end", 3));
    QUIET(p);
    read_all(in, sink, full);
    EXPECT(p, 2, 3, 0);
    QUEUED(ioevent_read(in, b, sizeof b));
    EXPECT(p, 1, 3, 0);
    CHECK(memcmp(b, "end", 3) == 0);
    QUIET(p);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    char dir[] = "/tmp/ioevent-test-XXXXXX", path[64];
    int fd[2], p = OK(ioeventpipe(4)), w;
    char b[16];

    for (int i = 0; i < 2; i++) {
        OK(pipe2(fd, i ? O_NONBLOCK : 0));
        transfer(fd[0], fd[1]);
        OK(close(fd[0]));
        OK(close(fd[1]));
    }
    OK(pipe2(fd, O_DIRECT)); /* packets */
    transfer(fd[0], fd[1]);
    ATTACH(fd[0], p, 1);
    OK(write(fd[1], "abc", 3));
    OK(write(fd[1], "de", 2));
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    EXPECT(p, 1, 3, 0);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    EXPECT(p, 1, 2, 0);
    OK(close(fd[1]));
    GIVES(ioevent_close(fd[0]), 0);

    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/fifo", dir);
    OK(mkfifo(path, 0600));
    for (int i = 0; i < 2; i++) {
        fd[0] = OK(open(path, O_RDONLY | O_NONBLOCK));
        fd[1] = OK(open(path, O_WRONLY));
        set_nonblock(fd[0], i);
        set_nonblock(fd[1], i);
        transfer(fd[0], fd[1]);
        SAME(!!(fcntl(fd[0], F_GETFL) & O_NONBLOCK), i);
        SAME(!!(fcntl(fd[1], F_GETFL) & O_NONBLOCK), i);
        OK(close(fd[0]));
        OK(close(fd[1]));
    }
    /* both ways in one descriptor */
    fd[0] = OK(open(path, O_RDWR));
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUIET(p);
    QUEUED(ioevent_write(fd[0], "abc", 3));
    EXPECT(p, 1, 3, 0);
    EXPECT(p, 1, 3, 0);
    CHECK(memcmp(b, "abc", 3) == 0);
    GIVES(ioevent_close(fd[0]), 0);

    /* the end of file, and another writer */
    fd[0] = OK(open(path, O_RDONLY | O_NONBLOCK));
    w = OK(open(path, O_WRONLY));
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUIET(p);
    OK(close(w));
    EXPECT(p, 1, 0, 0);
    w = OK(open(path, O_WRONLY));
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    QUIET(p);
    OK(write(w, "again", 5));
    EXPECT(p, 1, 5, 0);
    OK(close(w));
    GIVES(ioevent_close(fd[0]), 0);
    STAYS_QUIET(p);
    OK(unlink(path));
    OK(rmdir(dir));
    return 0;
}

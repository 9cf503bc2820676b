/*
 * A splice or sendfile into a full pipe waits, and ends with what fits when there is a little room: rule 2.4. So does a
 * proxy that empties its pipe only after each event: it never hangs. While no thread harvests, too: rule 2.7.
 */
#include "test_file.h"

enum { FROM_UNIX, FROM_TCP, FROM_PIPE, FROM_DISK, SOURCES };
enum { SIZE = 60000, ROUNDS = 40 };

static int make_source(int from, int *peer)
{
    static char data[SIZE];
    int fd[2] = { -1, -1 };

    put_pattern(data, 0, SIZE);
    switch (from) {
    case FROM_UNIX: unix_pair(fd); break;
    case FROM_TCP: CHECK(tcp_pair(AF_INET, fd)); break;
    case FROM_PIPE: OK(pipe2(fd, O_CLOEXEC)); break;
    default:
        fd[0] = disk_file();
        fill_file(fd[0], SIZE);
        uncache(fd[0]);
        *peer = -1;
        return fd[0];
    }
    SAME(write(fd[1], data, SIZE), SIZE);
    *peer = fd[1];
    return fd[0];
}

static void run(int from, bool attach_source, bool alone)
{
    int p = OK(ioeventpipe(4)), peer, in = make_source(from, &peer), out[2];
    static char block[65536];
    struct ioevent e;

    OK(pipe2(out, O_CLOEXEC));
    OK(fcntl(out[1], F_SETPIPE_SZ, 2 * page_size()));
    fill_up(out[1]);
    ATTACH(attach_source ? in : out[1], p, 1);
    QUEUED(ioevent_splice(in, NULL, out[1], NULL, SIZE, 0));
    STAYS_QUIET(p);
    read_all(out[0], block, (size_t)page_size()); /* one page: room */
    if (alone) {
        struct pollfd ready = { .fd = out[0], .events = POLLIN };
        int n = 0;

        read_all(out[0], block, (size_t)page_size()); /* all that was in it; what comes now is the library's doing */
        CHECK(poll(&ready, 1, test_timeout() * 500) == 1);
        OK(ioctl(out[0], FIONREAD, &n));
        CHECK(n > 0);
    }
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(1) && e.ioe_errno == 0);
    CHECK(e.ioe_result > 0 && e.ioe_result <= SIZE); /* a place of a pipe may hold more than a page */
    if (!alone)
        read_all(out[0], block, (size_t)page_size());
    read_all(out[0], block, (size_t)e.ioe_result);
    CHECK(is_pattern(block, 0, (size_t)e.ioe_result));
    SAME(drain(out[0]), 0);
    STAYS_QUIET(p);
    GIVES(ioevent_close(in), 0);
    GIVES(ioevent_close(out[0]), 0);
    GIVES(ioevent_close(out[1]), 0);
    if (peer >= 0)
        OK(close(peer));
    GIVES(ioevent_close(p), 0);
}

/* From socket to socket through a small pipe, more than fits each time; the pipe is emptied after its event. */
static void proxy(void)
{
    int p = OK(ioeventpipe(8)), a[2], b[2], x[2];
    static char data[SIZE], block[SIZE];

    unix_pair(a);
    unix_pair(b);
    OK(pipe2(x, O_CLOEXEC));
    OK(fcntl(x[1], F_SETPIPE_SZ, page_size()));
    ATTACH(a[1], p, 1);
    ATTACH(b[0], p, 2);
    for (int i = 0; i < ROUNDS; i++) {
        put_pattern(data, (size_t)i * SIZE, SIZE);
        SAME(write(a[0], data, SIZE), SIZE);
        for (size_t done = 0; done < SIZE;) {
            struct ioevent in, out;
            size_t moved = 0;

            QUEUED(ioevent_splice(a[1], NULL, x[1], NULL, SIZE, SPLICE_F_MOVE | SPLICE_F_MORE));
            in = HARVEST(p);
            CHECK(in.ioe_user == USER(1) && in.ioe_result > 0 && in.ioe_errno == 0);
            while (moved < (size_t)in.ioe_result) {
                QUEUED(ioevent_splice(x[0], NULL, b[0], NULL, (size_t)in.ioe_result - moved, SPLICE_F_MOVE));
                out = HARVEST(p);
                CHECK(out.ioe_user == USER(2) && out.ioe_result > 0 && out.ioe_errno == 0);
                moved += (size_t)out.ioe_result;
            }
            SAME(moved, in.ioe_result);
            read_all(b[1], block + done, moved);
            done += moved;
        }
        CHECK(memcmp(block, data, SIZE) == 0);
    }
    STAYS_QUIET(p);
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int from = 0; from < SOURCES; from++)
        for (int attach_source = 0; attach_source < 2; attach_source++) {
            run(from, attach_source, false);
            run(from, attach_source, true);
        }
    proxy();
    return 0;
}

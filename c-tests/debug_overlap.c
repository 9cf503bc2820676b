/*
 * IOEVENT_DEBUG names an operation whose memory overlaps that of another that is outstanding, if one of the two writes
 * there: buffers, arrays of them, messages, the room for addresses. What was harvested is no more outstanding:
 * ioevent_debug(7), rule 7.4.
 */
#include "test.h"
#include "test_debug.h"

static char buf[4096];
static int p, a[2], b[2];

static void begin(void)
{
    p = OK(ioeventpipe(16));
    unix_pair(a);
    unix_pair(b);
    a[0] = debug_number(a[0]);
    ATTACH(a[0], p, 0xa);
    ATTACH(b[0], p, 0xb);
}

static void end(void)
{
    OK(ioevent_close(a[0]));
    OK(ioevent_close(b[0]));
    for (struct ioevent e; ioevent_wait(p, &e, 1, &no_wait) == 1;)
        ;
    OK(ioevent_close(p));
}

static void two_reads(void)
{
    begin();
    QUEUED(ioevent_read(b[0], buf, 100));
    QUEUED(ioevent_recv(a[0], buf + 99, 100, 0));
    QUEUED(ioevent_read(a[0], buf + 99, 100)); /* once is enough */
    end();
}

static void write_and_read(void)
{
    begin();
    QUEUED(ioevent_write(a[0], buf, sizeof buf)); /* done, and its event is not harvested */
    QUEUED(ioevent_read(a[0], buf + 7, 1));
    end();
}

static void in_an_array(void)
{
    struct iovec iov[40];
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 40 };

    begin();
    for (int i = 0; i < 40; i++)
        iov[i] = (struct iovec){ buf + 10 * i, 10 };
    QUEUED(ioevent_recvmsg(a[0], &msg, 0));
    QUEUED(ioevent_write(b[0], buf + 399, 1));
    end();
}

static void one_length(void)
{
    struct sockaddr_in addr[2];
    socklen_t len = sizeof addr[0];
    int listener = OK(socket(AF_INET, SOCK_STREAM, 0));

    begin();
    OK(listen(listener, 1));
    ATTACH(listener, p, 0xc);
    QUEUED(ioevent_accept(listener, (struct sockaddr *)&addr[0], &len));
    QUEUED(ioevent_accept(listener, (struct sockaddr *)&addr[1], &len));
    OK(ioevent_close(listener));
    end();
}

static void submitted(void)
{
    struct ioevent_op ops[2] = {
        { .ioo_kind = IOEVENT_OP_READ, .ioo_fd = DEBUG_FD, .ioo_user = USER(0x71), .ioo_buf = buf, .ioo_len = 9 },
        { .ioo_kind = IOEVENT_OP_READ, .ioo_fd = DEBUG_FD, .ioo_user = USER(0x72), .ioo_buf = buf, .ioo_len = 9 },
    };

    begin();
    GIVES(ioevent_submit(ops, 2), 2);
    end();
}

/* Every one of these is right. */
static void apart(void)
{
    struct iovec same[2] = { { buf, 10 }, { buf, 10 } };

    begin();
    QUEUED(ioevent_write(a[0], buf, 100)); /* two that only read */
    QUEUED(ioevent_write(b[0], buf, 100));
    QUEUED(ioevent_writev(b[0], same, 2));
    QUEUED(ioevent_read(a[0], buf + 100, 100)); /* beside it */
    QUEUED(ioevent_read(b[0], buf + 200, 100));
    OK(write(a[1], "x", 1));
    for (int i = 0; i < 4; i++) /* the same buffer again, after its event */
        HARVEST(p);
    QUEUED(ioevent_read(a[0], buf + 100, 100));
    QUEUED(ioevent_readv(b[0], same, 2)); /* by itself, it is the program's own matter */
    GIVES(ioevent_cancel(b[0]), 2);
    HARVEST(p);
    HARVEST(p);
    QUEUED(ioevent_read(b[0], buf + 200, 100));
    OK(ioevent_fcntl(b[0], F_SETIOEVENTFLAGS, IOEVENT_INLINE));
    GIVES(ioevent_write(b[0], buf, 10), 10); /* done: nothing is outstanding */
    GIVES(ioevent_write(b[0], buf, 10), 10);
    QUEUED(ioevent_read(a[0], buf, 10));
    end();
}

static void in_a_full_pipe(void)
{
    begin();
    OK(ioevent_fcntl(p, F_SETIOEVENTSZ, 1));
    QUEUED(ioevent_read(a[0], buf, 10));
    FAILS(ioevent_read(b[0], buf + 5, 10), EIOEVENTFULL); /* not outstanding, so it overlaps with nothing */
    GIVES(ioevent_cancel(a[0]), 1);
    HARVEST(p);
    QUEUED(ioevent_read(a[0], buf + 10, 10));
    end();
}

int main(void)
{
    SAID("1", two_reads, 1, "ioevent: ioevent_recv of descriptor 77 (user pointer 0xa): its buffer of 100 bytes at ");
    SAID("1", two_reads, 1, " overlaps the buffer of 100 bytes at ");
    SAID("1", two_reads, 1, " (user pointer 0xb), which is outstanding\n");
    SAID("1", write_and_read, 1, "of ioevent_write of descriptor 77 (user pointer 0xa), which is outstanding");
    SAID("1", in_an_array, 1, "overlaps the buffer of 10 bytes at ");
    SAID("1", one_length, 1, "its struct of 4 bytes at ");
    SAID("1", submitted, 1, "(user pointer 0x72): its buffer of 9 bytes at ");
    SAID_NOTHING("1", apart);
    SAID_NOTHING("1", in_a_full_pipe);
    SAID_NOTHING(NULL, two_reads);
    return 0;
}

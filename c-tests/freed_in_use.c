/*
 * Memory that is freed, or leaves its scope, while an operation has the use of it (rule 2.3, rule 7.5): under the
 * address sanitizer it is reported when the I/O is done and when the event is made; under memcheck by that itself;
 * without either the library does not look. And under each of them what is right is right.
 */
#include "test.h"
#include "test_debug.h"

#if defined __has_feature
#define NO_INLINE __attribute__((noinline))
#else
#define NO_INLINE __attribute__((noinline, noclone))
#endif

static int p, fd[2];

static void begin(void)
{
    p = OK(ioeventpipe(8));
    unix_pair(fd);
    ATTACH(fd[0], p, 1);
}

static void end(void)
{
    OK(ioevent_close(fd[0]));
    OK(ioevent_close(p));
}

static void freed_then_read(void)
{
    char *buf = calloc(1, 100);

    begin();
    QUEUED(ioevent_read(fd[0], buf, 100));
    free(buf);
    OK(write(fd[1], "x", 1));
    EXPECT(p, 1, 1, 0);
    end();
}

static void freed_then_written(void)
{
    size_t n = 8 << 20;
    char *buf = calloc(1, n);
    struct ioevent event;

    begin();
    QUEUED(ioevent_write(fd[0], buf, n));
    free(buf);
    skip(fd[1], 200000);
    if (ioevent_wait(p, &event, 1, &no_wait) == 0) { /* EFAULT ends it where the memory is gone */
        GIVES(ioevent_cancel(fd[0]), 1);
        HARVEST(p);
    }
    end();
}

static void freed_array(void)
{
    char buf[8];
    struct iovec *iov = malloc(sizeof *iov);

    *iov = (struct iovec){ buf, sizeof buf };
    begin();
    QUEUED(ioevent_readv(fd[0], iov, 1));
    free(iov);
    OK(write(fd[1], "x", 1));
    HARVEST(p);
    end();
}

static void freed_in_a_message(void)
{
    char *buf = malloc(8);
    struct iovec iov = { buf, 8 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    begin();
    QUEUED(ioevent_recvmsg(fd[0], &msg, 0));
    free(buf);
    OK(write(fd[1], "x", 1));
    HARVEST(p);
    end();
}

/* The I/O is done; the event is not made. */
static void freed_before_its_event(void)
{
    char *buf = calloc(1, 100);

    begin();
    QUEUED(ioevent_write(fd[0], buf, 100));
    free(buf);
    EXPECT(p, 1, 100, 0);
    end();
}

static void freed_then_cancelled(void)
{
    char *buf = calloc(1, 100);

    begin();
    QUEUED(ioevent_read(fd[0], buf, 100));
    free(buf);
    GIVES(ioevent_cancel(fd[0]), 1);
    EXPECT(p, 1, -1, ECANCELED);
    end();
}

static NO_INLINE void read_into_the_stack(void)
{
    char buf[100];

    QUEUED(ioevent_read(fd[0], buf, sizeof buf));
}

static void left_scope(void)
{
    begin();
    read_into_the_stack();
    OK(write(fd[1], "x", 1));
    EXPECT(p, 1, 1, 0);
    end();
}

static void too_long(void)
{
    char *buf = malloc(8);

    begin();
    OK(write(fd[1], "0123456789abcdef", 16));
    QUEUED(ioevent_read(fd[0], buf, 8)); /* as long as it is: right */
    EXPECT(p, 1, 8, 0);
    QUEUED(ioevent_read(fd[0], buf, 16));
    EXPECT(p, 1, 8, 0);
    OK(write(fd[1], "0123456789abcdef", 16));
    QUEUED(ioevent_read(fd[0], buf, 16));
    EXPECT(p, 1, 16, 0);
    free(buf);
    end();
}

static void right(void)
{
    char *buf = calloc(1, 100);
    struct iovec iov[2] = { { buf, 10 }, { buf + 10, 90 } };

    begin();
    QUEUED(ioevent_read(fd[0], buf, 100));
    OK(write(fd[1], "x", 1));
    EXPECT(p, 1, 1, 0);
    QUEUED(ioevent_readv(fd[0], iov, 2));
    OK(write(fd[1], "x", 1));
    EXPECT(p, 1, 1, 0);
    QUEUED(ioevent_writev(fd[0], iov, 2));
    EXPECT(p, 1, 100, 0);
    QUEUED(ioevent_read(fd[0], buf, 100));
    GIVES(ioevent_cancel(fd[0]), 1);
    EXPECT(p, 1, -1, ECANCELED);
    free(buf);
    end();
}

/* What TCP discards is written nowhere. */
static void discarded(void)
{
    static char data[100];
    char *buf = malloc(8);
    int tcp[2];

    begin();
    CHECK(tcp_pair(AF_INET, tcp));
    ATTACH(tcp[0], p, 2);
    QUEUED(ioevent_recv(tcp[0], buf, 1000, MSG_TRUNC));
    OK(write(tcp[1], data, sizeof data));
    EXPECT(p, 2, sizeof data, 0);
    free(buf);
    OK(ioevent_close(tcp[0]));
    end();
}

/* `seen_by_memcheck`: the kernel is asked to use it. */
static void wrong(void (*body)(void), const char *report, const char *access, bool seen_by_memcheck)
{
    const char *text = debugged(NULL, body);
    int expected = on_valgrind() && seen_by_memcheck ? 99 << 8 : 0;

    if (ON_ASAN) {
        if (debug_status != 0 && strstr(text, report) && strstr(text, access))
            return;
    } else if (debug_status == expected && debug_lines(text) == 0) {
        return;
    }
    dprintf(2, "expected: %s, %s; the child ended with status %#x, and said:\n%s", report, access, debug_status, text);
    exit(1);
}

int main(void)
{
    wrong(freed_then_read, "heap-use-after-free", "WRITE of size", true);
    wrong(freed_then_written, "heap-use-after-free", "READ of size", true);
    wrong(freed_array, "heap-use-after-free", "READ of size", true);
    wrong(freed_in_a_message, "heap-use-after-free", "WRITE of size", true);
    wrong(freed_before_its_event, "heap-use-after-free", "READ of size", false);
    wrong(freed_then_cancelled, "heap-use-after-free", "WRITE of size", false);
    if (ON_ASAN || on_valgrind()) /* else it does harm */
        wrong(too_long, "heap-buffer-overflow", "WRITE of size", true);
    wrong(left_scope, "stack-use-after-", "WRITE of size", false);
    SAID_NOTHING(NULL, right);
    SAID_NOTHING("1", right);
    if (!on_valgrind()) /* which believes that it is written */
        SAID_NOTHING(NULL, discarded);
    return 0;
}

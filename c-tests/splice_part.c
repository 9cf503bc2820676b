/*
 * A splice or sendfile into a pipe that takes only a part ends with that part, as the blocking call does; what is
 * left is moved by the next ones, and nothing is lost: rule 2.4. From sockets, pipes and files, by each way to ask.
 */
#include "test_file.h"
#include <sys/sendfile.h>

enum { FROM_UNIX, FROM_TCP, FROM_PIPE, FROM_DISK, FROM_MEMORY, SOURCES };
enum { SPLICE, SPLICE_MORE, SPLICE_POINTER, SENDFILE, SUBMIT_SPLICE, SUBMIT_SENDFILE, WAYS };
enum { EMPTY, HALF, DESTINATIONS }; /* one page that is free, or two of which one is free */
enum { SIZE = 60000 };

struct twin {
    int in, in_peer, out[2];
    loff_t at; /* in the source, where a pointer says it */
};

static void make(struct twin *t, int from, int to)
{
    static char data[SIZE];
    int fd[2] = { -1, -1 };

    put_pattern(data, 0, SIZE);
    switch (from) {
    case FROM_UNIX: unix_pair(fd); break;
    case FROM_TCP: CHECK(tcp_pair(AF_INET, fd)); break;
    case FROM_PIPE: OK(pipe2(fd, O_CLOEXEC)); break;
    default: fd[0] = make_file(from == FROM_DISK ? FILE_DISK : FILE_MEMORY);
    }
    t->in = fd[0];
    t->in_peer = fd[1];
    t->at = 0;
    if (fd[1] >= 0) {
        for (int i = 0; i < 10; i++)
            SAME(write(fd[1], data + i * (SIZE / 10), SIZE / 10), SIZE / 10);
    } else {
        SAME(write(fd[0], data, SIZE), SIZE);
        uncache(fd[0]);
        OK(lseek(fd[0], 0, SEEK_SET));
    }
    OK(pipe2(t->out, O_CLOEXEC));
    OK(fcntl(t->out[1], F_SETPIPE_SZ, to == EMPTY ? page_size() : 2 * page_size()));
    if (to == HALF)
        for (int i = 0; i < page_size(); i++) /* a page that is full: no later byte is put into it */
            SAME(write(t->out[1], "~", 1), 1);
}

/* The blocking calls of the kernel, and those of the library. */
static ssize_t transfer(struct twin *t, int way, int user)
{
    off_t *at = way == SPLICE_POINTER || way == SENDFILE ? &t->at : NULL;
    bool mine = user == 0;
    struct ioevent_op op = { .ioo_kind = way == SUBMIT_SPLICE ? IOEVENT_OP_SPLICE : IOEVENT_OP_SENDFILE,
                             .ioo_fd = t->out[1], .ioo_fd2 = t->in, .ioo_user = USER(user), .ioo_len = SIZE,
                             .ioo_offset = -1, .ioo_offset2 = -1 };

    switch (way) {
    case SENDFILE:
        return mine ? sendfile(t->out[1], t->in, at, SIZE) : ioevent_sendfile(t->out[1], t->in, at, SIZE);
    case SUBMIT_SPLICE:
    case SUBMIT_SENDFILE:
        if (mine)
            return way == SUBMIT_SPLICE ? splice(t->in, NULL, t->out[1], NULL, SIZE, 0)
                                        : sendfile(t->out[1], t->in, NULL, SIZE);
        GIVES(ioevent_submit(&op, 1), 1);
        errno = EIOEVENTQUEUED;
        return -1;
    default:
        return mine ? splice(t->in, at, t->out[1], NULL, SIZE, way == SPLICE_MORE ? SPLICE_F_MORE : 0)
                    : ioevent_splice(t->in, at, t->out[1], NULL, SIZE, way == SPLICE_MORE ? SPLICE_F_MORE : 0);
    }
}

static void end(struct twin *t)
{
    GIVES(ioevent_close(t->in), 0);
    if (t->in_peer >= 0)
        OK(close(t->in_peer));
    GIVES(ioevent_close(t->out[0]), 0);
    GIVES(ioevent_close(t->out[1]), 0);
}

static void run(int from, int way, int to, bool attach_source, bool is_inline, bool nonblock)
{
    int p = OK(ioeventpipe(4)), attached;
    struct twin a, b;
    static char block[2 * 65536];
    size_t done = 0;
    ssize_t n;

    make(&a, from, to);
    make(&b, from, to);
    n = transfer(&a, way, 0);
    CHECK(n > 0 && n < SIZE);
    end(&a);

    attached = attach_source ? b.in : b.out[1];
    set_nonblock(attached, nonblock);
    ATTACH(attached, p, 1);
    if (is_inline)
        GIVES(ioevent_fcntl(attached, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    for (bool first = true; done < SIZE; first = false) {
        struct ioevent e = { .ioe_user = USER(1) };
        ssize_t r = transfer(&b, way, 1);

        if (r == -1 && errno == EIOEVENTQUEUED) {
            e = HARVEST(p);
        } else {
            CHECK(is_inline);
            e.ioe_result = (int)r;
        }
        CHECK(e.ioe_user == USER(1));
        SAME(e.ioe_errno, 0);
        if (first) {
            /* (A piece of what TCP holds ends with its page; where pages are larger, the twins' pieces begin anywhere.) */
            if (from != FROM_TCP || page_size() == 4096)
                SAME(e.ioe_result, n);
            if (to == HALF) {
                read_all(b.out[0], block, (size_t)page_size());
                CHECK(is_all(block, '~', (size_t)page_size()));
            }
        }
        CHECK(e.ioe_result > 0 && e.ioe_result <= SIZE);
        read_all(b.out[0], block, (size_t)e.ioe_result);
        CHECK(is_pattern(block, done, (size_t)e.ioe_result));
        done += (size_t)e.ioe_result;
        if (way == SPLICE_POINTER || way == SENDFILE)
            SAME(b.at, done);
        SAME(drain(b.out[0]), 0);
    }
    SAME(done, SIZE);
    STAYS_QUIET(p);
    end(&b);
    GIVES(ioevent_close(p), 0);
}

/* Before Linux 5.12 sendfile(2) into a pipe goes on until all is moved. */
static bool sendfile_gives_part(void)
{
    struct twin t;
    bool part = false;
    pid_t pid;

    make(&t, FROM_MEMORY, EMPTY);
    if (child(&pid))
        _exit(sendfile(t.out[1], t.in, NULL, SIZE) < SIZE ? 0 : 1);
    for (int ms = 0; ms < 2000 && !part; ms++) {
        part = OK(waitpid(pid, NULL, WNOHANG)) == pid;
        breathe();
    }
    if (!part) {
        OK(kill(pid, SIGKILL));
        GIVES(waitpid(pid, NULL, 0), pid);
    }
    end(&t);
    return part;
}

int main(void)
{
    bool by_sendfile = sendfile_gives_part();

    for (int from = 0; from < SOURCES; from++)
        for (int way = 0; way < WAYS; way++) {
            bool is_file = from == FROM_DISK || from == FROM_MEMORY;

            if (!is_file && (way == SPLICE_POINTER || way == SENDFILE || way == SUBMIT_SENDFILE))
                continue;
            if (!by_sendfile && (way == SENDFILE || way == SUBMIT_SENDFILE))
                continue;
            for (int i = 0; i < 4; i++)
                run(from, way, i / 2 ? HALF : EMPTY, i % 2, (way + i) % 3 == 0, (way + i) % 2);
        }
    return 0;
}

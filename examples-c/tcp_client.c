/* tcp_client [-t seconds] [-r retries] host port: connects, sends its standard input, and prints what comes, until the
 * server closes. Shows a connect with a time limit, that tries each address of a name in turn, and when all have failed
 * tries again after a pause, which a timer of the pipe measures: 100 milliseconds, twice as long each time, and a bit
 * more or less, lest a thousand clients of a server that has been away come back in the same moment.
 *
 * Then bytes go both ways at once, from the input to the socket and from the socket to the output, with one operation
 * of each way. At the end of its input the client says so, by shutting down its direction, and goes on to print what
 * the server has to answer. */
#include "example.h"

#include <fcntl.h>
#include <ioevent.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_PAUSE = 10000 /* milliseconds */ };

static int pipe_fd;

/* Waits for the event of the one operation that is outstanding. */
static struct ioevent result(void)
{
    struct ioevent event;
    int n;
    while ((n = ioevent_wait(pipe_fd, &event, 1, NULL)) == -1 && errno == EINTR)
        ;
    if (n == -1)
        err(1, "ioevent_wait");
    return event;
}

static struct ioevent result_of(const struct ioevent_op *op)
{
    if (ioevent_submit(op, 1) == -1)
        return (struct ioevent){.ioe_result = -1, .ioe_errno = errno};
    return result();
}

/* Connects to an address within a time; -1 and errno if it cannot. */
static int connect_to(const struct addrinfo *address, const struct timespec *limit)
{
    int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);
    if (fd == -1)
        return -1;
    struct ioevent event = {.ioe_result = -1};
    if (ioevent_fcntl(fd, F_SETIOEVENTPIPE, pipe_fd, NULL) == -1) {
        event.ioe_errno = errno;
    } else {
        struct ioevent_op op;
        ioevent_prep_connect(&op, fd, address->ai_addr, &address->ai_addrlen, NULL);
        op.ioo_timeout = *limit;
        event = result_of(&op); /* ETIMEDOUT, if nobody answers within the limit */
    }
    if (event.ioe_result == 0)
        return fd;
    ioevent_close(fd);
    errno = event.ioe_errno;
    return -1;
}

/* Connects to the first of the addresses that answers; -1 and errno of the last that does not. */
static int connect_to_any(const struct addrinfo *addresses, const struct timespec *limit)
{
    int fd = -1;
    for (const struct addrinfo *a = addresses; a != NULL && fd == -1; a = a->ai_next) {
        fd = connect_to(a, limit);
        if (fd == -1) {
            char host[NI_MAXHOST] = "", port[NI_MAXSERV] = "";
            int error = errno;
            getnameinfo(a->ai_addr, a->ai_addrlen, host, sizeof host, port, sizeof port,
                        NI_NUMERICHOST | NI_NUMERICSERV);
            warnx("%s port %s: %s", host, port, strerror(error));
            errno = error;
        }
    }
    return fd;
}

static void pause_for(int milliseconds)
{
    struct ioevent_op op;
    struct timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};
    ioevent_prep_timer(&op, pipe_fd, &time, NULL);
    if (result_of(&op).ioe_result == -1)
        err(1, "timer");
}

static int connect_with_patience(const struct addrinfo *addresses, const struct timespec *limit, int retries)
{
    int fd, pause = 100;
    srandom((unsigned)time(NULL) ^ (unsigned)getpid());
    while ((fd = connect_to_any(addresses, limit)) == -1 && retries-- > 0) {
        int this_time = pause / 2 + (int)(random() % (pause + 1)); /* from half as long to half as long again */
        warnx("trying again in %d ms", this_time);
        pause_for(this_time);
        pause = pause < LONGEST_PAUSE / 2 ? 2 * pause : LONGEST_PAUSE;
    }
    return fd;
}

/* Bytes go one way through a buffer: read, then written. The user pointer of both operations is the way's own, which is
 * why they are submitted: the socket has one of each way at a time. */
struct way {
    int from, to, over;
    size_t begin, end; /* what is to be written, of the buffer; nothing: it is time to read */
    char buffer[16384];
};

static void queue(struct way *way)
{
    struct ioevent_op op;
    if (way->begin < way->end)
        ioevent_prep_write(&op, way->to, way->buffer + way->begin, way->end - way->begin, way);
    else
        ioevent_prep_read(&op, way->from, way->buffer, sizeof way->buffer, way);
    if (ioevent_submit(&op, 1) == -1)
        err(1, "submit");
}

static void copy_both_ways(int fd)
{
    static struct way ways[2];
    ways[0] = (struct way){.from = STDIN_FILENO, .to = fd};
    ways[1] = (struct way){.from = fd, .to = STDOUT_FILENO};
    for (int i = 0; i < 2; i++)
        if (ioevent_fcntl(i, F_SETIOEVENTPIPE, pipe_fd, NULL) == -1)
            err(1, i == STDIN_FILENO ? "standard input" : "standard output");
    queue(&ways[0]);
    queue(&ways[1]);
    while (!ways[1].over) {
        struct ioevent event = result();
        struct way *way = event.ioe_user;
        int writing = way->begin < way->end;
        if (event.ioe_result == -1 && way == &ways[0] && (event.ioe_errno == EPIPE || event.ioe_errno == ECONNRESET)) {
            way->over = 1; /* the server wants no more; what it has said may still be on its way */
        } else if (event.ioe_result == -1) {
            errx(1, "%s: %s", writing ? "write" : "read", strerror(event.ioe_errno));
        } else if (event.ioe_result == 0 && !writing) { /* the end of what is read */
            way->over = 1;
            if (way == &ways[0])
                shutdown(fd, SHUT_WR); /* all has been written, so no ioevent_shutdown need stand in line */
        } else {
            way->begin = writing ? way->begin + (size_t)event.ioe_result : 0;
            way->end = writing ? way->end : (size_t)event.ioe_result;
            queue(way); /* a write that was cut short, by a disk that is full, say, is made again and tells why */
        }
    }
}

int main(int argc, char **argv)
{
    static const char usage[] = "usage: tcp_client [-t seconds] [-r retries] host port";
    struct timespec limit = {.tv_sec = 5};
    int option, retries = 5;
    while ((option = getopt(argc, argv, ":t:r:")) != -1) {
        int n = option == 't' ? number(optarg, 1, 3600) : option == 'r' ? number(optarg, 0, 1000000) : -1;
        if (n == -1)
            errx(2, "%s", usage);
        if (option == 't')
            limit.tv_sec = n;
        else
            retries = n;
    }
    if (argc - optind != 2)
        errx(2, "%s", usage);

    /* This may take its time, but there is nothing else to do yet; see proxy.c for a server, which has. */
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    int problem = getaddrinfo(argv[optind], argv[optind + 1], &hints, &addresses);
    if (problem != 0)
        errx(1, "%s port %s: %s", argv[optind], argv[optind + 1], gai_strerror(problem));
    pipe_fd = ioeventpipe2(4, O_CLOEXEC); /* one operation while it connects, then one of each way */
    if (pipe_fd == -1)
        err(1, "ioeventpipe");
    int fd = connect_with_patience(addresses, &limit, retries);
    freeaddrinfo(addresses);
    if (fd == -1)
        return 1; /* it was said why */
    copy_both_ways(fd);
    ioevent_close(pipe_fd);
    close(fd);
    return 0;
}

/* multi: one loop that waits for five different things together: a datagram, a timer, a signal, the exit of a child,
 * and an event that another thread posts. Shows that on an ioevent pipe they all come in the same form, and that
 * timers, signals and children need no calls of their own: a timerfd, a signalfd and a pidfd are attached like a
 * socket. Prints a line for each, and ends when all were seen. */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <ioevent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum kind { DATAGRAM, TIMER, SIGNAL, CHILD, POSTED, KINDS };

/* What a user pointer points to. The buffer belongs to the operation that is outstanding, until its event was read. */
struct source {
    enum kind kind;
    int fd;
    union {
        char text[64];
        uint64_t expirations;
        struct signalfd_siginfo signal;
    } buffer;
};

struct program {
    int pipe;
    struct source sources[KINDS];
    struct sockaddr_in address; /* of the datagram socket */
};

static int open_datagram_socket(struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof *address;
    if (fd == -1 || bind(fd, (struct sockaddr *)address, length) == -1 ||
        getsockname(fd, (struct sockaddr *)address, &length) == -1)
        err(1, "socket");
    return fd;
}

static int open_timer(void)
{
    const struct itimerspec soon = {.it_value.tv_nsec = 20000000}; /* 20 ms */
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd == -1 || timerfd_settime(fd, 0, &soon, NULL) == -1)
        err(1, "timerfd");
    return fd;
}

/* The signal must be blocked before any thread is started: one that does not block it would get it, and end us. */
static int open_signal(int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd == -1)
        err(1, "signalfd");
    return fd;
}

/* Starts a child that soon exits with status 7, and answers a descriptor for it. */
static int open_child(void)
{
    pid_t child = fork();
    if (child == 0) {
        usleep(10000);
        _exit(7);
    }
    int fd = child == -1 ? -1 : (int)syscall(SYS_pidfd_open, child, 0);
    if (fd == -1)
        err(1, "child");
    return fd;
}

/* The other thread: sends a datagram and a signal, and posts an event. */
static void *make_things_happen(void *argument)
{
    struct program *program = argument;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sendto(fd, "hello", 5, 0, (struct sockaddr *)&program->address, sizeof program->address);
    close(fd);
    kill(getpid(), SIGUSR1);
    struct ioevent posted = {.ioe_user = &program->sources[POSTED], .ioe_result = 42};
    if (ioevent_write(program->pipe, &posted, sizeof posted) != sizeof posted) /* returns at once: this is the pipe */
        err(1, "post");
    return NULL;
}

/* Attaches a source and queues its operation: a read, but for the child, of which there is nothing to read. */
static void start(struct program *program, enum kind kind, int fd)
{
    struct source *source = &program->sources[kind];
    source->kind = kind;
    source->fd = fd;
    if (ioevent_fcntl(fd, F_SETIOEVENTPIPE, program->pipe, source) == -1)
        err(1, "attach");
    if (!ioevent_queued(kind == CHILD ? ioevent_poll(fd, POLLIN)
                                      : ioevent_read(fd, &source->buffer, sizeof source->buffer)))
        errx(1, "queue: %s", ioevent_strerror(errno));
}

static void print_child(int pidfd)
{
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) == -1)
        err(1, "waitid");
    printf("child: process %d exited with status %d\n", (int)info.si_pid, info.si_status);
}

static void print_event(const struct ioevent *event)
{
    struct source *source = event->ioe_user;
    if (event->ioe_result == -1)
        errx(1, "event: %s", ioevent_strerror(event->ioe_errno));
    switch (source->kind) {
    case DATAGRAM: printf("datagram: %.*s\n", event->ioe_result, source->buffer.text); break;
    case TIMER: printf("timer: expired %llu time\n", (unsigned long long)source->buffer.expirations); break;
    case SIGNAL: printf("signal: %s\n", strsignal((int)source->buffer.signal.ssi_signo)); break;
    case CHILD: print_child(source->fd); break;
    default: printf("posted: %d\n", event->ioe_result);
    }
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc > 1)
        errx(2, "usage: multi (it takes no arguments)");

    struct program program = {.sources[POSTED] = {.kind = POSTED, .fd = -1}};
    int child = open_child();
    int signals = open_signal(SIGUSR1);
    program.pipe = ioeventpipe2(KINDS, O_CLOEXEC); /* one place for each operation, and one to post into */
    if (program.pipe == -1)
        err(1, "ioeventpipe");
    start(&program, DATAGRAM, open_datagram_socket(&program.address));
    start(&program, TIMER, open_timer());
    start(&program, SIGNAL, signals);
    start(&program, CHILD, child);

    pthread_t other;
    if ((errno = pthread_create(&other, NULL, make_things_happen, &program)) != 0)
        err(1, "pthread_create");

    for (int seen = 0; seen < KINDS;) {
        struct ioevent events[KINDS];
        int count = ioevent_wait(program.pipe, events, KINDS, &(struct timespec){.tv_sec = 10});
        if (count == 0)
            errx(1, "nothing happened for ten seconds");
        if (count == -1 && errno != EINTR)
            err(1, "ioevent_wait");
        for (int i = 0; i < count; i++, seen++)
            print_event(&events[i]);
    }
    pthread_join(other, NULL);
    for (int kind = 0; kind < POSTED; kind++)
        ioevent_close(program.sources[kind].fd);
    ioevent_close(program.pipe);
    return 0;
}

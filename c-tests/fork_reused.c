/*
 * A child that has closed all descriptors, and has files of its own on their numbers, before the library can do
 * anything about the fork (a handler of pthread_atfork(3) that comes first; _Fork and clone): none of its files is
 * touched, and the library works there anew: rules 3.7, 5.2, 5.5.
 */
#include "test_closefrom.h"

static bool reuse;         /* the handler is to do it */
static int but = -1, last; /* one number stays free; from here on up as well */

static void take_numbers(void)
{
    close_from(3);
    own_fill(3, last, but);
}

/* Runs in the child, before what the library has registered. */
static void handler(void)
{
    if (reuse)
        take_numbers();
}

static void in_child(int how)
{
    int p;

    alarm((unsigned)test_timeout() / 3 + 1);
    if (how != FORK)
        take_numbers();
    own_check();
    FAILS(ioevent_cancel(2), EINVAL); /* the first call */
    own_check();
    for (int i = 0; i < npipes; i++)
        if (own[pipes[i]].used) {
            struct ioevent e;

            CHECK(ioevent_wait(pipes[i], &e, 1, &no_wait) == -1 && (errno == EINVAL || errno == EBADF));
            CHECK(ioevent_cancel(pipes[i]) == -1);
        }
    if (own[attached_one].used)
        ATTACHED(attached_one, -1, 0);
    own_check();
    p = OK(ioeventpipe(16));
    own_check();
    pipe_works(p);
    own_check();
    pipe_works(OK(ioeventpipe2(16, O_NONBLOCK)));
    GIVES(ioevent_close(p), 0);
    CHECK(own_cpu(50000000) < 40000000);
    own_check();
    _exit(0);
}

static void run(int with, int how, int shift, bool leave_the_pipe)
{
    pid_t pid;
    struct ioevent e;
    int file[2];

    begin_work(with);
    unix_pair(file);
    ATTACH(file[0], pipes[0], 70);
    QUEUED(ioevent_read(file[0], lost_buffers[7], 64));
    own_shift = shift;
    but = leave_the_pipe ? pipes[0] : -1;
    last = shift & 1 ? 500 : 700;
    reuse = how == FORK;
    pid = fork_by(how);
    if (pid == 0)
        in_child(how);
    CHILD_PASSED(pid);
    OK(write(file[1], "abc", 3)); /* the parent notices nothing */
    do
        e = HARVEST(pipes[0]);
    while (e.ioe_user == USER(4));
    CHECK(e.ioe_user == USER(70) && e.ioe_result == 3);
    pipe_works(OK(ioeventpipe(16)));
}

int main(void)
{
    if (ON_ASAN)
        SKIP("a child of a process with threads cannot allocate under the address sanitizer");
    ZERO(pthread_atfork(NULL, NULL, handler)); /* the library has not been used yet */
    want_numbers();
    for (int shift = 0; shift < OWN_KINDS; shift++)
        for (int how = 0; how < FORK_WAYS; how++) {
            int with = how == shift % 3 ? WITH_ALL : WITH_SOCKET | WITH_TIMERS | WITH_FILE;

            test_variant = shift * 10 + how;
            IN_CHILD(run(with, how, shift, shift % 3 == 2));
        }
    return 0;
}

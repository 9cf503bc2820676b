/*
 * A child of clone(CLONE_VM | CLONE_VFORK), which has its parent's memory and a stack of its own, as posix_spawn makes
 * it: what it calls leaves the parent's timers and operations alone, while other threads harvest: rule 5.2.
 */
#include "test.h"
#include <spawn.h>

extern char **environ;

enum { TIMERS = 50 };

static int p, fd[2], over;

static int in_child(void *arg)
{
    (void)arg;
    ioevent_cancel(p);
    ioevent_cancel2(p, IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, USER(7));
    ioevent_cancel(fd[0]);
    ioevent_fcntl(fd[0], F_SETIOEVENTPIPE, -1, (void *)NULL);
    ioevent_fcntl(p, F_SETIOEVENTSZ, 1000);
    ioevent_close(fd[0]);
    ioevent_close(p);
    return 0;
}

static void *harvests(void *unused)
{
    struct ioevent e;
    struct timespec t = { 0, 2000000 };

    while (!GET(over)) {
        int n = ioevent_wait(p, &e, 1, &t);

        /* The end of a child while posix_spawn(3) blocks all signals interrupts other threads, though nobody handles
         * it. */
        CHECK(n == 0 || (n == -1 && errno == EINTR));
    }
    return unused;
}

int main(void)
{
    static char stack[256 << 10] __attribute__((aligned(64)));
    char b[8];
    pthread_t t[2];
    char *argv[] = { "true", NULL };

    p = OK(ioeventpipe(64));
    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    QUEUED(ioevent_read(fd[0], b, sizeof b));
    for (int i = 0; i < TIMERS; i++) {
        struct ioevent_op op = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = USER(7),
                                 .ioo_timeout = { 3600, 0 } };

        GIVES(ioevent_submit(&op, 1), 1);
    }
    for (int threads = 0; threads <= 2; threads += 2) {
        SET(over, 0);
        for (int i = 0; i < threads; i++)
            t[i] = start_thread(harvests, NULL);
        for (int k = 0; k < 20; k++) {
            int status = -1;
            pid_t pid;

            if (k % 4 == 3) {
                posix_spawn_file_actions_t actions;

                posix_spawn_file_actions_init(&actions);
                posix_spawn_file_actions_adddup2(&actions, fd[1], fd[0]);
                posix_spawn_file_actions_adddup2(&actions, fd[1], p);
                ZERO(posix_spawnp(&pid, "true", &actions, NULL, argv, environ));
                posix_spawn_file_actions_destroy(&actions);
            } else {
                pid = OK(clone(in_child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
            }
            GIVES(waitpid(pid, &status, 0), pid);
            SAME(status, 0);
            SAME(ioevent_fcntl(p, F_GETIOEVENTCNT), TIMERS + 1);
            SAME(ioevent_fcntl(p, F_GETIOEVENTSZ), 64);
            ATTACHED(fd[0], p, 1);
        }
        SET(over, 1);
        for (int i = 0; i < threads; i++)
            ZERO(pthread_join(t[i], NULL));
    }
    STAYS_QUIET(p);
    OK(write(fd[1], "abc", 3));
    EXPECT(p, 1, 3, 0);
    GIVES(ioevent_cancel(p), TIMERS);
    for (int i = 0; i < TIMERS; i++)
        EXPECT(p, 7, -1, ECANCELED);
    STAYS_QUIET(p);
    return 0;
}

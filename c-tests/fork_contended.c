/*
 * A process is forked while its threads contend for one pipe and a few descriptors, some of them waiting for each
 * other's locks; no child hangs that uses the library anew, with threads of its own that contend likewise: rules 5.1,
 * 5.2.
 *
 * FORK_CONTENDED=processes   how many (6)
 */
#include "test.h"

enum { THREADS = 6, FORKS = 20, SHARED = 3 };

static int p, fd[SHARED][2], over;

static void *contends(void *arg)
{
    uint64_t random = 88172645463325252ull + (uintptr_t)arg * 7919;
    char b[8];

    for (int rounds = 0; rounds < 300 || !GET(over); rounds++) {
        int *s = fd[next_random(&random) % SHARED];
        struct ioevent e[4];
        struct ioevent_op timer = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_user = arg,
                                    .ioo_timeout = { 3600, 0 } };

        switch (next_random(&random) % 8) {
        case 0:
        case 1:
            (void)ioevent_poll(s[0], POLLIN);
            break;
        case 2:
            (void)ioevent_write(s[0], "abc", 3);
            break;
        case 3:
            (void)ioevent_submit(&timer, 1);
            break;
        case 4:
            (void)ioevent_cancel2(p, IOEVENT_CANCEL_ALL | IOEVENT_CANCEL_USER, arg);
            break;
        case 5:
            (void)ioevent_cancel(s[0]);
            break;
        case 6:
            (void)ioevent_fcntl(s[0], F_SETIOEVENTPIPE, p, arg);
            break;
        default:
            (void)!recv(s[1], b, sizeof b, MSG_DONTWAIT);
            (void)ioevent_fcntl(p, F_GETIOEVENTCNT);
        }
        (void)ioevent_wait(p, e, 4, &no_wait);
        if (rounds > 2000000)
            break;
    }
    return NULL;
}

static void begin(pthread_t t[], int threads)
{
    p = OK(ioeventpipe(200));
    SET(over, 0);
    for (int i = 0; i < SHARED; i++) {
        unix_pair(fd[i]);
        ATTACH(fd[i][0], p, i);
    }
    for (int i = 0; i < threads; i++)
        t[i] = start_thread(contends, USER(i + 1));
}

static void end(pthread_t t[], int threads)
{
    SET(over, 1);
    for (int i = 0; i < threads; i++)
        ZERO(pthread_join(t[i], NULL));
    for (int i = 0; i < SHARED; i++) {
        GIVES(ioevent_close(fd[i][0]), 0);
        OK(close(fd[i][1]));
    }
    GIVES(ioevent_close(p), 0);
}

static void one_process(void)
{
    pthread_t t[THREADS];

    begin(t, THREADS);
    for (int k = 0; k < FORKS; k++) {
        pid_t pid;
        int status;

        if (k % 3)
            breathe();
        if (child(&pid)) {
            alarm((unsigned)test_timeout() / 6 + 1);
            begin(t, 3);
            end(t, 3);
            _exit(0);
        }
        GIVES(waitpid(pid, &status, 0), pid);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
            CHECK(!"a child hung");
        SAME(status, 0);
    }
    end(t, THREADS);
    exit(0);
}

int main(int argc, char **argv)
{
    const char *s = getenv("FORK_CONTENDED");
    int processes = s ? atoi(s) : on_valgrind() ? 1 : 6;

    if (ON_ASAN)
        SKIP("malloc of the address sanitizer hangs in such a child");
    if (argc > 1)
        one_process();
    for (int k = 0; k < processes; k++) {
        pid_t pid;

        if (child(&pid)) {
            execl(argv[0], "fork_contended", "one", (char *)NULL);
            _exit(127);
        }
        CHILD_PASSED(pid);
    }
    return 0;
}

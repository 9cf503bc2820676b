/*
 * A forked child that uses the library anew never hangs, though threads of its parent were waiting when it was forked:
 * idle workers, threads in harvests, threads that stand by behind others: rule 5.2, rule 5.4. Where they wait depends
 * on the addresses of the process, so this is done in many processes, each of which forks some times.
 *
 * FORK_PARKED=processes   how many (24); none is begun after half the time of the watchdog
 */
#include "test_file.h"

enum { PIECES = 48, PIECE = 16384, FORKS = 8, HARVESTERS = 4 };

static char *buffer;
static int standing; /* threads that wait in a harvest that does not end */

static void *waits(void *p)
{
    struct ioevent e;

    ADD(standing, 1);
    (void)ioevent_wait(*(int *)p, &e, 1, NULL);
    ADD(standing, -1);
    return NULL;
}

/* Reads the file in pieces, at once, as far as the cache lets it. */
static void read_pieces(int file, int p, int n)
{
    uncache(file);
    for (int i = 0; i < n; i++)
        QUEUED(ioevent_pread(file, buffer + i * PIECE, PIECE, (off_t)i * PIECE));
    for (int i = 0; i < n; i++)
        EXPECT(p, 1, PIECE, 0);
}

static void use(int file, int *p, int *idle, pthread_t thread[HARVESTERS])
{
    *p = OK(ioeventpipe(PIECES));
    *idle = OK(ioeventpipe(PIECES));
    ATTACH(file, *p, 1);
    SET(standing, 0);
    for (int i = 0; i < HARVESTERS; i++)
        thread[i] = start_thread(waits, idle);
    read_pieces(file, *p, PIECES);
    UNTIL(GET(standing) == HARVESTERS);
}

static void in_child(int file)
{
    int p, idle;
    pthread_t thread[HARVESTERS];

    alarm((unsigned)test_timeout() / 6 + 1);
    use(file, &p, &idle, thread);
    GIVES(ioevent_close(idle), 0);
    for (int i = 0; i < HARVESTERS; i++)
        ZERO(pthread_join(thread[i], NULL));
    CHECK(is_pattern(buffer, 0, PIECES * PIECE));
    GIVES(ioevent_close(p), 0);
    _exit(0);
}

static void one_process(void)
{
    int file = disk_file(), p, idle;
    pthread_t thread[HARVESTERS];
    pid_t pid;

    buffer = room(PIECES * PIECE);
    fill_file(file, PIECES * PIECE);
    use(file, &p, &idle, thread);
    for (int k = 0; k < FORKS; k++) {
        int status;

        read_pieces(file, p, 8); /* the workers are woken, and go idle again */
        if (k % 2)
            breathe();
        if (child(&pid))
            in_child(file);
        GIVES(waitpid(pid, &status, 0), pid);
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
            CHECK(!"a child hung");
        SAME(status, 0);
    }
    GIVES(ioevent_close(idle), 0);
    for (int i = 0; i < HARVESTERS; i++)
        ZERO(pthread_join(thread[i], NULL));
    exit(0);
}

int main(int argc, char **argv)
{
    const char *s = getenv("FORK_PARKED");
    long long begin = now_ns();
    int processes = s ? atoi(s) : on_valgrind() ? 1 : 24;

    if (ON_ASAN)
        SKIP("malloc of the address sanitizer hangs in such a child");
    if (argc > 1)
        one_process();
    for (int k = 0; k < processes && now_ns() - begin < test_timeout() * 500000000LL; k++) {
        pid_t pid;

        if (child(&pid)) {
            execl(argv[0], "fork_parked", "one", (char *)NULL);
            _exit(127);
        }
        CHILD_PASSED(pid);
    }
    return 0;
}

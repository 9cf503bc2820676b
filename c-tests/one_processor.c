/*
 * Threads that can only run on one processor: one of them waits in the kernel, the others stand by. They take over all
 * the same when that one is busy, see signals, timeouts and the end of the pipe, and all wait in the kernel again when
 * they may run on several processors. Rules 3.2, 3.3, 3.7.
 */
#include "test.h"

enum { THREADS = 4, HOLD = 100, ROUNDS = 8 };

static int p, fd[THREADS][2];
static char byte[THREADS];
static pid_t tids[THREADS];
static int taken, held, interrupted[THREADS], closed;
static sem_t release;

static void *worker(void *number)
{
    intptr_t me = (intptr_t)number;

    TELL_TID(tids[me]);
    for (;;) {
        struct ioevent e;
        struct timespec t = test_long();
        int n = ioevent_wait(p, &e, 1, me % 2 ? &t : NULL);

        if (n == -1 && errno == EINTR) {
            ADD(interrupted[me], 1);
        } else if (n == -1) {
            SAME(errno, EBADF);
            ADD(closed, 1);
            return NULL;
        } else {
            SAME(n, 1);
            ADD(taken, 1);
            if ((uintptr_t)e.ioe_user >= HOLD) {
                ADD(held, 1);
                ZERO(sem_wait(&release));
            }
        }
    }
}

/* The number of the system call that a thread waits in; -1 if it does not, or nobody may know. */
static long call_of(pid_t tid)
{
    char path[64], text[32] = "";
    int file;

    snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file == -1)
        return -1;
    if (read(file, text, sizeof text - 1) <= 0 || text[0] < '0' || text[0] > '9')
        text[0] = '-', text[1] = '1', text[2] = 0;
    close(file);
    return atol(text);
}

/* How many workers stand by. */
static int standing_by(void)
{
    int n = 0;

    for (int i = 0; i < THREADS; i++)
        n += call_of(GET(tids[i])) == SYS_futex;
    return n;
}

/* Lets any worker have an event through socket i. */
static void send_one(int i, int user)
{
    int before = GET(taken);

    ATTACH(fd[i][0], p, user);
    QUEUED(ioevent_read(fd[i][0], &byte[i], 1));
    GIVES(write(fd[i][1], "x", 1), 1);
    UNTIL(GET(taken) > before);
}

/* Sends until so many stand by. */
static void until_standing_by(int count)
{
    for (int i = 0; standing_by() != count; i++) {
        send_one(i % THREADS, 1);
        breathe();
    }
}

static void post(int user)
{
    struct ioevent e = { USER(user), 0, 0 };

    GIVES(ioevent_write(p, &e, sizeof e), sizeof e);
}

/* All workers get an event one after the other, and are busy with it; then they are let go. */
static void hold_all(int how)
{
    for (int i = 0; i < THREADS; i++) {
        if (how == 0 || (how == 2 && i % 2))
            send_one(i, HOLD + i);
        else
            post(HOLD + i);
        UNTIL(GET(held) == i + 1);
    }
    SET(held, 0);
    for (int i = 0; i < THREADS; i++)
        ZERO(sem_post(&release));
}

static void on_signal(int sig)
{
    (void)sig;
}

static void *wait_shortly(void *unused)
{
    struct ioevent e;
    struct timespec t = { 0, 20000000 };

    GIVES(ioevent_wait(p, &e, 1, &t), 0);
    return unused;
}

/* One life of a pipe; `all` are the processors that its threads may run on in the end. */
static void live(int rounds, const cpu_set_t *all)
{
    pthread_t threads[THREADS];
    bool can_see;

    p = OK(ioeventpipe(2 * THREADS));
    for (int i = 0; i < THREADS; i++)
        unix_pair(fd[i]);
    for (intptr_t i = 0; i < THREADS; i++) {
        SET(tids[i], 0);
        SET(interrupted[i], 0);
        threads[i] = start_thread(worker, (void *)i);
    }
    for (int i = 0; i < THREADS; i++)
        UNTIL_ASLEEP(tids[i]);
    can_see = call_of(tids[0]) != -1;
    if (!can_see)
        fprintf(stderr, "which calls threads are in cannot be seen here\n");

    if (can_see)
        until_standing_by(THREADS - 1);
    ZERO(pthread_join(start_thread(wait_shortly, NULL), NULL));
    for (int i = 0; i < THREADS; i++)
        UNTIL((pthread_kill(threads[i], SIGUSR1), GET(interrupted[i]) > 0));
    for (int round = 0; round < rounds; round++) {
        if (can_see && round < 2)
            until_standing_by(THREADS - 1); /* the second time that takes a while: see engine/watch.rs */
        hold_all(round % 3);
    }
    if (can_see)
        until_standing_by(THREADS - 1);
    if (can_see && CPU_COUNT(all) > 1) {
        for (int i = 0; i < THREADS; i++)
            OK(sched_setaffinity(tids[i], sizeof *all, all));
        until_standing_by(0);
    }
    SAME(GET(closed), 0);
    GIVES(ioevent_close(p), 0);
    for (int i = 0; i < THREADS; i++) {
        ZERO(pthread_join(threads[i], NULL));
        OK(close(fd[i][0]));
        OK(close(fd[i][1]));
    }
    SAME(GET(closed), THREADS);
    SET(closed, 0);
}

int main(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    cpu_set_t all, one;
    int first = 0;

    NEEDS_PROC();
    OK(sched_getaffinity(0, sizeof all, &all));
    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    OK(sched_setaffinity(0, sizeof one, &one));
    OK(sigaction(SIGUSR1, &action, NULL));
    ZERO(sem_init(&release, 0, 0));
    live(0, &one);
    live(ROUNDS, &all);
    return 0;
}

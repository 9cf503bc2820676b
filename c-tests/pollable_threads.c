/*
 * A thread that waits with poll on a pipe with O_NONBLOCK is woken for what other threads post and for what comes
 * from outside at any moment: rule 3.6. Nothing else would wake it, so one that is missed hangs the test.
 */
#include "test.h"
#include <sys/epoll.h>

enum { N = 20000 };

static int p, fd[2], posted_seen, read_seen;
static sem_t credit;

static void *poster(void *unused)
{
    for (int i = 0; i < N; i++) {
        struct ioevent e = { USER(1), i, 0 };

        TEST_HERE("poster");
        while (GET(posted_seen) < i - (i % 5)) /* often only one is on the way */
            sched_yield();
        GIVES(ioevent_write(p, &e, sizeof e), sizeof e);
    }
    return unused;
}

static void *writer(void *unused)
{
    for (int i = 0; i < N; i++) {
        TEST_HERE("writer");
        while (sem_wait(&credit) == -1)
            ;
        GIVES(write(fd[1], "x", 1), 1);
    }
    return unused;
}

static void run(bool edge)
{
    pthread_t t[2];
    char b[4];
    int ep = OK(epoll_create1(0));

    p = OK(ioeventpipe2(16, O_NONBLOCK));
    SET(posted_seen, 0);
    SET(read_seen, 0);
    sem_init(&credit, 0, 0);
    OK(epoll_ctl(ep, EPOLL_CTL_ADD, p, &(struct epoll_event){ .events = EPOLLIN | (edge ? EPOLLET : 0u) }));
    unix_pair(fd);
    ATTACH(fd[0], p, 2);
    QUEUED(ioevent_read(fd[0], b, 1));
    sem_post(&credit);
    t[0] = start_thread(poster, NULL);
    t[1] = start_thread(writer, NULL);
    while (posted_seen + read_seen < 2 * N) {
        struct epoll_event ready;
        struct ioevent e;
        ssize_t n;

        GIVES(epoll_wait(ep, &ready, 1, -1), 1);
        while ((n = ioevent_read(p, &e, sizeof e)) == sizeof e) {
            if (e.ioe_user == USER(1)) {
                SAME(e.ioe_result, posted_seen);
                ADD(posted_seen, 1);
            } else {
                SAME(e.ioe_result, 1);
                if (ADD(read_seen, 1) < N) {
                    if (read_seen % 2)
                        sem_post(&credit);
                    QUEUED(ioevent_read(fd[0], b, 1));
                    if (read_seen % 2 == 0)
                        sem_post(&credit);
                }
            }
            if (!edge)
                break; /* one at a time: the rest must make it readable again */
        }
        CHECK(n > 0 || errno == EAGAIN);
    }
    ZERO(pthread_join(t[0], NULL));
    ZERO(pthread_join(t[1], NULL));
    GIVES(ioevent_close(p), 0);
    GIVES(ioevent_close(fd[0]), 0);
    OK(close(fd[1]));
    OK(close(ep));
}

int main(void)
{
    run(false);
    run(true);
    return 0;
}

/* A thread that never harvests queues, another one that waits harvests, as long as both live: rule 3.3. */
#include "test.h"

enum { N = 5000 };

static int p, fd[2];
static sem_t room;

static void *harvester(void *unused)
{
    for (int i = 0; i < N; i++) {
        HARVEST(p);
        sem_post(&room);
    }
    return unused;
}

int main(void)
{
    pthread_t t;
    char b[4];

    p = OK(ioeventpipe(4));
    OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd));
    ATTACH(fd[0], p, 1);
    ATTACH(fd[1], p, 2);
    sem_init(&room, 0, 4);
    t = start_thread(harvester, NULL);
    for (int i = 0; i < N; i++) {
        TEST_HERE("room in the pipe");
        while (sem_wait(&room) == -1)
            ;
        if (i % 2)
            QUEUED(ioevent_recv(fd[0], b, 4, 0));
        else
            QUEUED(ioevent_send(fd[1], "abc", 3, 0));
    }
    ZERO(pthread_join(t, NULL));
    STAYS_QUIET(p);
    return 0;
}

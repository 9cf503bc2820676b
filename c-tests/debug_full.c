/*
 * IOEVENT_DEBUG names a pipe that has been full for a second and that no thread harvests; and none where a thread
 * waits in a harvest, or can see that there is nothing to harvest: ioevent_debug(7), rule 7.4.
 */
#include "test.h"
#include "test_debug.h"

static void of_events(void)
{
    struct ioevent e = { USER(0), 0, 0 };
    int p = OK(ioeventpipe(1));

    GIVES(ioevent_write(p, &e, sizeof e), sizeof e);
    until_reported();
    HARVEST(p);
    OK(ioevent_close(p));
}

static void of_operations(void)
{
    static char buf[8];
    int p = OK(ioeventpipe(2)), fd[2];

    unix_pair(fd);
    fd[0] = debug_number(fd[0]);
    ATTACH(fd[0], p, 0x77);
    QUEUED(ioevent_write(fd[0], "x", 1));
    QUEUED(ioevent_read(fd[0], buf, sizeof buf));
    until_reported();
    HARVEST(p);
    OK(ioevent_close(fd[0]));
    HARVEST(p);
    OK(ioevent_close(p));
}

static void *harvests(void *p)
{
    HARVEST(*(int *)p);
    return NULL;
}

/* Three that are right, and one that is not, and is full for a shorter time than they are. */
static void of_others(void)
{
    static char buf[3][8];
    int p[3], fd[3], pair[2];
    pthread_t thread;

    p[0] = OK(ioeventpipe(1));              /* a thread waits there */
    p[1] = OK(ioeventpipe2(1, O_NONBLOCK)); /* there is nothing to harvest, as poll(2) says */
    p[2] = OK(ioeventpipe(2));              /* a place is free */
    for (int i = 0; i < 3; i++) {
        unix_pair(pair);
        fd[i] = pair[0];
        ATTACH(fd[i], p[i], i);
        QUEUED(ioevent_read(fd[i], buf[i], sizeof buf[i]));
    }
    thread = start_thread(harvests, &p[0]);
    of_events();
    for (int i = 0; i < 3; i++)
        OK(ioevent_close(fd[i]));
    ZERO(pthread_join(thread, NULL));
    HARVEST(p[1]);
    HARVEST(p[2]);
    for (int i = 0; i < 3; i++)
        OK(ioevent_close(p[i]));
}

int main(void)
{
    SAID("1", of_events, 1, "all 1 places are taken, by events that were posted");
    SAID("1", of_operations, 1,
         "has been full for a second, and no thread has harvested it: all 2 places are taken, the first by ioevent_write "
         "of descriptor 77 (user pointer 0x77), which is complete, and 1 other operation");
    SAID("1", of_others, 1, "by events that were posted");
    return 0;
}

/*
 * A harvest that does not wait returns what is there, also just after the program has not harvested for a while and the
 * library's own thread looks into the pipe: rule 3.2 and rule 2.7.
 */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(4)), fd[2];
    struct timespec none = { 0, 0 }, while_ = { 0, 25000000 };
    struct ioevent e;
    char b[4];

    unix_pair(fd);
    ATTACH(fd[0], p, 1);
    for (int round = 0; round < 40; round++) {
        nanosleep(&while_, NULL); /* no thread harvests: whatever the library does then, it does now */
        for (int i = 0; i < 500; i++) {
            QUEUED(ioevent_read(fd[0], b, sizeof b));
            OK(write(fd[1], "x", 1));
            GIVES(ioevent_wait(p, &e, 1, &none), 1);
            CHECK(e.ioe_user == USER(1));
            SAME(e.ioe_result, 1);
        }
        /* the same when the library's thread has been woken for the event */
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        nanosleep(&while_, NULL);
        OK(write(fd[1], "y", 1));
        GIVES(ioevent_wait(p, &e, 1, &none), 1);
    }
    return 0;
}

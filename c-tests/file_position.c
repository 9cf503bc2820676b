/*
 * Descriptors of one open file share its position: operations at it that are outstanding on several of them at once
 * read different bytes, and write one beside the other: rule 4.2. Of files in memory the kernel does not see to that
 * itself; once two of four reads got the same bytes and the position moved too little.
 */
#include "test_file.h"

enum { COPIES = 4, ROUNDS = 3000, NUMBERS = COPIES * ROUNDS };

/* Queues an operation on each copy and takes the events. */
#define ALL_AT_ONCE(queue)                                                                       \
    do {                                                                                         \
        struct ioevent events[COPIES];                                                           \
        for (int i = 0; i < COPIES; i++)                                                         \
            QUEUED(queue);                                                                       \
        for (int got = 0; got < COPIES;)                                                         \
            got += OK((int)ioevent_wait(p, events + got, (size_t)(COPIES - got), NULL));         \
        for (int i = 0; i < COPIES; i++)                                                         \
            SAME(events[i].ioe_result, sizeof(int));                                             \
    } while (0)

static void run(int which)
{
    int p = OK(ioeventpipe(COPIES)), fd = make_file(which), copies[COPIES], numbers[COPIES];
    static bool seen[NUMBERS];

    for (int i = 0; i < COPIES; i++) {
        copies[i] = OK(dup(fd));
        ATTACH(copies[i], p, i + 1);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < COPIES; i++)
            numbers[i] = COPIES * round + i;
        ALL_AT_ONCE(ioevent_write(copies[i], &numbers[i], sizeof numbers[i]));
    }
    SAME(position(fd), NUMBERS * (off_t)sizeof(int));

    OK(lseek(fd, 0, SEEK_SET));
    memset(seen, 0, sizeof seen);
    for (int round = 0; round < ROUNDS; round++) {
        ALL_AT_ONCE(ioevent_read(copies[i], &numbers[i], sizeof numbers[i]));
        for (int i = 0; i < COPIES; i++) {
            CHECK(numbers[i] / COPIES == round);
            CHECK(!seen[numbers[i]]);
            seen[numbers[i]] = true;
        }
    }
    SAME(position(fd), NUMBERS * (off_t)sizeof(int));
    for (int i = 0; i < COPIES; i++)
        GIVES(ioevent_close(copies[i]), 0);
    OK(close(fd));
    GIVES(ioevent_close(p), 0);
}

int main(void)
{
    for (int which = 0; which < FILES; which++)
        run(which);
    return 0;
}

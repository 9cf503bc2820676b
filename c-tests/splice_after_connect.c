/*
 * A transfer that waits for the connection of its descriptor holds its other descriptor: the program may close that,
 * and have another file on its number: rule 4.8.
 */
#include "test_connect.h"

int main(void)
{
    struct address a;
    int p = OK(ioeventpipe(8)), l = listener(AF_UNIX, 0, &a), c, s, out[2], foreign[2];
    char b[4];

    fill_backlog(&a);
    c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    OK(pipe(out));
    OK(pipe2(foreign, O_NONBLOCK));
    ATTACH(c, p, 1);
    QUEUED(ioevent_connect(c, SOCKADDR(&a), a.length));
    QUEUED(ioevent_splice(c, NULL, out[1], NULL, 3, 0));
    OK(dup2(foreign[1], out[1]));
    while ((s = OK(accept(l, NULL, NULL)))) {
        struct ioevent e;

        OK(write(s, "abc", 3)); /* the last that is accepted is the library's */
        if (ioevent_wait(p, &e, 1, &no_wait) == 1) {
            SAME(e.ioe_result, 0);
            break;
        }
    }
    for (struct pollfd queue = { .fd = l, .events = POLLIN }; poll(&queue, 1, 0) == 1;)
        OK(write(OK(accept(l, NULL, NULL)), "abc", 3));
    EXPECT(p, 1, 3, 0);
    read_all(out[0], b, 3);
    CHECK(memcmp(b, "abc", 3) == 0);
    FAILS(read(foreign[0], b, 3), EAGAIN);
    return 0;
}

/*
 * An accept on a descriptor that is not attached gives out a number whose attached descriptor was closed by plain
 * close(2): what was outstanding there is ended: rule 4.4.
 */
#include "test.h"

int main(void)
{
    int p = OK(ioeventpipe(8)), pair[2], client, accepted;
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int listener = OK(socket(AF_INET, SOCK_STREAM, 0));
    char b[8], none;

    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ZERO(bind(listener, (struct sockaddr *)&address, sizeof address));
    ZERO(listen(listener, 8));
    ZERO(getsockname(listener, (struct sockaddr *)&address, &length));
    for (int with_flags = 0; with_flags < 2; with_flags++) {
        client = OK(socket(AF_INET, SOCK_STREAM, 0));
        ZERO(connect(client, (struct sockaddr *)&address, sizeof address));
        ZERO(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
        ATTACH(pair[0], p, 1);
        QUEUED(ioevent_read(pair[0], b, sizeof b));
        OK(close(pair[0]));
        accepted = with_flags ? OK(ioevent_accept4(listener, NULL, NULL, SOCK_CLOEXEC))
                              : OK(ioevent_accept(listener, NULL, NULL));
        SAME(accepted, pair[0]);
        EXPECT(p, 1, -1, ECANCELED);
        GIVES(ioevent_write(accepted, "x", 1), 1);
        GIVES(read(client, &none, 1), 1);
        OK(close(accepted));
        OK(close(client));
        OK(close(pair[1]));
    }
    GIVES(ioevent_close(p), 0);
    return 0;
}

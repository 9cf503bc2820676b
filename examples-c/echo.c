/* echo [port]: sends back what it receives. Shows the smallest honest server: one thread, one pipe, one operation at a
 * time on each connection. With one for accept that is CONNECTIONS + 1 at most, so EIOEVENTFULL cannot happen. */
#include <arpa/inet.h>
#include <err.h>
#include <ioevent.h>
#include <netinet/tcp.h>
#include <stdlib.h>

enum { CONNECTIONS = 10000, BATCH = 64 };
struct connection { int fd, writing; char buffer[4096]; };

int main(int argc, char **argv)
{
    char *rest = NULL;
    long port = argc == 1 ? 7777 : strtol(argv[1], &rest, 10);
    if (argc > 2 || (rest != NULL && *rest != '\0') || port < 1 || port > 65535)
        errx(2, "usage: echo [port], from 1 to 65535");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int pipe = ioeventpipe(CONNECTIONS + 1), listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* its connections inherit this */
    if (pipe == -1 || bind(listener, (void *)&here, sizeof here) || listen(listener, SOMAXCONN) ||
        ioevent_fcntl(listener, F_SETIOEVENTPIPE, pipe, NULL)) /* NULL: so we know its events */
        err(1, "port %ld", port);

    for (int open = 0, limit = CONNECTIONS, accepting = 0;;) {
        if (!accepting && open < limit)
            accepting = ioevent_queued(ioevent_accept(listener, NULL, NULL));
        struct ioevent events[BATCH];
        int n = ioevent_wait(pipe, events, BATCH, accepting ? NULL : &(struct timespec){.tv_sec = 1});
        if (n == 0)
            limit = CONNECTIONS; /* a second without events: try accept again */
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].ioe_user;
            int result = events[i].ioe_result;
            if (c == NULL) {
                c = result == -1 ? NULL : malloc(sizeof *c);
                accepting = 0;
                limit = c == NULL ? open : CONNECTIONS; /* out of descriptors or memory: wait until one is closed */
                if (c == NULL) {
                    ioevent_close(result);
                    continue;
                }
                c->fd = result;
                c->writing = 1; /* as if it had just written: so it goes on to read */
                result = ioevent_fcntl(c->fd, F_SETIOEVENTPIPE, pipe, c) == 0 ? 1 : -1;
                open++;
            }
            c->writing = !c->writing;
            if (result <= 0 || !ioevent_queued(c->writing ? ioevent_write(c->fd, c->buffer, result)
                                                          : ioevent_read(c->fd, c->buffer, sizeof c->buffer))) {
                ioevent_close(c->fd); /* end of file or an error: no operation is outstanding */
                free(c);
                open--;
            }
        }
    }
}

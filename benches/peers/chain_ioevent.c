/* The chain over libioevent: each reading end has a read outstanding. */
#include "peer.h"

#include <ioevent.h>

enum { BATCH = 64 };
struct reader { int index; char byte; };

static void start(const struct chain *chain, struct reader *reader)
{
    if (ioevent_read(chain->pair[reader->index][0], &reader->byte, 1) != -1 || errno != EIOEVENTQUEUED)
        errx(1, "ioevent_read: %s", ioevent_strerror(errno));
}

int main(int argc, char **argv)
{
    struct chain chain = chain_options(argc, argv);
    struct reader *readers = calloc(chain.pairs, sizeof *readers);
    int pipe_fd = ioeventpipe(chain.pairs);
    if (readers == NULL || pipe_fd == -1)
        err(1, "ioevent");
    for (int i = 0; i < chain.pairs; i++) {
        readers[i].index = i;
        if (ioevent_fcntl(chain.pair[i][0], F_SETIOEVENTPIPE, pipe_fd, &readers[i]) == -1)
            err(1, "attach");
        start(&chain, &readers[i]);
    }

    while (chain.rounds-- > 0) {
        chain_begin(&chain);
        while (chain.to_read > 0) {
            struct ioevent events[BATCH];
            int n = ioevent_wait(pipe_fd, events, BATCH, NULL);
            for (int i = 0; i < n; i++) {
                struct reader *reader = events[i].ioe_user;
                if (events[i].ioe_result == 1)
                    chain_pass(&chain, reader->index);
                start(&chain, reader);
            }
        }
        chain_end(&chain);
    }
}

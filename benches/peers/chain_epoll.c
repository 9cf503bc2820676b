/* The chain over epoll, level-triggered. */
#include "peer.h"

#include <sys/epoll.h>

enum { BATCH = 64 };

int main(int argc, char **argv)
{
    struct chain chain = chain_options(argc, argv);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < chain.pairs; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, chain.pair[i][0], &event) == -1)
            err(1, "epoll");
    }

    while (chain.rounds-- > 0) {
        chain_begin(&chain);
        while (chain.to_read > 0) {
            struct epoll_event events[BATCH];
            int n = epoll_wait(epoll, events, BATCH, -1);
            for (int i = 0; i < n; i++) {
                char byte;
                int index = events[i].data.u32;
                if (recv(chain.pair[index][0], &byte, 1, 0) == 1)
                    chain_pass(&chain, index);
            }
        }
        chain_end(&chain);
    }
}

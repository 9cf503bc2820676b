/* resolver.c: getaddrinfo waits for an answer, for half a minute at worst, and there is no way to be told of one by a
 * descriptor. So a few threads wait, and post what they get to the pipe of the loop. */
#define _GNU_SOURCE 1
#include "resolver.h"

#include <err.h>
#include <errno.h>
#include <ioevent.h>
#include <pthread.h>
#include <stddef.h>

enum { THREADS = 8 };

static int pipe_fd;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for the queue: */
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static struct resolution *first, **end = &first;

static struct resolution *take(void)
{
    pthread_mutex_lock(&lock);
    while (first == NULL)
        pthread_cond_wait(&not_empty, &lock);
    struct resolution *r = first;
    first = r->next;
    if (first == NULL)
        end = &first;
    pthread_mutex_unlock(&lock);
    return r;
}

static void *work(void *unused)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    for (;;) {
        struct resolution *r = take();
        r->found = NULL;
        struct ioevent event = {.ioe_user = r->user, .ioe_result = getaddrinfo(r->host, r->port, &hints, &r->found)};
        /* r is not looked at any more: the loop may have harvested the event already. */
        if (ioevent_write(pipe_fd, &event, sizeof event) != sizeof event)
            return unused; /* the program ends, and has closed the pipe */
    }
}

void resolver_open(int pipe)
{
    pipe_fd = pipe;
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        if ((errno = pthread_create(&thread, NULL, work, NULL)) != 0)
            err(1, "cannot start a thread");
        pthread_detach(thread);
    }
}

void resolver_start(struct resolution *r)
{
    pthread_mutex_lock(&lock);
    r->next = NULL;
    *end = r;
    end = &r->next;
    pthread_cond_signal(&not_empty);
    pthread_mutex_unlock(&lock);
}

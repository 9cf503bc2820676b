/*
 * Many descriptors that are ready and whose operations cannot finish, side by side: the harvest keeps its time limit,
 * the others are served, it costs little, and each is done when its receiver has room, in whatever order: rule 3.2,
 * rule 3.4. With several threads that harvest, too.
 */
#include "test_spin.h"

enum { SENDERS = 40, RECEIVERS = 4, ROUNDS = 200 };

static int p, s[SENDERS];
static struct receiver r[RECEIVERS];

static void queue_all(void)
{
    for (int i = 0; i < RECEIVERS; i++)
        fill_receiver(&r[i]);
    for (int i = 0; i < SENDERS; i++) {
        struct receiver *to = &r[i % RECEIVERS];

        ATTACH(s[i], p, i + 1);
        QUEUED(ioevent_sendto(s[i], "last", 4, 0, SOCKADDR(&to->address), to->address.length));
    }
}

/* Each send has its event once, while their receivers take them. */
static void take_all(void)
{
    bool seen[SENDERS] = { false };
    char b[8];

    for (int i = 0; i < RECEIVERS; i++) {
        empty_receiver(&r[i]);
        for (int k = 0; k < SENDERS / RECEIVERS; k++) {
            struct ioevent e = HARVEST(p);
            uintptr_t user = (uintptr_t)e.ioe_user;

            SAME(e.ioe_result, 4);
            SAME(e.ioe_errno, 0);
            CHECK(user >= 1 && user <= SENDERS && !seen[user - 1] && (user - 1) % RECEIVERS == (unsigned)i);
            seen[user - 1] = true;
            SAME(recv(r[i].fd, b, sizeof b, 0), 4);
            CHECK(memcmp(b, "last", 4) == 0);
        }
    }
    STAYS_QUIET(p);
}

static void *waiter(void *unused)
{
    struct timespec t = { 0, 300000000 };
    struct ioevent e;

    GIVES(ioevent_wait(p, &e, 1, &t), 0);
    return unused;
}

int main(void)
{
    int fd[2];
    char b[8];
    long long cpu;
    pthread_t t[3];

    p = OK(ioeventpipe(SENDERS + 8));
    for (int i = 0; i < SENDERS; i++)
        s[i] = OK(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    for (int i = 0; i < RECEIVERS; i++)
        make_receiver(&r[i]);
    unix_pair(fd);
    ATTACH(fd[0], p, 1000);
    queue_all();
    IDLE(p, 300);
    IDLE_ALONE(300);
    cpu = cpu_ns();
    for (int i = 0; i < 3; i++)
        t[i] = start_thread(waiter, NULL);
    for (int i = 0; i < 3; i++)
        ZERO(pthread_join(t[i], NULL));
    CHECK(on_valgrind() || cpu_ns() - cpu < 150000000);
    for (int i = 0; i < ROUNDS; i++) { /* a normal one beside them */
        QUEUED(ioevent_read(fd[0], b, sizeof b));
        OK(write(fd[1], "abc", 3));
        EXPECT(p, 1000, 3, 0);
        QUIET(p);
    }
    take_all();
    queue_all();
    for (int i = 0; i < SENDERS; i++)
        GIVES(ioevent_cancel(s[i]), 1);
    for (int i = 0; i < SENDERS; i++)
        SAME(HARVEST(p).ioe_errno, ECANCELED);
    STAYS_QUIET(p);
    return 0;
}

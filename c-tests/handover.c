/*
 * What a thread wrote before it queued an operation, or posted an event, is seen by the thread that harvests: rule 5.6.
 * Two workers share a pipe, and nothing of a task's state is atomic or locked, so that no task may be in two hands at
 * once. The thread sanitizer (ci/tsan.sh) must find nothing: the library has told it.
 */
#include "test.h"

enum { CONNECTIONS = 8, BYTES = 64, CHANGES = 40 };
enum kind { READ_WRITE, RECV_SEND, SUBMIT, INLINE, KINDS, ACCEPT = KINDS, TIMER, POST, TASKS = CONNECTIONS + 3 };

struct task {
    enum kind kind;
    int fd;
    int worker;  /* that handled it last */
    int changes; /* how often that was another than before */
    bool writes; /* it is a write that is outstanding */
    unsigned long step, sent;
    char buffer[BYTES];
};

static int p;

/* Relaxed: the sanitizer takes nothing from these for a hand-over. */
static unsigned long handled[2];
static int left = TASKS, pausing = -1;

#define RELAXED(variable) __atomic_load_n(&(variable), __ATOMIC_RELAXED)

static struct task *new_task(enum kind kind, int fd, int worker)
{
    struct task *task = calloc(1, sizeof *task);

    CHECK(task != NULL);
    task->kind = kind;
    task->fd = fd;
    task->worker = worker;
    return task;
}

static void submit(struct task *task, struct ioevent_op op)
{
    op.ioo_user = task;
    GIVES(ioevent_submit(&op, 1), 1);
}

/* Starts what comes next. Returns what it gave, or -1 if an event will come; then the task may be in other hands. */
static ssize_t next(struct task *task)
{
    int fd = task->fd, kind = task->kind;
    bool writes = task->writes;
    char *buffer = task->buffer;
    ssize_t n;

    task->sent = ++task->step;
    switch (kind) {
    case ACCEPT:
        QUEUED(ioevent_accept4(fd, NULL, NULL, SOCK_CLOEXEC));
        return -1;
    case TIMER:
        submit(task, (struct ioevent_op){ .ioo_kind = IOEVENT_OP_TIMER, .ioo_fd = p, .ioo_timeout.tv_nsec = 1000 });
        return -1;
    case POST:
        GIVES(ioevent_write(p, &(struct ioevent){ .ioe_user = task }, sizeof(struct ioevent)), sizeof(struct ioevent));
        return -1;
    case SUBMIT:
        submit(task, (struct ioevent_op){ .ioo_kind = writes ? IOEVENT_OP_WRITE : IOEVENT_OP_READ, .ioo_fd = fd,
                                          .ioo_buf = buffer, .ioo_len = BYTES });
        return -1;
    case RECV_SEND:
        n = writes ? ioevent_send(fd, buffer, BYTES, 0) : ioevent_recv(fd, buffer, BYTES, MSG_WAITALL);
        break;
    default:
        n = writes ? ioevent_write(fd, buffer, BYTES) : ioevent_read(fd, buffer, BYTES);
        break;
    }
    CHECK(kind == INLINE || n == -1);
    CHECK(n != -1 || errno == EIOEVENTQUEUED);
    return n;
}

static void end(struct task *task)
{
    const struct ioevent over[2] = { { 0 }, { 0 } };

    if (task->kind <= ACCEPT)
        OK(ioevent_close(task->fd));
    free(task);
    if (__atomic_sub_fetch(&left, 1, __ATOMIC_RELAXED) == 0)
        GIVES(ioevent_write(p, over, sizeof over), sizeof over);
}

static void handle(struct task *task, long result, int me);

static void begin_connection(int number, int fd, int me)
{
    struct task *task = new_task(number % KINDS, fd, me);
    long result;

    ATTACH(fd, p, task->kind == SUBMIT ? NULL : task);
    if (task->kind == INLINE)
        GIVES(ioevent_fcntl(fd, F_SETIOEVENTFLAGS, IOEVENT_INLINE), 0);
    result = next(task);
    if (result != -1)
        handle(task, result, me);
}

/* A task's event has come. */
static void handle(struct task *task, long result, int me)
{
    if (task->worker != me) {
        task->worker = me;
        task->changes++;
    }
    do {
        SAME(task->sent, task->step);
        if (task->kind == ACCEPT) {
            CHECK(result >= 0);
            if (task->step <= CONNECTIONS)
                begin_connection((int)task->step, (int)result, me);
            if (task->step == CONNECTIONS) {
                end(task);
                return;
            }
        } else if (task->kind < KINDS) {
            SAME(result, BYTES);
            task->writes = !task->writes;
        }
        if (task->changes >= CHANGES && task->kind != ACCEPT && !task->writes) {
            end(task);
            return;
        }
        result = next(task);
    } while (result != -1);
}

/* Now and then leaves everything to the other for a while: so what one has queued is harvested by the other. */
static void leave_to_other(int me, uint64_t *random)
{
    int nobody = -1;

    if (next_random(random) % 8 != 0 ||
        !__atomic_compare_exchange_n(&pausing, &nobody, me, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        return;
    unsigned long until = RELAXED(handled[!me]) + 1 + next_random(random) % 4;

    UNTIL(RELAXED(handled[!me]) >= until || RELAXED(left) == 0);
    __atomic_store_n(&pausing, -1, __ATOMIC_RELAXED);
}

static void *work(void *number)
{
    int me = number != NULL;
    uint64_t random = 1 + (unsigned)me;

    for (;;) {
        struct ioevent event;

        leave_to_other(me, &random);
        if (me)
            GIVES(ioevent_wait(p, &event, 1, NULL), 1);
        else
            GIVES(ioevent_read(p, &event, sizeof event), sizeof event);
        if (!event.ioe_user)
            return NULL;
        SAME(event.ioe_errno, 0);
        handle(event.ioe_user, event.ioe_result, me);
        __atomic_fetch_add(&handled[me], 1, __ATOMIC_RELAXED);
    }
}

/* Sends to each connection, and reads the echo, until the server closes it. */
static void run_client(const struct address *address)
{
    int fd[CONNECTIONS], open = CONNECTIONS, one = 1;
    char request[BYTES], echo[BYTES];

    for (int i = 0; i < CONNECTIONS; i++) {
        fd[i] = OK(socket(AF_INET, SOCK_STREAM, 0));
        OK(connect(fd[i], SOCKADDR(address), address->length));
        OK(setsockopt(fd[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
    }
    for (size_t round = 0; open > 0; round++) {
        put_pattern(request, round, BYTES);
        for (int i = 0; i < CONNECTIONS; i++)
            if (fd[i] >= 0)
                send(fd[i], request, BYTES, MSG_NOSIGNAL); /* or it was closed: seen below */
        for (int i = 0; i < CONNECTIONS; i++) {
            if (fd[i] >= 0 && recv(fd[i], echo, BYTES, MSG_WAITALL) == BYTES) {
                CHECK(is_pattern(echo, round, BYTES));
            } else if (fd[i] >= 0) {
                OK(close(fd[i]));
                fd[i] = -1;
                open--;
            }
        }
    }
}

int main(void)
{
    struct address address;
    pid_t client;
    pthread_t worker[2];
    int l = listener(AF_INET, CONNECTIONS, &address);

    if (child(&client)) {
        run_client(&address);
        _exit(0);
    }
    p = OK(ioeventpipe(2 * TASKS + 2));

    struct task *task = new_task(ACCEPT, l, 0);
    ATTACH(l, p, task);
    next(task);
    next(new_task(TIMER, -1, 0));
    next(new_task(POST, -1, 0));
    for (int i = 0; i < 2; i++)
        worker[i] = start_thread(work, i ? &p : NULL);
    for (int i = 0; i < 2; i++)
        ZERO(pthread_join(worker[i], NULL));
    CHILD_PASSED(client);
    OK(ioevent_close(p));
    return 0;
}

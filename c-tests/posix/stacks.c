/* Small stacks: threads of PTHREAD_STACK_MIN, a coroutine of 6 kB, a signal stack of the least size. */
#include "check.h"

#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <ucontext.h>

/* MINSIGSTKSZ of the kernel's headers. (That of the C library is a call of sysconf.) */
#ifdef __aarch64__
enum { LEAST_SIGNAL_STACK = 5120 };
#else
enum { LEAST_SIGNAL_STACK = 2048 };
#endif

static ucontext_t back, coroutine;
static int coroutine_works;
static volatile int handler_works;

/* A stack that begins right above a page that must not be touched. */
static char *stack(size_t size)
{
    char *p = OK((char *)mmap(NULL, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

    GIVES(mprotect(p, 4096, PROT_NONE), 0);
    return p + 4096;
}

static int all_work(void)
{
    int s[2];
    char b[4] = "xyz";

    return io_works() && socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 && send(s[0], b, 3, 0) == 3 &&
        recv(s[1], b, 3, 0) == 3 && shutdown(s[0], SHUT_RDWR) == 0 && close(s[0]) == 0 &&
        close_range((unsigned)s[1], (unsigned)s[1], 0) == 0 && fsync(0) <= 0;
}

static void *thread(void *unused)
{
    CHECK(all_work());
    return unused;
}

static void run(void)
{
    coroutine_works = all_work();
    swapcontext(&coroutine, &back);
}

static void handler(int number)
{
    (void)number;
    handler_works = all_work();
}

int main(void)
{
    pthread_attr_t attr;
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
    stack_t alternative = { .ss_size = (size_t)sysconf(_SC_MINSIGSTKSZ) };

    GIVES(pthread_attr_init(&attr), 0);
    GIVES(pthread_attr_setstacksize(&attr, (size_t)sysconf(_SC_THREAD_STACK_MIN)), 0);
    for (int i = 0; i < 8; i++) {
        pthread_t t;

        GIVES(pthread_create(&t, &attr, thread, NULL), 0);
        GIVES(pthread_join(t, NULL), 0);
    }

    GIVES(getcontext(&coroutine), 0);
    coroutine.uc_stack.ss_sp = stack(6 << 10);
    coroutine.uc_stack.ss_size = 6 << 10;
    makecontext(&coroutine, run, 0);
    GIVES(swapcontext(&back, &coroutine), 0);
    CHECK(coroutine_works);

    /* The kernel takes none under its own constant, whatever the C library says of this processor. */
    if (alternative.ss_size < LEAST_SIGNAL_STACK)
        alternative.ss_size = LEAST_SIGNAL_STACK;
    alternative.ss_sp = stack(alternative.ss_size);
    GIVES(sigaltstack(&alternative, NULL), 0);
    GIVES(sigaction(SIGUSR1, &action, NULL), 0);
    raise(SIGUSR1);
    CHECK(handler_works);
    return 0;
}

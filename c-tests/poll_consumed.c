/*
 * Descriptors whose readiness is taken by the first that looks: sysctl files (/proc/sys/kernel/hostname), swaps, perf
 * events, pressure stall triggers. ioevent_poll has one event for each that poll(2) gives on a twin: rule 2.10, rule
 * 2.2.
 */
#include "test.h"
#include <linux/perf_event.h>

static int p;

static bool plain_poll(int fd, short events, int ms)
{
    struct pollfd ready = { .fd = fd, .events = events };

    return OK(poll(&ready, 1, ms)) == 1 && (ready.revents & events);
}

static void expect_ready(short events)
{
    struct ioevent e;

    CHECK(plain_poll(p, POLLIN, test_timeout() * 500)); /* which takes none */
    e = HARVEST(p);
    CHECK(e.ioe_user == USER(1));
    SAME(e.ioe_errno, 0);
    CHECK(e.ioe_result > 0 && (e.ioe_result & events));
}

/* ---- a sysctl: its own host name, in a namespace of its own ---- */

static bool hostname(void)
{
    int fd, plain;

    if (unshare(CLONE_NEWUTS) == -1)
        return false;
    fd = open("/proc/sys/kernel/hostname", O_RDONLY | O_CLOEXEC);
    plain = open("/proc/sys/kernel/hostname", O_RDONLY | O_CLOEXEC);
    if (fd == -1 || plain == -1)
        return false;
    ATTACH(fd, p, 1);
    for (int i = 0; i < 6; i++) {
        bool waits = i % 2, alone = i / 2 % 2;

        if (waits) {
            QUEUED(ioevent_poll(fd, POLLPRI));
            STAYS_QUIET(p);
        }
        OK(sethostname(i % 2 ? "one" : "other", i % 2 ? 3 : 5));
        if (alone)
            for (int ms = 0; ms < 40; ms++)
                breathe();
        CHECK(plain_poll(plain, POLLPRI, 0));
        CHECK(!plain_poll(plain, POLLPRI, 0));
        if (!waits)
            QUEUED(ioevent_poll(fd, POLLPRI));
        expect_ready(POLLPRI);
        STAYS_QUIET(p);
    }
    GIVES(ioevent_close(fd), 0);
    OK(close(plain));
    return true;
}

/* ---- a counter of page faults that wakes at each ---- */

static int open_counter(void)
{
    struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof attr,
                                    .config = PERF_COUNT_SW_PAGE_FAULTS, .sample_period = 1, .wakeup_events = 1,
                                    .exclude_kernel = 1, .exclude_hv = 1, .disabled = 1 };
    int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);

    if (fd != -1)
        CHECK(mmap(NULL, 2 * (size_t)page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED);
    return fd;
}

/* One page fault while the counter runs. */
static void fault(int a, int b)
{
    volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(page != MAP_FAILED);
    OK(ioctl(a, PERF_EVENT_IOC_ENABLE, 0));
    OK(ioctl(b, PERF_EVENT_IOC_ENABLE, 0));
    *page = 1;
    OK(ioctl(a, PERF_EVENT_IOC_DISABLE, 0));
    OK(ioctl(b, PERF_EVENT_IOC_DISABLE, 0));
}

static bool counter(void)
{
    int fd = open_counter(), plain = open_counter();

    if (fd == -1 || plain == -1)
        return false;
    ATTACH(fd, p, 1);
    for (int i = 0; i < 6; i++) {
        bool waits = i % 2, alone = i / 2 % 2;

        if (waits) {
            QUEUED(ioevent_poll(fd, POLLIN));
            STAYS_QUIET(p);
        }
        fault(fd, plain);
        if (alone)
            for (int ms = 0; ms < 40; ms++)
                breathe();
        CHECK(plain_poll(plain, POLLIN, 1000));
        if (!waits)
            QUEUED(ioevent_poll(fd, POLLIN));
        expect_ready(POLLIN);
        STAYS_QUIET(p);
    }
    GIVES(ioevent_close(fd), 0);
    OK(close(plain));
    return true;
}

/* ---- pressure: a trigger that is reached when two threads want one processor ---- */

static int open_trigger(void)
{
    static const char text[] = "some 1000 2000000";
    int fd = open("/proc/pressure/cpu", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd != -1 && write(fd, text, sizeof text) != (ssize_t)sizeof text) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int stop, processor;

static void *press(void *unused)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    ZERO(pthread_setaffinity_np(pthread_self(), sizeof one, &one));
    while (!GET(stop)) {}
    return unused;
}

static bool pressure(void)
{
    int fd = open_trigger(), plain = open_trigger();
    pthread_t t[2];
    bool told;

    if (fd == -1 || plain == -1)
        return false;
    ATTACH(fd, p, 1);
    QUEUED(ioevent_poll(fd, POLLPRI));
    processor = sched_getcpu();
    for (int i = 0; i < 2; i++)
        t[i] = start_thread(press, NULL);
    told = plain_poll(plain, POLLPRI, 5000);
    if (told)
        expect_ready(POLLPRI);
    SET(stop, 1);
    for (int i = 0; i < 2; i++)
        ZERO(pthread_join(t[i], NULL));
    GIVES(ioevent_close(fd), 0);
    if (!told)
        while (ioevent_wait(p, &(struct ioevent){ 0 }, 1, &no_wait) == 1) {}
    OK(close(plain));
    return told;
}

int main(void)
{
    int n = 0;

    p = OK(ioeventpipe2(8, O_NONBLOCK));
    n += hostname();
    n += counter();
    n += pressure();
    if (!n)
        SKIP("there is none of them here");
    return 0;
}

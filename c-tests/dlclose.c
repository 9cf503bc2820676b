/*
 * The library stays when it is unloaded with dlclose(3) while a pipe of it is open: its thread goes on, operations
 * outstanding go on, and who loads it again finds it as it was: rule 5.6.
 */
#include "test.h"
#include <dlfcn.h>
#include <sys/sendfile.h>

/* The functions, as dlsym gives them: nothing is called by name, for the program is linked with the library as well. */
static struct {
    void *handle;
    int (*pipe)(int);
    int (*control)(int, int, ...);
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*splice)(int, off_t *, int, off_t *, size_t, unsigned);
    int (*wait)(int, struct ioevent *, int, const struct timespec *);
    int (*submit)(const struct ioevent_op *, int);
    int (*close)(int);
} lib;

static char path[64];

/* A copy of the library, which is another one to the dynamic linker. */
static void copy_library(void)
{
    Dl_info info;
    struct stat st;
    int from, to;
    off_t done = 0;

    NEEDS_PROC();
    if (dladdr((void *)(uintptr_t)ioevent_strerror, &info) == 0)
        SKIP("linked statically");
    from = OK(open(info.dli_fname, O_RDONLY | O_CLOEXEC));
    OK(fstat(from, &st));
    to = OK(memfd_create("libioevent-copy", 0));
    while (done < st.st_size)
        CHECK(OK(sendfile64(to, from, &done, (size_t)(st.st_size - done))) > 0);
    OK(close(from));
    snprintf(path, sizeof path, "/proc/self/fd/%d", to);
}

static void *symbol(const char *name)
{
    void *s = dlsym(lib.handle, name);

    CHECK(s != NULL);
    return s;
}

static void load(void)
{
    lib.handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!lib.handle)
        fprintf(stderr, "%s\n", dlerror());
    CHECK(lib.handle != NULL);
    *(void **)&lib.pipe = symbol("ioeventpipe");
    *(void **)&lib.control = symbol("ioevent_fcntl");
    *(void **)&lib.read = symbol("ioevent_read");
    *(void **)&lib.splice = symbol("ioevent_splice");
    *(void **)&lib.wait = symbol("ioevent_wait");
    *(void **)&lib.submit = symbol("ioevent_submit");
    *(void **)&lib.close = symbol("ioevent_close");
    CHECK((void *)(uintptr_t)lib.pipe != (void *)(uintptr_t)ioeventpipe);
}

static struct ioevent event(int p)
{
    struct ioevent e = { 0 };
    struct timespec t = test_long();

    GIVES(lib.wait(p, &e, 1, &t), 1);
    return e;
}

static pid_t waiter_tid;

static void *waits(void *p)
{
    struct ioevent e = { 0 };

    TELL_TID(waiter_tid);
    GIVES(lib.wait(*(int *)p, &e, 1, NULL), 1);
    CHECK(e.ioe_user == USER(3));
    return NULL;
}

enum { JUST_LOADED, PIPE_CLOSED, PIPE_OPEN, OUTSTANDING, HARVESTING, CASES };

static void run(int what)
{
    static char b[8];
    struct ioevent_op timer = { .ioo_kind = IOEVENT_OP_TIMER, .ioo_user = USER(2), .ioo_timeout = { 0, 20000000 } };
    int p = -1, q = -1, s[2], f[2], before;
    pthread_t t = 0;

    unix_pair(s);
    OK(pipe2(f, O_CLOEXEC));
    load();
    if (what > JUST_LOADED) {
        p = OK(lib.pipe(8));
        GIVES(lib.control(s[0], F_SETIOEVENTPIPE, p, USER(1)), 0);
        OK(write(s[1], "abc", 3));
        QUEUED(lib.read(s[0], b, sizeof b));
        SAME(event(p).ioe_result, 3);
    }
    if (what == PIPE_CLOSED)
        GIVES(lib.close(p), 0);
    if (what >= OUTSTANDING) {
        QUEUED(lib.read(s[0], b, sizeof b));
        timer.ioo_fd = p;
        GIVES(lib.submit(&timer, 1), 1);
    }
    if (what == HARVESTING) {
        q = OK(lib.pipe(8));
        GIVES(lib.control(f[0], F_SETIOEVENTPIPE, q, USER(3)), 0);
        QUEUED(lib.read(f[0], b + 4, 4));
        t = start_thread(waits, &q);
        UNTIL_ASLEEP(waiter_tid);
    }
    before = count_fds();
    GIVES(dlclose(lib.handle), 0);
    for (int i = 0; i < 60; i++) /* the library's thread looks, timers run out */
        breathe();
    OK(write(s[1], "abc", 3));
    if (what == HARVESTING) {
        OK(write(f[1], "x", 1));
        ZERO(pthread_join(t, NULL));
    }
    load();
    SAME(count_fds(), before);
    if (what >= OUTSTANDING)
        for (int i = 0; i < 2; i++) {
            struct ioevent e = event(p);

            CHECK((e.ioe_user == USER(1) && e.ioe_result == 3) || (e.ioe_user == USER(2) && e.ioe_result == 0));
        }
    if (what == PIPE_OPEN || what >= OUTSTANDING) {
        OK(write(s[1], "abc", 3));
        QUEUED(lib.read(s[0], b, 3));
        SAME(event(p).ioe_result, 3);
        GIVES(lib.close(p), 0);
    }
    p = OK(lib.pipe(8));
    GIVES(lib.control(s[0], F_SETIOEVENTPIPE, p, USER(1)), 0);
    QUEUED(lib.splice(f[0], NULL, s[0], NULL, 10, 0));
    OK(write(f[1], "yz", 2));
    SAME(event(p).ioe_result, 2);
    GIVES(lib.close(p), 0);
    for (int i = 0; i < 3; i++) { /* and to the end of the process */
        GIVES(dlclose(lib.handle), 0);
        if (i < 2)
            load();
    }
}

int main(void)
{
    if (on_valgrind())
        SKIP("valgrind does not follow a library out of a memfd");
    copy_library();
    for (int what = 0; what < CASES; what++) {
        pid_t pid;

        if (child(&pid)) {
            alarm((unsigned)test_timeout() / 3 + 1);
            run(what);
            exit(0); /* with all that runs at the end of a process */
        }
        CHILD_PASSED(pid);
    }
    return 0;
}

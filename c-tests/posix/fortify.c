/* Fortified calls work, and still end the process when the buffer is too short. */
#undef _FORTIFY_SOURCE
#define _FORTIFY_SOURCE 2
#include "check.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

static int s[2], file;
/* The compiler does not know how much is asked for. */
static volatile size_t much = 9, little = 7;
static char b[8];

static ssize_t by_read(size_t n) { return read(s[1], b, n); }
static ssize_t by_pread(size_t n) { return pread(file, b, n, 0); }
static ssize_t by_pread64(size_t n) { return pread64(file, b, n, 0); }
static ssize_t by_recv(size_t n) { return recv(s[1], b, n, MSG_DONTWAIT); }

static ssize_t by_recvfrom(size_t n)
{
    struct sockaddr_un from = { .sun_family = 77 };
    socklen_t length = sizeof from;
    ssize_t r = recvfrom(s[1], b, n, MSG_PEEK, (struct sockaddr *)&from, &length);

    CHECK(from.sun_family == AF_UNIX && length < sizeof from);
    return r;
}

static ssize_t (*const calls[])(size_t) = { by_recvfrom, by_read, by_pread, by_pread64, by_recv };

int main(void)
{
    char path[] = "/tmp/fortify.XXXXXX";
    struct rlimit none = { 0, 0 };

    setrlimit(RLIMIT_CORE, &none);
    GIVES(socketpair(AF_UNIX, SOCK_DGRAM, 0, s), 0);
    {
        struct sockaddr_un name = { .sun_family = AF_UNIX };

        GIVES(bind(s[0], (struct sockaddr *)&name, sizeof(sa_family_t)), 0);
    }
    file = OK(mkstemp(path));
    unlink(path);
    GIVES(write(file, "0123456789", 10), 10);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int err[2];
        char text[200];
        pid_t child;
        ssize_t n;

        for (int j = 0; j < 2; j++)
            GIVES(send(s[0], "0123456789", 10, 0), 10);
        memset(b, 0, sizeof b);
        GIVES(calls[i](little), 7);
        CHECK(memcmp(b, "0123456", 8) == 0);
        GIVES(calls[i](sizeof b), 8);
        CHECK(memcmp(b, "01234567", 8) == 0);
        while (recv(s[1], b, 1, MSG_DONTWAIT) > 0)
            ;
        GIVES(pipe(err), 0);
        child = OK(fork());
        if (child == 0) {
            GIVES(dup2(err[1], 2), 2);
            GIVES(send(s[0], "0123456789", 10, 0), 10);
            calls[i](much);
            _exit(0);
        }
        close(err[1]);
        n = OK(read(err[0], text, sizeof text - 1));
        text[n] = 0;
        close(err[0]);
        GIVES(child_status(child), 128 + SIGABRT);
        CHECK(strstr(text, "buffer overflow detected"));
        while (recv(s[1], b, 1, MSG_DONTWAIT) > 0)
            ;
    }
    return 0;
}

/* The functions that describe errors: as libc's for its errors; ours know two more (rule 1.3). */
#include "check.h"

#include <ctype.h>
#include <dlfcn.h>
#include <locale.h>
#include <stdio.h>
#include <wchar.h>

int __xpg_strerror_r(int, char *, size_t);

static int known(int number)
{
    int (*active)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "ioevent_posix_active");

    return active && active() && (number == 1997 || number == 1998);
}

static void says(int active)
{
    const char *expected = active ?
        "prefix: Ioevent pipe is full\nOperation queued on ioevent pipe\nNo such file or directory\n" :
        "prefix: Unknown error 1997\nUnknown error 1998\nNo such file or directory\n";
    char text[300];
    int p[2], old = OK(dup(2));
    ssize_t n;

    GIVES(pipe(p), 0);
    GIVES(dup2(p[1], 2), 2);
    errno = 1997;
    perror("prefix");
    errno = 1998;
    perror(NULL);
    errno = ENOENT;
    perror("");
    GIVES(errno, ENOENT);
    fflush(stderr);
    GIVES(dup2(old, 2), 2);
    close(p[1]);
    n = OK(read(p[0], text, sizeof text - 1));
    text[n] = 0;
    GIVES(strcmp(text, expected), 0);
    close(p[0]);
    close(old);
}

static void describes(int number, const char *name, const char *text)
{
    char b[64], unknown[64];
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);

    if (!known(number)) {
        name = NULL;
        snprintf(unknown, sizeof unknown, "Unknown error %d", number);
        text = unknown;
    }
    GIVES(strcmp(strerror(number), text), 0);
    GIVES(strcmp(strerror_r(number, b, sizeof b), text), 0);
    GIVES(strcmp(strerror_l(number, c), text), 0);
    freelocale(c);
    if (!name) {
        CHECK(!strerrorname_np(number) && !strerrordesc_np(number));
        GIVES(__xpg_strerror_r(number, b, sizeof b), EINVAL);
        return;
    }
    GIVES(strcmp(strerrorname_np(number), name), 0);
    GIVES(strcmp(strerrordesc_np(number), text), 0);
    errno = 4321;
    GIVES(__xpg_strerror_r(number, b, sizeof b), 0);
    GIVES(strcmp(b, text), 0);
    /* What fits is there, with a zero, and nothing beyond it is touched. */
    for (size_t n = 0; n < strlen(text) + 3; n++) {
        memset(b, 'x', sizeof b);
        GIVES(__xpg_strerror_r(number, b, n), n <= strlen(text) ? ERANGE : 0);
        if (n > 0)
            CHECK(strncmp(b, text, n - 1) == 0 && b[n <= strlen(text) ? n - 1 : strlen(text)] == 0);
        CHECK(b[n] == 'x');
    }
    GIVES(errno, 4321);
}

int main(void)
{
    char b[64];
    pid_t child;

    describes(1997, "EIOEVENTFULL", "Ioevent pipe is full");
    describes(1998, "EIOEVENTQUEUED", "Operation queued on ioevent pipe");
    describes(1996, NULL, NULL);
    describes(1999, NULL, NULL);
    GIVES(strcmp(strerror(ENOENT), "No such file or directory"), 0);
    GIVES(strcmp(strerrorname_np(ENOENT), "ENOENT"), 0);
    GIVES(strcmp(strerrordesc_np(EBADF), "Bad file descriptor"), 0);
    GIVES(__xpg_strerror_r(ENOENT, b, 5), ERANGE);
    GIVES(strcmp(b, "No s"), 0);
    GIVES(__xpg_strerror_r(-3, b, sizeof b), EINVAL);
    GIVES(strcmp(strerror(-3), "Unknown error -3"), 0);
    child = OK(fork());
    if (child == 0) {
        CHECK(fwide(stderr, 1) > 0);
        says(known(1997));
        exit(0);
    }
    GIVES(child_status(child), 0);
    says(known(1997));
    return 0;
}

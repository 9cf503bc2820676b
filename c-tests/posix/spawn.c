/* posix_spawn with file actions, fork and exec, and a vfork child that closes all it does not know: the parent keeps
 * its descriptors. */
#include "check.h"

#include <spawn.h>
#include <sys/socket.h>

static const int high = 300;

static int run(posix_spawn_file_actions_t *actions, const char *script)
{
    char *argv[] = { "sh", "-c", (char *)script, NULL };
    pid_t child;

    GIVES(posix_spawn(&child, "/bin/sh", actions, NULL, argv, environ), 0);
    return child_status(child);
}

int main(void)
{
    posix_spawn_file_actions_t actions;
    int p[2];
    char text[100];
    pid_t child;

    GIVES(pipe(p), 0);
    GIVES(dup2(p[0], high), high);
    GIVES(posix_spawn_file_actions_init(&actions), 0);
    GIVES(posix_spawn_file_actions_adddup2(&actions, p[1], 1), 0);
    GIVES(posix_spawn_file_actions_addclose(&actions, p[0]), 0);
    GIVES(posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0), 0);
    GIVES(posix_spawn_file_actions_addclosefrom_np(&actions, 100), 0);
    GIVES(run(&actions, "test ! -e /proc/self/fd/300 && printf spawned"), 0);
    GIVES(read(p[0], text, sizeof text), 7);
    CHECK(memcmp(text, "spawned", 7) == 0);
    GIVES(fcntl(high, F_GETFD), 0);

    child = vfork();
    if (child == 0) {
        int known = 0;

        if (dup2(p[1], 1) != 1 || dup2(p[0], 0) != 0)
            _exit(1);
        for (int fd = 3; fd < 1024; fd++)
            known += close(fd) == 0;
        if (known < 3 || write(1, "vforked", 7) != 7)
            _exit(2);
        execl("/bin/sh", "sh", "-c", "test ! -e /proc/self/fd/300", (char *)NULL);
        _exit(3);
    }
    GIVES(child_status(child), 0);
    GIVES(read(high, text, sizeof text), 7);
    CHECK(memcmp(text, "vforked", 7) == 0);

    child = OK(fork());
    if (child == 0) {
        closefrom(3);
        _exit(io_works() ? 0 : 1);
    }
    GIVES(child_status(child), 0);
    CHECK(io_works());
    return 0;
}
